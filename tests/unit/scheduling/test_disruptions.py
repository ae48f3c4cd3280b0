"""What may become of a disrupted visit, until when one may choose, and what is offered first."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.kernel.clock import HalfDay, at_local
from backend.kernel.ids import Id
from backend.scheduling import rules
from backend.scheduling.errors import (
    AddedFull,
    AddedReasonMissing,
    DisruptionOver,
    ScheduleOver,
    StopInvalid,
)
from backend.scheduling.rules import Candidate, DisruptionState, LostVisit, StopScope, VisitType

DAY = dt.date(2026, 11, 24)
ME, OTHER, DEPARTMENT = Id(int=1), Id(int=2), Id(int=9)
STATES = list(DisruptionState)
ALLOWED = {
    ("found", "offered"), ("found", "refunded"), ("found", "released"), ("found", "kept"),
    ("offered", "moved"), ("offered", "refunded"), ("offered", "kept"),
    ("told", "refunded"), ("told", "kept"),
}  # fmt: skip


def wall(hour: int, minute: int = 0, day: dt.date = DAY) -> dt.datetime:
    return at_local(day, dt.time(hour, minute))


def candidate(number: int, who: Id, starts_at: dt.datetime, **other: object) -> Candidate:
    facts: dict[str, object] = {
        "department_id": DEPARTMENT,
        "visit_type": VisitType.CHIEF,
        "price_item_code": "REG",
        "fee_fen": 2500,
        "half_day": HalfDay.AM,
    } | other
    day = starts_at.astimezone(dt.timezone(dt.timedelta(hours=8))).date()
    return Candidate(
        schedule_id=Id(int=number), practitioner_id=who, business_date=day, starts_at=starts_at,
        **facts,  # type: ignore[arg-type]
    )  # fmt: skip


LOST = LostVisit(ME, DEPARTMENT, VisitType.CHIEF, "REG", 2500, wall(9))


def numbers(found: list[Candidate]) -> list[int]:
    return [one.schedule_id.int for one in found]


def test_exactly_the_drawn_steps_are_allowed() -> None:
    for before in STATES:
        for after in STATES:
            if (before.value, after.value) in ALLOWED:
                rules.check_step(before, after)
            else:
                with pytest.raises(DisruptionOver):
                    rules.check_step(before, after)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (wall(9, day=DAY - dt.timedelta(days=5)), wall(17, day=DAY - dt.timedelta(days=1))),
        # The evening before has come: two hours, even into the visit itself.
        (wall(16, day=DAY - dt.timedelta(days=1)), wall(18, day=DAY - dt.timedelta(days=1))),
        (wall(8, 30), wall(10, 30)),
    ],
)
def test_a_choice_ends_the_evening_before_but_is_never_short(
    now: dt.datetime, until: dt.datetime
) -> None:
    assert rules.choice_ends(now, wall(9)) == until


def test_the_same_practitioner_later_comes_first_then_the_nearest_of_others() -> None:
    week = dt.timedelta(days=7)
    found = rules.rank_equivalents(
        LOST,
        [
            candidate(1, OTHER, wall(10)),
            candidate(2, ME, wall(9) + week),
            candidate(3, OTHER, wall(9) - dt.timedelta(hours=19)),
            candidate(4, ME, wall(14), half_day=HalfDay.PM),
            # The same practitioner before the lost visit is no promise anybody asked for.
            candidate(5, ME, wall(9) - week),
        ],
    )
    assert numbers(found) == [4, 2, 1, 3]


def test_only_what_costs_the_same_and_is_the_same_visit_is_equivalent() -> None:
    later = wall(10)
    found = rules.rank_equivalents(
        LOST,
        [
            candidate(1, OTHER, later, fee_fen=5000),
            candidate(2, OTHER, later, price_item_code="OTHER"),
            candidate(3, OTHER, later, visit_type=VisitType.GENERAL),
            candidate(4, OTHER, later, department_id=Id(int=8)),
            candidate(5, OTHER, later),
        ],
    )
    assert numbers(found) == [5]


def test_a_half_day_in_which_the_patient_has_that_practitioner_already_is_left_out() -> None:
    found = rules.rank_equivalents(
        LOST,
        [candidate(1, OTHER, wall(10)), candidate(2, ME, wall(9) + dt.timedelta(days=1))],
        taken=[(OTHER, DAY, HalfDay.AM)],
    )
    assert numbers(found) == [2]


def test_never_more_than_six_and_never_more_than_three_of_the_same() -> None:
    many = [candidate(n, ME, wall(9) + dt.timedelta(days=n)) for n in range(1, 9)]
    many += [candidate(20 + n, OTHER, wall(9) + dt.timedelta(days=n)) for n in range(1, 9)]
    assert numbers(rules.rank_equivalents(LOST, many)) == [1, 2, 3, 21, 22, 23]


def test_a_scope_covers_its_days_half_days_and_people_only() -> None:
    scope = StopScope(DAY, DAY, practitioner_id=ME, half_day=HalfDay.AM)
    assert scope.covers(ME, DEPARTMENT, DAY, HalfDay.AM)
    assert not scope.covers(OTHER, DEPARTMENT, DAY, HalfDay.AM)
    assert not scope.covers(ME, DEPARTMENT, DAY, HalfDay.PM)
    assert not scope.covers(ME, DEPARTMENT, DAY + dt.timedelta(days=1), HalfDay.AM)
    assert StopScope(DAY, DAY, department_id=DEPARTMENT).covers(None, DEPARTMENT, DAY, HalfDay.PM)
    of_device = StopScope(DAY, DAY, department_id=DEPARTMENT, device_id=OTHER)
    assert of_device.covers(None, DEPARTMENT, DAY, HalfDay.AM, OTHER)
    assert not of_device.covers(None, DEPARTMENT, DAY, HalfDay.AM, ME)
    assert not of_device.covers(OTHER, DEPARTMENT, DAY, HalfDay.AM)


@pytest.mark.parametrize(
    ("scope", "reason", "fields"),
    [
        (StopScope(DAY, DAY), "进修", {"practitioner"}),
        (StopScope(DAY - dt.timedelta(days=1), DAY, ME), "进修", {"first"}),
        (StopScope(DAY, DAY - dt.timedelta(days=1), ME), "进修", {"last"}),
        (StopScope(DAY, DAY + dt.timedelta(days=92), ME), "进修", {"last"}),
        (StopScope(DAY, DAY, ME), " ", {"reason"}),
        (StopScope(DAY, DAY), "长" * 101, {"practitioner", "reason"}),
        (StopScope(DAY, DAY, ME, device_id=OTHER), "故障", {"device"}),
    ],
)
def test_each_fault_of_a_notice_is_named(scope: StopScope, reason: str, fields: set[str]) -> None:
    with pytest.raises(StopInvalid) as caught:
        rules.check_stop(scope, reason, DAY)
    assert set(caught.value.fields) == fields
    rules.check_stop(StopScope(DAY, DAY, ME), "进修", DAY)
    rules.check_stop(StopScope(DAY, DAY, device_id=OTHER), "故障", DAY)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("", False), (" 　\n", False), ("进", True), (f" {'长' * 100} ", True), ("长" * 101, False)],
)
def test_a_reason_is_read_without_the_blanks_around_it(text: str, is_one: bool) -> None:
    assert rules.is_reason(text) is is_one


def test_an_added_number_needs_a_reason_and_there_are_ten_at_most() -> None:
    rules.check_added(9, "外地复诊")
    with pytest.raises(AddedFull):
        rules.check_added(10, "外地复诊")
    for reason in ("", "  ", "长" * 101):
        with pytest.raises(AddedReasonMissing):
            rules.check_added(0, reason)


@pytest.mark.parametrize(
    ("now", "window"),
    [
        (wall(8), (wall(9, 30), wall(10))),
        (wall(10), (wall(10), wall(10, 30))),
        (wall(10, 45), (wall(10, 30), wall(11))),
        (wall(11, 59), (wall(11, 30), wall(12))),
    ],
)
def test_an_added_patient_comes_last_or_now(
    now: dt.datetime, window: tuple[dt.datetime, dt.datetime]
) -> None:
    assert rules.added_window(wall(9, 30), wall(10), DAY, HalfDay.AM, now) == window


def test_nobody_is_added_when_the_half_day_is_over() -> None:
    with pytest.raises(ScheduleOver):
        rules.added_window(wall(9, 30), wall(10), DAY, HalfDay.AM, wall(12))
