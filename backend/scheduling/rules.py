"""The rules of the pool: arrival windows, booking and cancelling times, when a hold lapses.

Pure functions over plain values; the time and every limit are arguments.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from flask_babel import lazy_gettext as _

from backend.kernel.clock import HalfDay, at_local, local
from backend.scheduling.errors import (
    BookingClosed,
    CancelTooLate,
    PeriodInvalid,
    ScheduleStopped,
    TemplateInvalid,
    WrongAppointmentState,
)

#: How long an unpaid place is kept.
HOLD = dt.timedelta(minutes=15)
#: The longest arrival window the state's indicator accepts (分时段预约精确到 30 分钟以内).
WINDOW = dt.timedelta(minutes=30)
#: How many days ahead places can be booked, and when each further day opens.
BOOKING_DAYS = 14
BOOKING_OPENS = dt.time(7, 0)
#: A patient may cancel until this time on the day before the visit.
CANCEL_CUT_OFF = dt.time(17, 0)
#: The longest period one command generates.
GENERATE_DAYS = 31

#: When each half-day begins unless the template says otherwise, and when it must have ended, in
#: minutes from midnight.
SESSION_MINUTES: dict[HalfDay, tuple[int, int]] = {
    HalfDay.AM: (8 * 60, 12 * 60),
    HalfDay.PM: (13 * 60 + 30, 17 * 60 + 30),
    HalfDay.EVENING: (18 * 60, 24 * 60),
}


class VisitType(StrEnum):
    """What kind of visit a schedule offers (号别)."""

    GENERAL = "general"
    ASSOCIATE_CHIEF = "associate_chief"
    CHIEF = "chief"
    SPECIAL = "special"
    EXAMINATION = "examination"


class ScheduleStatus(StrEnum):
    """Whether the session takes place."""

    OPEN = "open"
    STOPPED = "stopped"


class SlotState(StrEnum):
    """Where a place stands. ``held`` with a lapsed ``hold_until`` is as good as free."""

    FREE = "free"
    HELD = "held"
    BOOKED = "booked"


class AppointmentState(StrEnum):
    """Where a patient's claim on a place stands."""

    HELD = "held"
    BOOKED = "booked"
    CHECKED_IN = "checked_in"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no_show"


class SlotEventKind(StrEnum):
    """What can happen in the life of a place."""

    GENERATED = "generated"
    HELD = "held"
    RELEASED = "released"
    EXPIRED = "expired"
    BOOKED = "booked"
    CANCELLED = "cancelled"
    FULFILLED = "fulfilled"


class Channel(StrEnum):
    """Where a booking comes from; all draw on one pool."""

    COUNTER = "counter"
    IN_CLINIC = "in_clinic"
    KIOSK = "kiosk"
    MINIPROGRAM = "miniprogram"
    PARTNER = "partner"
    WECHAT = "wechat"


VISIT_TYPE_WORDS = {
    VisitType.GENERAL: _("普通门诊"),
    VisitType.ASSOCIATE_CHIEF: _("副主任医师门诊"),
    VisitType.CHIEF: _("主任医师门诊"),
    VisitType.SPECIAL: _("特需门诊"),
    VisitType.EXAMINATION: _("检查"),
}
HALF_DAY_WORDS = {HalfDay.AM: _("上午"), HalfDay.PM: _("下午"), HalfDay.EVENING: _("晚间")}
STATE_WORDS = {
    AppointmentState.HELD: _("待支付"),
    AppointmentState.BOOKED: _("已挂号"),
    AppointmentState.CHECKED_IN: _("已报到"),
    AppointmentState.FULFILLED: _("已就诊"),
    AppointmentState.CANCELLED: _("已退号"),
    AppointmentState.EXPIRED: _("未支付，已失效"),
    AppointmentState.NO_SHOW: _("未到诊"),
}

