"""Time: UTC inside, Asia/Shanghai for everything a person or a business rule calls a day."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = dt.time(12, 0)
EVENING_BEGINS = dt.time(17, 30)


class HalfDay(StrEnum):
    """The parts of a clinic day (上午 / 下午 / 晚间)."""

    AM = "am"
    PM = "pm"
    EVENING = "evening"


class Clock(Protocol):
    """Where the time comes from; passed in, so that tests and drills can set it."""

    def now(self) -> dt.datetime:
        """The present moment, aware, in UTC."""
        ...


def utc_now() -> dt.datetime:
    """The present by the machine's clock."""
    return dt.datetime.now(dt.UTC)


class SystemClock:
    """The machine's clock."""

    def now(self) -> dt.datetime:
        return utc_now()


class FixedClock:
    """A clock that stands still until it is moved. ``at`` must be aware."""

    def __init__(self, at: dt.datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._now = at.astimezone(dt.UTC)

    def now(self) -> dt.datetime:
        return self._now

    def advance(self, step: dt.timedelta) -> None:
        """Move by ``step``, forwards or (for a clock that jumps) backwards."""
        self._now += step

    def set(self, at: dt.datetime) -> None:
        """Jump to ``at`` (aware)."""
        self._now = at.astimezone(dt.UTC)


def local(moment: dt.datetime) -> dt.datetime:
    """``moment`` on the wall clock of the hospital."""
    return moment.astimezone(SHANGHAI)


def business_date(moment: dt.datetime) -> dt.date:
    """The hospital's calendar day that contains ``moment``."""
    return local(moment).date()


def half_day(moment: dt.datetime) -> HalfDay:
    """The half-day of ``moment``: morning until noon, evening from 17:30."""
    wall = local(moment).time()
    if wall < NOON:
        return HalfDay.AM
    return HalfDay.PM if wall < EVENING_BEGINS else HalfDay.EVENING


def at_local(day: dt.date, wall: dt.time) -> dt.datetime:
    """The UTC moment at which the hospital's clock shows ``wall`` on ``day``."""
    return dt.datetime.combine(day, wall, tzinfo=SHANGHAI).astimezone(dt.UTC)


def day_bounds(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The half-open UTC interval that is the business date ``day``."""
    return at_local(day, dt.time.min), at_local(day + dt.timedelta(days=1), dt.time.min)


def age_on(birth_date: dt.date, day: dt.date) -> int:
    """Whole years of age on ``day``."""
    before = (day.month, day.day) < (birth_date.month, birth_date.day)
    return day.year - birth_date.year - before
