"""Which weekday's template a day runs: 调休, leap day, and the official notices the program knows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest

from backend.scheduling import rules
from backend.scheduling.rules import CalendarEntry, DayKind

WORKDAY, HOLIDAY = DayKind.WORKDAY, DayKind.HOLIDAY


@dataclass(frozen=True)
class Entry:
    weekday: int
    effective_from: dt.date = dt.date(2020, 1, 1)
    effective_until: dt.date | None = None


WEEK = [Entry(weekday) for weekday in range(1, 8)]


def days(entries: list[Entry], first: dt.date, last: dt.date, calendar: dict[dt.date, int | None]):  # type: ignore[no-untyped-def]
    planned = rules.planned_sessions(entries, first, last, calendar)
    return [(day, entry.weekday) for day, entry in planned]


def test_a_worked_saturday_runs_the_weekday_it_makes_up_for() -> None:
    saturday = dt.date(2026, 2, 14)
    found = days([Entry(5), Entry(6)], saturday, saturday, {saturday: 5})
    assert found == [(saturday, 5)]


def test_a_holiday_holds_no_clinic_unless_it_is_given_a_template() -> None:
    first, last = dt.date(2026, 10, 1), dt.date(2026, 10, 2)
    assert days(WEEK, first, last, {first: None, last: 7}) == [(last, 7)]


def test_days_the_calendar_does_not_name_run_their_own_weekday() -> None:
    monday = dt.date(2026, 11, 23)
    assert days(WEEK, monday, monday + dt.timedelta(6), {}) == [
        (monday + dt.timedelta(n), n + 1) for n in range(7)
    ]


def test_the_leap_day_is_a_day_like_any_other() -> None:
    leap = dt.date(2028, 2, 29)  # a Tuesday
    found = days([Entry(2)], dt.date(2028, 2, 28), dt.date(2028, 3, 1), {})
    assert found == [(leap, 2)]
    # In the year before there is none, and nothing is planned twice around it.
    assert days([Entry(7)], dt.date(2027, 2, 28), dt.date(2027, 3, 1), {}) == [
        (dt.date(2027, 2, 28), 7)
    ]


def test_an_entry_that_ended_does_not_come_back_on_a_worked_saturday() -> None:
    saturday = dt.date(2026, 2, 14)
    ended = Entry(5, effective_until=dt.date(2026, 2, 13))
    begins = Entry(5, effective_from=saturday)
    assert days([ended], saturday, saturday, {saturday: 5}) == []
    assert days([ended, begins], saturday, saturday, {saturday: 5}) == [(saturday, 5)]


@pytest.mark.parametrize(
    ("day", "name", "weekday"),
    [
        # 2026: Monday 23 February and Friday 20 February are the days off in exchange.
        ("2026-02-14", "春节", 5),
        ("2026-02-28", "春节", 1),
        ("2026-05-09", "劳动节", 2),
        ("2026-01-04", "元旦", 5),
        ("2025-09-28", "国庆节", 2),
    ],
)
def test_the_published_notice_says_what_each_working_weekend_makes_up_for(
    day: str, name: str, weekday: int
) -> None:
    wanted = dt.date.fromisoformat(day)
    found = {entry.day: entry for entry in rules.published_notice(wanted.year)}
    assert found[wanted] == CalendarEntry(wanted, WORKDAY, name, weekday)


def test_every_published_notice_is_sound() -> None:
    for year in rules.published_years():
        for entry in rules.published_notice(year):
            assert entry.day.year == year
            if entry.kind is WORKDAY:
                assert entry.day.isoweekday() > 5, entry
                assert entry.template_weekday in range(1, 6), entry
            else:
                assert entry.template_weekday is None, entry


def test_a_year_nobody_has_published_is_empty() -> None:
    assert rules.published_notice(2099) == ()
