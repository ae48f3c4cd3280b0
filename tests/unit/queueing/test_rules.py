"""The order of a queue, the states of a ticket, the expected wait and the spoken words, on plain values."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

import pytest

from backend.kernel.clock import SHANGHAI
from backend.queueing import rules
from backend.queueing.rules import PastCall, Placed, TicketClass, TicketState, Waiting, WaitRange

DOCTOR = uuid.UUID(int=901)
OTHER = uuid.UUID(int=902)


def at(clock: str) -> dt.datetime:
    return dt.datetime.combine(
        dt.date(2026, 11, 23), dt.time.fromisoformat(clock), tzinfo=SHANGHAI
    ).astimezone(dt.UTC)


def ticket(
    ordinal: int,
    arrived: str = "08:00",
    *,
    window: str | None = None,
    kind: TicketClass = TicketClass.ORDINARY,
    returned: str | None = None,
    doctor: uuid.UUID | None = None,
) -> Waiting:
    start = at(window) if window else None
    return Waiting(
        id=uuid.UUID(int=ordinal),
        ticket_class=kind,
        ordinal=ordinal,
        arrived_at=at(arrived),
        window_starts_at=start,
        window_ends_at=start + dt.timedelta(minutes=30) if start else None,
        returned_at=at(returned) if returned else None,
        practitioner_id=doctor,
    )


def call(
    clock: str, kind: TicketClass = TicketClass.ORDINARY, doctor: uuid.UUID = DOCTOR
) -> PastCall:
    return PastCall(doctor, kind, at(clock))


def order(
    *tickets: Waiting, past: Iterable[PastCall] = (), doctor: uuid.UUID | None = None
) -> list[int]:
    return numbers(rules.order_line(tickets, doctor, list(past)))


def numbers(placed: Iterable[Placed]) -> list[int]:
    return [one.id.int for one in placed]


def test_walk_ins_go_by_arrival() -> None:
    assert order(ticket(2, "08:01"), ticket(1, "08:05"), ticket(3, "08:05")) == [2, 1, 3]


def test_the_booked_go_by_their_window_however_early_they_came() -> None:
    assert order(ticket(1, "08:00", window="09:00"), ticket(2, "08:10", window="08:30")) == [2, 1]


def test_arrival_orders_those_of_one_window() -> None:
    assert order(ticket(1, "08:20", window="08:30"), ticket(2, "08:10", window="08:30")) == [2, 1]


def test_the_late_go_behind_the_current_window_and_before_the_next() -> None:
    late = ticket(1, "09:10", window="08:00")
    current = ticket(2, "08:50", window="09:00")
    following = ticket(3, "08:40", window="09:30")
    assert order(late, following, current) == [2, 1, 3]


def test_one_who_comes_in_the_last_minute_of_the_window_is_not_late() -> None:
    assert not rules.is_late(ticket(1, "08:30", window="08:00"))
    assert rules.is_late(ticket(1, "08:31", window="08:00"))


def test_emergency_then_priority_then_the_rest() -> None:
    assert order(
        ticket(1, "08:00"),
        ticket(2, "08:02", kind=TicketClass.PRIORITY),
        ticket(3, "08:03", kind=TicketClass.EMERGENCY),
    ) == [3, 2, 1]


def test_one_returning_patient_after_every_two_first_visits() -> None:
    first = [ticket(n, f"08:0{n}") for n in range(1, 6)]
    back = [ticket(n, f"08:1{n}", kind=TicketClass.RETURN) for n in (7, 8)]
    assert order(*first, *back) == [1, 2, 7, 3, 4, 8, 5]


def test_first_visits_already_called_count_towards_the_next_return() -> None:
    back = ticket(9, "08:30", kind=TicketClass.RETURN)
    past = [call("08:40"), call("08:35"), call("08:30", TicketClass.RETURN)]
    assert order(ticket(1), back, past=past) == [9, 1]
    assert order(ticket(1), back, past=past[1:]) == [1, 9]


def test_priority_calls_are_no_first_visits() -> None:
    kinds = [TicketClass.PRIORITY, TicketClass.ORDINARY, TicketClass.RETURN, TicketClass.ORDINARY]
    assert rules.first_visits_since_return(kinds) == 1


def test_return_patients_alone_are_called_without_waiting_for_first_visits() -> None:
    back = [ticket(n, f"08:0{n}", kind=TicketClass.RETURN) for n in (1, 2)]
    assert order(*back) == [1, 2]


@pytest.mark.parametrize(("calls", "place"), [(0, 3), (1, 2), (2, 1), (3, 0), (5, 0)])
def test_a_missed_patient_re_enters_behind_the_next_three(calls: int, place: int) -> None:
    waiting = [ticket(n, f"08:0{n}") for n in range(1, 6)]
    past = [call(f"09:0{n}") for n in range(calls, 0, -1)]
    found = order(ticket(9, "08:00", returned="09:00"), *waiting, past=past)
    assert found.index(9) == place


def test_calls_before_the_return_do_not_count() -> None:
    waiting = [ticket(n, f"08:0{n}") for n in range(1, 5)]
    past = [call("09:00"), call("08:59")]
    assert order(ticket(9, returned="09:00"), *waiting, past=past) == [1, 2, 3, 9, 4]


def test_two_who_come_back_keep_their_order() -> None:
    waiting = [ticket(n, f"08:0{n}") for n in range(1, 5)]
    back = [ticket(9, returned="09:00"), ticket(8, returned="09:01")]
    assert order(*back, *waiting) == [1, 2, 3, 9, 8, 4]


def test_one_who_came_back_never_overtakes_an_emergency() -> None:
    past = [call(f"09:0{n}") for n in (4, 3, 2)]
    found = order(ticket(9, returned="09:01"), ticket(1, kind=TicketClass.EMERGENCY), past=past)
    assert found == [1, 9]


def test_with_few_waiting_the_returned_one_is_last() -> None:
    assert order(ticket(9, returned="09:00"), ticket(1)) == [1, 9]


def test_a_doctor_calls_their_own_and_the_unassigned() -> None:
    tickets = [
        ticket(1, "08:01", doctor=OTHER),
        ticket(2, "08:02"),
        ticket(3, "08:03", doctor=DOCTOR),
    ]
    assert order(*tickets, doctor=DOCTOR) == [2, 3]


def test_other_doctors_calls_let_nobody_back_in_sooner() -> None:
    waiting = [ticket(n, f"08:0{n}", doctor=DOCTOR) for n in range(1, 5)]
    missed = ticket(9, returned="09:00", doctor=DOCTOR)
    past = [call(f"09:0{n}", doctor=OTHER) for n in (3, 2, 1)]
    assert order(missed, *waiting, past=past, doctor=DOCTOR) == [1, 2, 3, 9, 4]


def test_the_screen_merges_lines_place_by_place_each_in_its_own_order() -> None:
    tickets = [
        ticket(1, "08:01", doctor=DOCTOR),
        ticket(2, "08:02", doctor=DOCTOR),
        ticket(3, "08:03", doctor=DOCTOR),
        ticket(4, "08:04", doctor=OTHER),
        ticket(5, "08:05", doctor=OTHER),
    ]
    merged = numbers(rules.order_queue(tickets, []))
    assert merged == [1, 4, 2, 5, 3]


def test_every_waiting_ticket_is_placed_exactly_once() -> None:
    kinds = list(TicketClass)
    tickets = [
        ticket(
            n,
            f"08:{n:02d}",
            kind=kinds[n % 4],
            window="08:30" if n % 3 else None,
            returned="09:00" if n % 5 == 0 else None,
            doctor=(None, DOCTOR, OTHER)[n % 3],
        )
        for n in range(1, 40)
    ]
    assert sorted(numbers(rules.order_queue(tickets, []))) == list(range(1, 40))


def test_every_place_has_its_reason_in_words() -> None:
    placed = rules.order_line(
        [
            ticket(1, kind=TicketClass.EMERGENCY),
            ticket(2, kind=TicketClass.PRIORITY),
            ticket(3),
            ticket(4, window="09:00"),
            ticket(5, "09:10", window="08:00"),
            ticket(6, kind=TicketClass.RETURN),
            ticket(7, returned="09:00"),
        ],
        None,
        [],
    )
    words = {one.id.int: str(one.why) for one in placed}
    assert words == {
        1: "急诊优先",
        2: "高龄等优先",
        3: "现场取号，按到达先后",
        4: "按预约时段",
        5: "迟到，排在当前时段之后",
        6: "回诊：每 2 位初诊后一位",
        7: "过号后返回，排在后续 3 位之后",
    }


def test_the_oldest_have_priority() -> None:
    assert rules.class_for_age(80) is TicketClass.PRIORITY
    assert rules.class_for_age(79) is TicketClass.ORDINARY


def test_the_state_machine() -> None:
    allowed = {
        (state.value, wanted.value)
        for state in TicketState
        for wanted in TicketState
        if rules.may_become(state, wanted)
    }
    assert allowed == {
        ("waiting", "called"),
        ("waiting", "transferred"),
        ("waiting", "left"),
        ("called", "serving"),
        ("called", "missed"),
        ("called", "transferred"),
        ("called", "left"),
        ("serving", "done"),
        ("serving", "transferred"),
        ("serving", "left"),
        ("missed", "waiting"),
        ("missed", "transferred"),
        ("missed", "left"),
    }


def test_numbers_have_three_digits_at_least() -> None:
    assert rules.ticket_number("A", 12) == "A012"
    assert rules.ticket_number("A", 1000) == "A1000"


def test_without_experience_the_usual_length_serves() -> None:
    # 5 visits of 8 minutes: 40; 1.28 x 4 x sqrt 5 = 11.4 more.
    assert rules.expected_wait(5, [1.0, 2.0]) == WaitRange(40, 55)


def test_the_days_visits_give_the_range() -> None:
    steady = [10.0] * 6
    assert rules.expected_wait(3, steady) == WaitRange(30, 30)
    # mean 12, deviation 6: 4 visits are 48; 1.28 x 6 x 2 = 15.4 more.
    uneven = [6.0, 18.0, 6.0, 18.0, 6.0, 18.0]
    assert rules.expected_wait(4, uneven) == WaitRange(50, 65)


def test_a_visit_under_way_counts_half_and_doctors_share_a_queue() -> None:
    steady = [10.0] * 6
    assert rules.expected_wait(0, steady, being_served=1) == WaitRange(5, 5)
    assert rules.expected_wait(4, steady, practitioners=2) == WaitRange(20, 20)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (WaitRange(20, 35), "约 20–35 分钟"),
        (WaitRange(10, 10), "约 10 分钟以内"),
        (WaitRange(0, 5), "约 5 分钟以内"),
        (WaitRange(0, 0), "很快轮到您"),
    ],
)
def test_the_range_in_words(expected: WaitRange, words: str) -> None:
    assert rules.wait_words(expected) == words


def test_a_call_is_spoken_digit_by_digit_without_a_name() -> None:
    assert rules.spoken_call("A012", "二诊室") == "请 A 零一二 号 到 二诊室"
    assert rules.spoken_call("CT100", "3号机房") == "请 C T 一零零 号 到 3号机房"
