"""Days, half-days and ages on the hospital's wall clock, whatever UTC says."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel.clock import (
    SHANGHAI,
    FixedClock,
    HalfDay,
    SystemClock,
    age_on,
    at_local,
    business_date,
    day_bounds,
    half_day,
)

DAY = dt.date(2026, 11, 23)


def shanghai(hour: int, minute: int = 0, second: int = 0) -> dt.datetime:
    return dt.datetime(2026, 11, 23, hour, minute, second, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (dt.datetime(2026, 11, 22, 15, 59, 59, tzinfo=dt.UTC), dt.date(2026, 11, 22)),
        (dt.datetime(2026, 11, 22, 16, 0, 0, tzinfo=dt.UTC), DAY),
        (shanghai(0), DAY),
        (shanghai(23, 59, 59), DAY),
        (dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC), dt.date(2027, 1, 1)),
    ],
)
def test_the_day_turns_at_midnight_in_shanghai(moment: dt.datetime, day: dt.date) -> None:
    assert business_date(moment) == day


@pytest.mark.parametrize(
    ("moment", "half"),
    [
        (shanghai(0), HalfDay.AM),
        (shanghai(11, 59, 59), HalfDay.AM),
        (shanghai(12), HalfDay.PM),
        (shanghai(17, 29, 59), HalfDay.PM),
        (shanghai(17, 30), HalfDay.EVENING),
        (shanghai(23, 59), HalfDay.EVENING),
        (dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC), HalfDay.PM),
    ],
)
def test_half_days(moment: dt.datetime, half: HalfDay) -> None:
    assert half_day(moment) is half


def test_a_day_is_its_half_open_interval() -> None:
    first, end = day_bounds(DAY)
    assert business_date(first) == DAY
    assert business_date(end - dt.timedelta(microseconds=1)) == DAY
    assert business_date(end) == DAY + dt.timedelta(days=1)
    assert end - first == dt.timedelta(hours=24)


@given(seconds=st.integers(0, 10**10))
def test_every_moment_lies_in_the_bounds_of_its_day(seconds: int) -> None:
    moment = dt.datetime(1992, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds / 7)
    first, end = day_bounds(business_date(moment))
    assert first <= moment < end


def test_wall_times_become_utc() -> None:
    assert at_local(DAY, dt.time(8, 30)) == dt.datetime(2026, 11, 23, 0, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (dt.date(1960, 11, 23), DAY, 66),
        (dt.date(1960, 11, 24), DAY, 65),
        (dt.date(2026, 11, 23), DAY, 0),
        (dt.date(2024, 2, 29), dt.date(2025, 2, 28), 0),
        (dt.date(2024, 2, 29), dt.date(2025, 3, 1), 1),
    ],
)
def test_ages(birth: dt.date, day: dt.date, age: int) -> None:
    assert age_on(birth, day) == age


def test_a_fixed_clock_stands_until_it_is_moved() -> None:
    clock = FixedClock(shanghai(8, 30))
    assert clock.now() == clock.now() == dt.datetime(2026, 11, 23, 0, 30, tzinfo=dt.UTC)
    clock.advance(dt.timedelta(minutes=-5))
    assert clock.now() == dt.datetime(2026, 11, 23, 0, 25, tzinfo=dt.UTC)
    clock.set(shanghai(20))
    assert clock.now() == dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


def test_clocks_are_aware() -> None:
    assert SystemClock().now().utcoffset() == dt.timedelta(0)
    with pytest.raises(ValueError, match="aware"):
        FixedClock(dt.datetime(2026, 11, 23))  # noqa: DTZ001 - what is refused
