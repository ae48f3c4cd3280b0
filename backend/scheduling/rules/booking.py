"""When a place can be taken, kept, given back and used."""

from __future__ import annotations

import datetime as dt

from backend.kernel.clock import at_local, local
from backend.scheduling.errors import (
    BookingClosed,
    CancelTooLate,
    ScheduleStopped,
    WrongAppointmentState,
)
from backend.scheduling.rules.states import ACTIVE, AppointmentState, ScheduleStatus, SlotState

#: How long an unpaid place is kept.
HOLD = dt.timedelta(minutes=15)


#: How many days ahead places can be booked, and when each further day opens.
BOOKING_DAYS = 14


BOOKING_OPENS = dt.time(7, 0)


#: A patient may cancel until this time on the day before the visit.
CANCEL_CUT_OFF = dt.time(17, 0)


def hold_until(now: dt.datetime) -> dt.datetime:
    """The moment from which an unpaid place taken ``now`` is free again."""
    return now + HOLD


def is_lapsed(until: dt.datetime | None, now: dt.datetime) -> bool:
    """True once a hold has ended: at ``until`` itself the place is already free."""
    return until is not None and until <= now


def is_claimable(
    state: SlotState, until: dt.datetime | None, ends_at: dt.datetime, now: dt.datetime
) -> bool:
    """True when a place can be taken ``now``: free or lapsed, and its window has not ended."""
    open_now = state is SlotState.FREE or (state is SlotState.HELD and is_lapsed(until, now))
    return open_now and ends_at > now


def last_bookable_day(now: dt.datetime, days: int = BOOKING_DAYS) -> dt.date:
    """The furthest day open for booking; a further day opens each morning at 07:00."""
    wall = local(now)
    ahead = days if wall.time() >= BOOKING_OPENS else days - 1
    return wall.date() + dt.timedelta(days=ahead)


def is_day_bookable(day: dt.date, now: dt.datetime, days: int = BOOKING_DAYS) -> bool:
    """True from today to the end of the booking window."""
    return local(now).date() <= day <= last_bookable_day(now, days)


def check_bookable(
    day: dt.date, status: ScheduleStatus, now: dt.datetime, days: int = BOOKING_DAYS
) -> None:
    """Raise BookingClosed outside the booking window, ScheduleStopped for a session that is off."""
    if not is_day_bookable(day, now, days):
        raise BookingClosed(day=day.isoformat())
    if status is not ScheduleStatus.OPEN:
        raise ScheduleStopped


def check_cancellable(
    state: AppointmentState,
    day: dt.date,
    created_at: dt.datetime,
    now: dt.datetime,
    *,
    by_patient: bool,
) -> None:
    """Raise unless the appointment may be given back ``now``.

    Staff may until the visit is over. A patient may give back an unpaid hold at any time, a place
    booked ahead until 17:00 the day before, and one booked on the day itself until called (which
    the caller knows).
    """
    if state not in ACTIVE:
        raise WrongAppointmentState(state=state.value)
    if not by_patient or state is AppointmentState.HELD:
        return
    booked_on_the_day = local(created_at).date() == day
    cut_off = at_local(day - dt.timedelta(days=1), CANCEL_CUT_OFF)
    if now >= cut_off and not booked_on_the_day:
        raise CancelTooLate
    if local(now).date() > day:
        raise CancelTooLate


def can_check_in(state: AppointmentState, day: dt.date, now: dt.datetime) -> bool:
    """True when a paid appointment is for the business day that contains ``now``."""
    return state is AppointmentState.BOOKED and day == local(now).date()
