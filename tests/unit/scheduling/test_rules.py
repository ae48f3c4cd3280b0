"""The pool's rules on plain values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.clock import HalfDay, at_local, local
from backend.scheduling import rules
from backend.scheduling.errors import (
    CancelTooLate,
    PeriodInvalid,
    TemplateInvalid,
    WrongAppointmentState,
)
from backend.scheduling.rules import AppointmentState, SlotState

DAY = dt.date(2026, 11, 23)  # a Monday


def wall(hour: int, minute: int = 0, day: dt.date = DAY) -> dt.datetime:
    return at_local(day, dt.time(hour, minute))


BOOKED_AT = wall(9)


def test_windows_read_as_round_half_hours() -> None:
    windows = rules.slot_windows(DAY, HalfDay.AM, 6, 12)
    assert [w.number for w in windows] == [1, 2, 3, 4, 5, 6]
    starts = [local(w.starts_at).strftime("%H:%M") for w in windows]
    assert starts == ["08:00", "08:00", "08:00", "08:30", "08:30", "09:00"]
    assert local(windows[0].ends_at).strftime("%H:%M") == "08:30"


def test_a_long_visit_gets_the_half_hour_it_begins_in() -> None:
    windows = rules.slot_windows(DAY, HalfDay.PM, 4, 45)
    assert [local(w.starts_at).strftime("%H:%M") for w in windows] == [
        "13:30",
        "14:00",
        "15:00",
        "15:30",
    ]


def test_the_last_evening_window_may_end_at_midnight() -> None:
    last = rules.slot_windows(DAY, HalfDay.EVENING, 36, 10)[-1]
    assert last.ends_at == at_local(DAY + dt.timedelta(days=1), dt.time.min)


@given(
    half_day=st.sampled_from(HalfDay),
    capacity=st.integers(1, 60),
    slot_minutes=st.integers(1, 90),
)
def test_windows_are_short_ordered_and_inside_their_session(
    half_day: HalfDay, capacity: int, slot_minutes: int
) -> None:
    begin, end = rules.SESSION_MINUTES[half_day]
    if capacity * slot_minutes > end - begin:
        with pytest.raises(TemplateInvalid):
            rules.slot_windows(DAY, half_day, capacity, slot_minutes)
        return
    windows = rules.slot_windows(DAY, half_day, capacity, slot_minutes)
    midnight = at_local(DAY, dt.time.min)
    assert [w.number for w in windows] == list(range(1, capacity + 1))
    assert all(dt.timedelta(0) < w.ends_at - w.starts_at <= rules.WINDOW for w in windows)
    assert windows == sorted(windows, key=lambda w: (w.starts_at, w.number))
    assert windows[0].starts_at == midnight + dt.timedelta(minutes=begin)
    assert windows[-1].ends_at <= midnight + dt.timedelta(minutes=end)
    for index, window in enumerate(windows):
        due = midnight + dt.timedelta(minutes=begin + index * slot_minutes)
        assert window.starts_at <= due < window.ends_at


@pytest.mark.parametrize(
    ("half_day", "capacity", "minutes", "starts"),
    [
        (HalfDay.AM, 0, 10, None),
        (HalfDay.AM, 10, 0, None),
        (HalfDay.AM, 25, 10, None),
        (HalfDay.PM, 5, 10, 12 * 60),
        (HalfDay.EVENING, 7, 10, 23 * 60),
    ],
)
def test_a_template_no_clinic_could_keep_is_refused(
    half_day: HalfDay, capacity: int, minutes: int, starts: int | None
) -> None:
    with pytest.raises(TemplateInvalid):
        rules.check_template(half_day, capacity, minutes, starts)


def test_a_morning_may_begin_early() -> None:
    windows = rules.slot_windows(DAY, HalfDay.AM, 2, 30, starts_minute=7 * 60)
    assert windows[0].starts_at == wall(7)


@dataclass(frozen=True)
class Entry:
    weekday: int
    effective_from: dt.date = DAY
    effective_until: dt.date | None = None


def test_the_plan_follows_weekday_and_validity() -> None:
    monday, tuesday = Entry(1), Entry(2)
    ended = Entry(1, effective_until=DAY)
    later = Entry(1, effective_from=DAY + dt.timedelta(days=1))
    plan = list(
        rules.planned_sessions([monday, tuesday, ended, later], DAY, DAY + dt.timedelta(days=7))
    )
    week = DAY + dt.timedelta(days=7)
    assert plan == [
        (DAY, monday),
        (DAY, ended),
        (DAY + dt.timedelta(days=1), tuesday),
        (week, monday),
        (week, later),
    ]


def test_a_period_is_bounded() -> None:
    rules.check_period(DAY, DAY)
    rules.check_period(DAY, DAY + dt.timedelta(days=30))
    for last in (DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=31)):
        with pytest.raises(PeriodInvalid):
            rules.check_period(DAY, last)


def test_a_hold_is_free_at_the_very_instant_it_ends() -> None:
    now = wall(9)
    until = rules.hold_until(now)
    assert until - now == dt.timedelta(minutes=15)
    assert not rules.is_lapsed(until, until - dt.timedelta(microseconds=1))
    assert rules.is_lapsed(until, until)


@pytest.mark.parametrize(
    ("state", "until", "claimable"),
    [
        (SlotState.FREE, None, True),
        (SlotState.HELD, wall(9, 1), False),
        (SlotState.HELD, wall(9), True),
        (SlotState.BOOKED, None, False),
        (SlotState.BOOKED, wall(8), False),
    ],
)
def test_claimable(state: SlotState, until: dt.datetime | None, claimable: bool) -> None:
    assert rules.is_claimable(state, until, wall(9, 30), wall(9)) is claimable


def test_a_window_that_has_ended_cannot_be_claimed() -> None:
    assert rules.is_claimable(SlotState.FREE, None, wall(9, 30), wall(9, 29))
    assert not rules.is_claimable(SlotState.FREE, None, wall(9, 30), wall(9, 30))


def test_the_booking_window_opens_at_seven() -> None:
    last = DAY + dt.timedelta(days=14)
    assert rules.last_bookable_day(wall(6, 59)) == last - dt.timedelta(days=1)
    assert rules.last_bookable_day(wall(7)) == last
    assert rules.is_day_bookable(last, wall(7))
    assert not rules.is_day_bookable(last, wall(6, 59))
    assert not rules.is_day_bookable(DAY - dt.timedelta(days=1), wall(7))


def test_a_patient_cancels_until_five_the_day_before() -> None:
    day = DAY + dt.timedelta(days=3)
    eve = day - dt.timedelta(days=1)

    def cancel(now: dt.datetime, *, created: dt.datetime = BOOKED_AT, patient: bool = True) -> None:
        rules.check_cancellable(AppointmentState.BOOKED, day, created, now, by_patient=patient)

    cancel(wall(16, 59, eve))
    with pytest.raises(CancelTooLate):
        cancel(wall(17, 0, eve))
    cancel(wall(17, 0, eve), patient=False)
    cancel(wall(9, 30, day), created=wall(9, 0, day))
    with pytest.raises(CancelTooLate):
        cancel(wall(0, 5, day + dt.timedelta(days=1)), created=wall(9, 0, day))


@pytest.mark.parametrize("state", sorted(set(AppointmentState) - rules.ACTIVE))
def test_what_is_over_cannot_be_cancelled(state: AppointmentState) -> None:
    with pytest.raises(WrongAppointmentState):
        rules.check_cancellable(state, DAY, wall(8), wall(9), by_patient=False)


def test_an_unpaid_hold_may_always_be_given_back() -> None:
    rules.check_cancellable(AppointmentState.HELD, DAY, wall(8), wall(9), by_patient=True)


def test_check_in_is_for_today_and_paid() -> None:
    assert rules.can_check_in(AppointmentState.BOOKED, DAY, wall(9))
    assert not rules.can_check_in(AppointmentState.HELD, DAY, wall(9))
    assert not rules.can_check_in(AppointmentState.BOOKED, DAY + dt.timedelta(days=1), wall(9))
