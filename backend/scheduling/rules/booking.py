"""When a place can be taken, kept, given back and used."""

from __future__ import annotations

import datetime as dt

from backend.kernel.clock import at_local, local
from backend.scheduling.errors import CancelTooLate, WrongAppointmentState
from backend.scheduling.rules.policy import DEFAULT_POLICY, BookingPolicy
from backend.scheduling.rules.states import ACTIVE, AppointmentState, Channel, SlotState


def hold_until(now: dt.datetime, policy: BookingPolicy = DEFAULT_POLICY) -> dt.datetime:
    """The moment from which an unpaid place taken ``now`` is free again."""
    return now + policy.hold


def is_lapsed(until: dt.datetime | None, now: dt.datetime) -> bool:
    """True once a hold has ended: at ``until`` itself the place is already free."""
    return until is not None and until <= now


def is_claimable(
    state: SlotState, until: dt.datetime | None, ends_at: dt.datetime, now: dt.datetime
) -> bool:
    """True when a place can be taken ``now``: free or lapsed, and its window has not ended."""
    open_now = state is SlotState.FREE or (state is SlotState.HELD and is_lapsed(until, now))
    return open_now and ends_at > now


def last_bookable_day(now: dt.datetime, policy: BookingPolicy = DEFAULT_POLICY) -> dt.date:
    """The furthest day open for booking; a further day opens each morning at the opening time."""
    wall = local(now)
    is_open = wall.time() >= policy.booking_opens
    return wall.date() + dt.timedelta(days=policy.booking_days - (not is_open))


def is_day_bookable(day: dt.date, now: dt.datetime, policy: BookingPolicy = DEFAULT_POLICY) -> bool:
    """True from today to the end of the booking window."""
    return local(now).date() <= day <= last_bookable_day(now, policy)


def is_day_open(
    day: dt.date, channel: Channel | None, now: dt.datetime, policy: BookingPolicy = DEFAULT_POLICY
) -> bool:
    """True when ``channel`` (None = any) may book a session of ``day``: in the window, and today where it may."""
    is_today = local(now).date() == day
    return is_day_bookable(day, now, policy) and (
        not is_today or channel is None or channel in policy.same_day_channels
    )


def check_cancellable(
    state: AppointmentState,
    day: dt.date,
    created_at: dt.datetime,
    now: dt.datetime,
    *,
    by_patient: bool,
    policy: BookingPolicy = DEFAULT_POLICY,
) -> None:
    """Raise unless the appointment may be given back ``now``.

    Staff may until the visit is over. A patient may give back an unpaid hold at any time, a place
    booked ahead until the policy's cut-off (17:00 the day before), and one booked on the day itself
    until called (which the caller knows).
    """
    if state not in ACTIVE:
        raise WrongAppointmentState(state=state.value)
    if not by_patient or state is AppointmentState.HELD:
        return
    booked_on_the_day = policy.same_day_cancel and local(created_at).date() == day
    cut_off = at_local(day - dt.timedelta(days=policy.cancel_days), policy.cancel_until)
    if now >= cut_off and not booked_on_the_day:
        raise CancelTooLate
    if local(now).date() > day:
        raise CancelTooLate


def can_check_in(state: AppointmentState, day: dt.date, now: dt.datetime) -> bool:
    """True when a paid appointment is for the business day that contains ``now``."""
    return state is AppointmentState.BOOKED and day == local(now).date()
