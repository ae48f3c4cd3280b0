"""Sessions from the weekly template: which days, which windows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from backend.kernel.clock import HalfDay, at_local
from backend.scheduling.errors import (
    PeriodInvalid,
    TemplateInvalid,
)
from backend.scheduling.rules.calendar import template_weekday

#: The longest arrival window the state's indicator accepts (分时段预约精确到 30 分钟以内).
WINDOW = dt.timedelta(minutes=30)


#: The longest period one command generates.
GENERATE_DAYS = 31


#: When each half-day begins unless the template says otherwise, and when it must have ended, in
#: minutes from midnight.
SESSION_MINUTES: dict[HalfDay, tuple[int, int]] = {
    HalfDay.AM: (8 * 60, 12 * 60),
    HalfDay.PM: (13 * 60 + 30, 17 * 60 + 30),
    HalfDay.EVENING: (18 * 60, 24 * 60),
}


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


def check_performer(practitioner_id: object, device_id: object, slot_minutes: int) -> None:
    """Raise TemplateInvalid unless the session is exactly one's; a device's places keep to the 30-minute window."""
    if (practitioner_id is None) == (device_id is None):
        raise TemplateInvalid(performer="one of practitioner and device")
    if device_id is not None and slot_minutes > WINDOW // dt.timedelta(minutes=1):
        raise TemplateInvalid(slot_minutes=slot_minutes)


#: More would be a slip of the finger.
MOST_PLACES = 200
LONGEST_SLOT = 120


def entry_faults(
    half_day: HalfDay, capacity: int, slot_minutes: int, starts_minute: int | None
) -> dict[str, object]:
    """What is wrong with a session's size, by field; empty when ``check_template`` would accept it."""
    faults: dict[str, object] = {}
    if not 1 <= capacity <= MOST_PLACES:
        faults["capacity"] = TemplateInvalid.capacity_words
    if not 1 <= slot_minutes <= LONGEST_SLOT:
        faults["slot_minutes"] = TemplateInvalid.minutes_words
    earliest, latest = SESSION_MINUTES[half_day]
    begin = first_minute(half_day, starts_minute)
    if not (0 if half_day is HalfDay.AM else earliest) <= begin < latest:
        faults["begins"] = TemplateInvalid.begins_words
    if not faults and begin + capacity * slot_minutes > latest:
        faults["capacity"] = TemplateInvalid.too_long_words
    return faults


def slot_windows(
    day: dt.date,
    half_day: HalfDay,
    capacity: int,
    slot_minutes: int,
    starts_minute: int | None = None,
    *,
    is_exact: bool = False,
) -> list[Window]:
    """The places of one session: visit *n* is due at ``begin + (n-1) * slot_minutes``.

    ``is_exact``: a device's place lasts exactly as long as its slot, because one examination may take
    several consecutive ones, and plans reckon with when it ends.

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
    if is_exact:
        step = slot_minutes
    for index in range(capacity):
        opens = midnight + dt.timedelta(minutes=begin + index * slot_minutes // step * step)
        length = dt.timedelta(minutes=step)
        windows.append(Window(index + 1, opens, min(opens + length, session_end)))
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


def is_in_force(entry: WeeklyEntry, day: dt.date) -> bool:
    """True when the entry holds on ``day``, whatever weekday that is."""
    ends = entry.effective_until
    return entry.effective_from <= day and (ends is None or day <= ends)


def planned_sessions(
    entries: Iterable[EntryT],
    first: dt.date,
    last: dt.date,
    calendar: Mapping[dt.date, int | None] | None = None,
) -> Iterator[tuple[dt.date, EntryT]]:
    """Every session the template asks for from ``first`` to ``last`` inclusive, day by day.

    ``calendar`` names the days that run another weekday's template, or (None) hold no clinic.
    """
    kept = list(entries)
    for offset in range((last - first).days + 1):
        day = first + dt.timedelta(days=offset)
        weekday = template_weekday(day, calendar or {})
        for entry in kept:
            if entry.weekday == weekday and is_in_force(entry, day):
                yield day, entry