#: Appointments that occupy their place: at most one of these per slot.
OCCUPYING = frozenset(AppointmentState) - {AppointmentState.CANCELLED, AppointmentState.EXPIRED}
#: Appointments still ahead of the patient: at most one per practitioner and half-day.
ACTIVE = frozenset({AppointmentState.HELD, AppointmentState.BOOKED, AppointmentState.CHECKED_IN})


@dataclass(frozen=True, slots=True)
class Window:
    """Place ``number`` (from 1) and its UTC arrival window ``[starts_at, ends_at)``."""

    number: int
    starts_at: dt.datetime
    ends_at: dt.datetime


def first_minute(half_day: HalfDay, starts_minute: int | None = None) -> int:
    """The minute of the day a session begins: its own, or the usual one of its half-day."""
    return SESSION_MINUTES[half_day][0] if starts_minute is None else starts_minute


def check_template(
    half_day: HalfDay, capacity: int, slot_minutes: int, starts_minute: int | None = None
) -> None:
    """Raise TemplateInvalid unless ``capacity`` visits of ``slot_minutes`` fit the half-day."""
    begin = first_minute(half_day, starts_minute)
    earliest, latest = SESSION_MINUTES[half_day]
    if half_day is HalfDay.AM:
        earliest = 0
    if capacity < 1 or slot_minutes < 1:
        raise TemplateInvalid(capacity=capacity, slot_minutes=slot_minutes)
    if begin < earliest or begin + capacity * slot_minutes > latest:
        raise TemplateInvalid(half_day=half_day.value, capacity=capacity, slot_minutes=slot_minutes)


def slot_windows(
    day: dt.date,
    half_day: HalfDay,
    capacity: int,
    slot_minutes: int,
    starts_minute: int | None = None,
) -> list[Window]:
    """The places of one session: visit *n* is due at ``begin + (n-1) * slot_minutes``.

    Patients are told the half hour (counted from the session's begin) that visit falls into, so
    that windows read "09:30–10:00" and are never longer than the 30 minutes the national indicator
    for timed booking asks for. Raises TemplateInvalid when the session does not fit.
    """
    check_template(half_day, capacity, slot_minutes, starts_minute)
    begin = first_minute(half_day, starts_minute)
    midnight = at_local(day, dt.time.min)
    session_end = midnight + dt.timedelta(minutes=SESSION_MINUTES[half_day][1])
    step = int(WINDOW.total_seconds()) // 60
    windows = []
    for index in range(capacity):
        opens = midnight + dt.timedelta(minutes=begin + index * slot_minutes // step * step)
        windows.append(Window(index + 1, opens, min(opens + WINDOW, session_end)))
    return windows


class WeeklyEntry(Protocol):
    """What planning needs to know of a template entry."""

    @property
    def weekday(self) -> int:
        """1 (Monday) to 7."""
        ...

    @property
    def effective_from(self) -> dt.date:
        """The first day the entry holds."""
        ...

    @property
    def effective_until(self) -> dt.date | None:
        """The last day the entry holds; None = open."""
        ...


EntryT = TypeVar("EntryT", bound=WeeklyEntry)


def check_period(first: dt.date, last: dt.date) -> None:
    """Raise PeriodInvalid unless ``first <= last`` and both lie within 31 days."""
    if not 0 <= (last - first).days < GENERATE_DAYS:
        raise PeriodInvalid(first=first.isoformat(), last=last.isoformat())


def planned_sessions(
    entries: Iterable[EntryT], first: dt.date, last: dt.date
) -> Iterator[tuple[dt.date, EntryT]]:
    """Every session the template asks for from ``first`` to ``last`` inclusive, day by day."""
    kept = list(entries)
    for offset in range((last - first).days + 1):
        day = first + dt.timedelta(days=offset)
        for entry in kept:
            ends = entry.effective_until
            if (
                entry.weekday == day.isoweekday()
                and entry.effective_from <= day
                and (ends is None or day <= ends)
            ):
                yield day, entry


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
