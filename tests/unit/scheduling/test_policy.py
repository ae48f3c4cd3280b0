"""The rules of booking on plain values: windows, limits, suspension, reserves, and which policy holds."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.clock import SHANGHAI, FixedClock, HalfDay, at_local, business_date, half_day
from backend.kernel.ids import new_id
from backend.scheduling import rules
from backend.scheduling.errors import (
    AlreadyBooked,
    BookingClosed,
    BookingSuspended,
    CancelTooLate,
    SameDayClosed,
    ScheduleStopped,
    TooManyVisits,
)
from backend.scheduling.rules import (
    DEFAULT_POLICY,
    AppointmentState,
    BookingPolicies,
    BookingPolicy,
    Case,
    Channel,
    PolicyFor,
    Reserve,
    ScheduleStatus,
    Visit,
    VisitType,
)

DAY = dt.date(2026, 11, 23)  # a Monday
DOCTOR = new_id()
BOOKED = AppointmentState.BOOKED


def wall(hour: int, minute: int = 0, day: dt.date = DAY) -> dt.datetime:
    return at_local(day, dt.time(hour, minute))


BOOKED_AT = wall(8)


def visit(day: dt.date, state: AppointmentState = BOOKED, **changed: object) -> Visit:
    usual = Visit(new_id(), new_id(), day, HalfDay.AM, VisitType.CHIEF, state, wall(9, 15))
    return replace(usual, **changed)  # type: ignore[arg-type]


def case(*visits: Visit, **changed: object) -> Case:
    usual = Case(
        at=wall(9),
        channel=Channel.WECHAT,
        practitioner_id=DOCTOR,
        business_date=DAY + dt.timedelta(days=1),
        half_day=HalfDay.AM,
        visit_type=VisitType.CHIEF,
        status=ScheduleStatus.OPEN,
        visits=visits,
    )
    return replace(usual, **changed)  # type: ignore[arg-type]


def test_an_ordinary_case_passes_and_every_rule_says_so() -> None:
    rules.check_case(case(), DEFAULT_POLICY)
    verdicts = rules.explain(case(), DEFAULT_POLICY)
    assert len(verdicts) == len(rules.RULES)
    assert all(one.is_met for one in verdicts)


def test_the_explanation_names_every_rule_that_stands_in_the_way() -> None:
    tomorrow = DAY + dt.timedelta(days=1)
    own = visit(tomorrow, practitioner_id=DOCTOR)
    asked = case(own, visit(tomorrow), visit(tomorrow), status=ScheduleStatus.STOPPED)
    verdicts = rules.explain(asked, DEFAULT_POLICY)
    assert [one.rule for one in verdicts if not one.is_met] == ["status", "one_visit", "day_limit"]
    with pytest.raises(ScheduleStopped):
        rules.check_case(asked, DEFAULT_POLICY)


def test_booking_opens_on_the_second() -> None:
    furthest = case(business_date=DAY + dt.timedelta(days=14), at=wall(7))
    rules.check_case(furthest, DEFAULT_POLICY)
    with pytest.raises(BookingClosed):
        rules.check_case(
            replace(furthest, at=wall(7) - dt.timedelta(microseconds=1)), DEFAULT_POLICY
        )


def test_today_is_for_the_channels_that_may() -> None:
    policy = BookingPolicy(same_day_channels=frozenset({Channel.COUNTER}))
    rules.check_case(case(business_date=DAY, channel=Channel.COUNTER), policy)
    with pytest.raises(SameDayClosed):
        rules.check_case(case(business_date=DAY), policy)
    rules.check_case(case(), policy)


def test_one_visit_counts_only_with_the_same_doctor_and_half_day() -> None:
    tomorrow = DAY + dt.timedelta(days=1)
    mine = visit(tomorrow, practitioner_id=DOCTOR)
    with pytest.raises(AlreadyBooked) as refused:
        rules.check_case(case(mine), DEFAULT_POLICY)
    assert refused.value.facts["appointment_id"] == str(mine.id)
    rules.check_case(case(replace(mine, half_day=HalfDay.PM)), DEFAULT_POLICY)
    lapsed = replace(mine, state=AppointmentState.HELD, hold_until=wall(9))
    rules.check_case(case(lapsed), DEFAULT_POLICY)


def test_limits_bind_self_service_and_not_the_desk_nor_examinations() -> None:
    tomorrow = DAY + dt.timedelta(days=1)
    full = [visit(tomorrow, AppointmentState.FULFILLED)] + [visit(tomorrow) for _ in range(2)]
    with pytest.raises(TooManyVisits) as refused:
        rules.check_case(case(*full), DEFAULT_POLICY)
    assert refused.value.facts == {"per": "day", "count": 3}
    rules.check_case(case(*full, channel=Channel.COUNTER), DEFAULT_POLICY)
    rules.check_case(case(*full, visit_type=VisitType.EXAMINATION), DEFAULT_POLICY)
    examined = [replace(one, visit_type=VisitType.EXAMINATION) for one in full]
    rules.check_case(case(*examined), DEFAULT_POLICY)


def test_the_week_runs_from_monday_to_sunday() -> None:
    week = [visit(DAY + dt.timedelta(days=n)) for n in (0, 2, 3, 4, 5, 6)]
    with pytest.raises(TooManyVisits) as refused:
        rules.check_case(case(*week), DEFAULT_POLICY)
    assert refused.value.facts == {"per": "week", "count": 6}
    next_monday = DAY + dt.timedelta(days=7)
    rules.check_case(case(*week, business_date=next_monday), DEFAULT_POLICY)


def missed(*days_ago: int) -> list[Visit]:
    return [visit(DAY - dt.timedelta(days=n), AppointmentState.NO_SHOW) for n in days_ago]


def test_three_missed_visits_in_ninety_days_suspend_for_ninety() -> None:
    rules.check_case(case(*missed(1, 2)), DEFAULT_POLICY)
    with pytest.raises(BookingSuspended) as refused:
        rules.check_case(case(*missed(1, 40, 90)), DEFAULT_POLICY)
    assert refused.value.facts["until"] == (DAY + dt.timedelta(days=89)).isoformat()
    rules.check_case(case(*missed(1, 40, 91)), DEFAULT_POLICY)
    rules.check_case(case(*missed(1, 40, 90), channel=Channel.IN_CLINIC), DEFAULT_POLICY)


def test_a_suspension_ends() -> None:
    with pytest.raises(BookingSuspended):
        rules.check_case(case(*missed(90, 100, 110)), DEFAULT_POLICY)
    rules.check_case(case(*missed(91, 100, 110)), DEFAULT_POLICY)
    assert rules.look_back(DEFAULT_POLICY) == dt.timedelta(days=180)


@given(st.lists(st.integers(0, 400), max_size=12))
def test_a_suspension_always_has_its_three_missed_visits(days: list[int]) -> None:
    dates = [DAY - dt.timedelta(days=n) for n in days]
    until = rules.suspended_until(dates, DEFAULT_POLICY)
    ends = [
        last + dt.timedelta(days=90)
        for last in dates
        if sum(0 <= (last - one).days < 90 for one in dates) >= 3
    ]
    assert until == max(ends, default=None)


@given(st.integers(1, 200), st.integers(0, 100), st.integers(0, 100))
def test_reserves_are_their_share_and_never_overlap(capacity: int, first: int, second: int) -> None:
    second = min(second, 100 - first)
    reserves = [Reserve(Channel.KIOSK, first), Reserve(Channel.WECHAT, second)]
    found = rules.reserved_numbers(capacity, reserves)
    assert set(found) <= set(range(1, capacity + 1))
    for reserve in reserves:
        own = [number for number, one in found.items() if one is reserve]
        assert len(own) == capacity * reserve.percent // 100


def test_a_reserve_is_spread_over_the_session() -> None:
    found = rules.reserved_numbers(10, [Reserve(Channel.KIOSK, 50)])
    assert sorted(found) == [2, 4, 6, 8, 10]


def test_a_reserve_is_released_on_the_hospitals_clock() -> None:
    reserve = Reserve(Channel.KIOSK, 20, release_days=1, release_time=dt.time(18))
    assert reserve.released_at(DAY) == dt.datetime(2026, 11, 22, 10, 0, tzinfo=dt.UTC)


def test_the_last_exception_that_fits_counts() -> None:
    special, breast = BookingPolicy(booking_days=28), BookingPolicy(booking_days=7)
    known = BookingPolicies(
        DEFAULT_POLICY,
        (
            PolicyFor(special, visit_type=VisitType.SPECIAL),
            PolicyFor(breast, hospital="XL", department="BRE"),
        ),
    )
    assert known.ask_for_codes
    assert known.of(VisitType.CHIEF, "XL", "SUR") is DEFAULT_POLICY
    assert known.of(VisitType.SPECIAL, "XL", "SUR") is special
    assert known.of(VisitType.SPECIAL, "XL", "BRE") is breast
    assert known.of(VisitType.SPECIAL, "HZ", "BRE") is special
    assert known.furthest is special


def test_the_cut_off_is_the_policys() -> None:
    policy = BookingPolicy(cancel_days=2, cancel_until=dt.time(12), same_day_cancel=False)
    day = DAY + dt.timedelta(days=5)

    def cancel(now: dt.datetime, created: dt.datetime = BOOKED_AT) -> None:
        rules.check_cancellable(BOOKED, day, created, now, by_patient=True, policy=policy)

    eve = day - dt.timedelta(days=2)
    cancel(wall(11, 59, eve))
    with pytest.raises(CancelTooLate):
        cancel(wall(12, 0, eve))
    with pytest.raises(CancelTooLate):
        cancel(wall(9, 30, day), created=wall(9, 0, day))


def test_midnight_is_the_hospitals() -> None:
    last_second = dt.datetime(2026, 11, 23, 15, 59, 59, tzinfo=dt.UTC)
    assert business_date(last_second) == DAY
    assert business_date(last_second + dt.timedelta(seconds=1)) == DAY + dt.timedelta(days=1)
    assert rules.is_day_bookable(DAY, last_second)
    assert not rules.is_day_bookable(DAY, last_second + dt.timedelta(seconds=1))


def test_a_leap_day_is_a_day_like_others() -> None:
    leap = dt.date(2028, 2, 29)
    assert rules.last_bookable_day(at_local(dt.date(2028, 2, 15), dt.time(7))) == leap
    assert rules.is_day_bookable(leap, at_local(leap, dt.time(23, 59)))
    cut_off = at_local(leap, dt.time(17))
    with pytest.raises(CancelTooLate):
        rules.check_cancellable(
            BOOKED, dt.date(2028, 3, 1), at_local(dt.date(2028, 2, 20), dt.time(9)), cut_off,
            by_patient=True,
        )  # fmt: skip
    assert rules.suspended_until([leap] * 3, DEFAULT_POLICY) == dt.date(2028, 5, 29)


def test_any_zone_tells_the_same_moment() -> None:
    opening = dt.datetime(2026, 11, 23, 7, 0, tzinfo=SHANGHAI)
    for zone in (dt.UTC, dt.timezone(dt.timedelta(hours=-5)), SHANGHAI):
        moment = opening.astimezone(zone)
        assert rules.last_bookable_day(moment) == DAY + dt.timedelta(days=14)
        assert half_day(moment) is HalfDay.AM


def test_a_clock_that_jumps_back_closes_the_window_again() -> None:
    clock = FixedClock(wall(7))
    furthest = DAY + dt.timedelta(days=14)
    assert rules.is_day_bookable(furthest, clock.now())
    clock.advance(dt.timedelta(minutes=-1))
    assert not rules.is_day_bookable(furthest, clock.now())
