"""The hospital's calendar: public holidays, working weekends (调休), and which weekday's template a day runs.

The State Council's yearly notice names days off and weekend days that are worked instead. A day on the
calendar runs the template of ``template_weekday``, or holds no clinic when that is None; every other day
runs its own weekday's template.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from chinese_calendar import Holiday
from chinese_calendar import constants as published
from flask_babel import lazy_gettext as _

SATURDAY = 6
#: Days of other years are a slip of the finger; dates reckoned from these stay dates.
YEARS = range(2000, 2100)


class DayKind(StrEnum):
    """What the notice says of a day."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"


DAY_KIND_WORDS = {DayKind.HOLIDAY: _("休"), DayKind.WORKDAY: _("班")}


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One day the notice names. ``template_weekday`` 1 (Monday) to 7; None = no clinic."""

    day: dt.date
    kind: DayKind
    name: str
    template_weekday: int | None = None


def template_weekday(day: dt.date, calendar: Mapping[dt.date, int | None]) -> int | None:
    """Which weekday's template ``day`` runs; None = none."""
    return calendar[day] if day in calendar else day.isoweekday()


def usual_stand_in(day: dt.date) -> int:
    """Where nobody says which day a working weekend day makes up for: a Saturday for Friday, a Sunday for Monday."""
    return 5 if day.isoweekday() == SATURDAY else 1


def with_stand_ins(
    entries: Iterable[CalendarEntry], days_in_lieu: Iterable[tuple[dt.date, str]] = ()
) -> list[CalendarEntry]:
    """Working days without a weekday get the one they make up for, by day.

    ``days_in_lieu`` are the days off given in exchange, with the festival's name: the first working day of a
    festival stands for its first such day, and so on. A working day left over gets ``usual_stand_in``.
    """
    waiting: dict[str, list[dt.date]] = {}
    for day, name in sorted(days_in_lieu):
        waiting.setdefault(name, []).append(day)
    found = []
    for entry in sorted(entries, key=lambda entry: entry.day):
        if entry.kind is DayKind.WORKDAY and entry.template_weekday is None:
            exchanged = waiting.get(entry.name)
            weekday = exchanged.pop(0).isoweekday() if exchanged else usual_stand_in(entry.day)
            found.append(replace(entry, template_weekday=weekday))
        else:
            found.append(entry)
    return found


def published_years() -> Sequence[int]:
    """The years whose notice the installed library knows, oldest first."""
    return sorted({day.year for day in published.holidays})


@lru_cache(maxsize=4)
def published_notice(year: int) -> tuple[CalendarEntry, ...]:
    """The official notice of ``year`` as the library has it, by day; empty when it does not know the year."""
    words = {holiday.value: holiday.chinese for holiday in Holiday}
    entries = [
        CalendarEntry(day, kind, words[name])
        for kind, days in (
            (DayKind.HOLIDAY, published.holidays),
            (DayKind.WORKDAY, published.workdays),
        )
        for day, name in days.items()
        if day.year == year
    ]
    in_lieu = ((day, words[name]) for day, name in published.in_lieu_days.items())
    return tuple(with_stand_ins(entries, [p for p in in_lieu if _belongs_to(p, entries)]))


def _belongs_to(pair: tuple[dt.date, str], entries: Iterable[CalendarEntry]) -> bool:
    """A day in lieu is near a working day of its festival; New Year's may lie beyond the turn of the year."""
    day, name = pair
    return any(
        entry.kind is DayKind.WORKDAY and entry.name == name and abs((entry.day - day).days) <= 31
        for entry in entries
    )
