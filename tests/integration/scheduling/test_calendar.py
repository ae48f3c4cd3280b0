"""The calendar decides what is generated, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.kernel.clock import FixedClock, local
from backend.kernel.errors import Forbidden, StaleVersion
from backend.kernel.permissions import Actor, ActorKind, Permission
from backend.kernel.uow import Database
from backend.scheduling import queries, service, tasks
from backend.scheduling.errors import (
    CalendarDayInvalid,
    CalendarDayUnknown,
    CalendarYearUnknown,
)
from backend.scheduling.rules import CalendarEntry, DayKind
from tests.factories.clinic import MONDAY, Clinic, make_clinic
from tests.factories.databases import SYSTEM

MANAGE = Permission.SCHEDULING_SCHEDULE_MANAGE
SATURDAY = MONDAY + dt.timedelta(days=5)


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return make_clinic(database)


def put(database: Database, clinic: Clinic, day: dt.date, weekday: int | None) -> None:
    kind = DayKind.WORKDAY if weekday else DayKind.HOLIDAY
    with database.write(SYSTEM) as session:
        service.set_calendar_day(
            session,
            hospital_id=clinic.hospital_id,
            day=day,
            kind=kind,
            name="院庆",
            template_weekday=weekday,
        )


def generated(database: Database, clinic: Clinic, first: dt.date, last: dt.date) -> list[dt.date]:
    with database.write(SYSTEM, housekeeping=True) as session:
        service.generate_schedules(session, hospital_id=clinic.hospital_id, first=first, last=last)
    with database.read(SYSTEM) as session:
        found = queries.list_schedules(
            session, hospital_id=clinic.hospital_id, first=first, last=last
        )
    return sorted({view.business_date for view in found})


def test_a_holiday_is_left_out_and_a_worked_saturday_runs_its_monday(
    database: Database, clinic: Clinic
) -> None:
    put(database, clinic, MONDAY, None)
    put(database, clinic, SATURDAY, 1)
    following = MONDAY + dt.timedelta(days=7)
    assert generated(database, clinic, MONDAY, following) == [SATURDAY, following]
    with database.read(SYSTEM) as session:
        view = queries.list_schedules(
            session, hospital_id=clinic.hospital_id, first=SATURDAY, last=SATURDAY
        )[0]
    # The places lie on the Saturday itself.
    assert local(view.first_starts_at).date() == SATURDAY


def test_a_holiday_may_be_taken_back(database: Database, clinic: Clinic) -> None:
    put(database, clinic, MONDAY, None)
    assert generated(database, clinic, MONDAY, MONDAY) == []
    with database.write(SYSTEM) as session:
        service.remove_calendar_day(session, hospital_id=clinic.hospital_id, day=MONDAY)
    assert generated(database, clinic, MONDAY, MONDAY) == [MONDAY]
    with database.write(SYSTEM) as session, pytest.raises(CalendarDayUnknown):
        service.remove_calendar_day(session, hospital_id=clinic.hospital_id, day=MONDAY)


def test_another_hospitals_holiday_is_not_ours(database: Database, clinic: Clinic) -> None:
    other = make_clinic(database, code="H2", patients=0)
    put(database, other, MONDAY, None)
    assert generated(database, clinic, MONDAY, MONDAY) == [MONDAY]


def test_the_official_year_is_taken_over_once(database: Database, clinic: Clinic) -> None:
    with database.write(SYSTEM) as session:
        changed = service.import_published_year(session, hospital_id=clinic.hospital_id, year=2026)
    assert changed == 39
    with database.write(SYSTEM) as session:
        again = service.import_published_year(session, hospital_id=clinic.hospital_id, year=2026)
        assert again == 0
    with database.read(SYSTEM) as session:
        found = queries.calendar_map(
            session,
            hospital_id=clinic.hospital_id,
            first=dt.date(2026, 2, 14),
            last=dt.date(2026, 2, 15),
        )
    assert found == {dt.date(2026, 2, 14): 5, dt.date(2026, 2, 15): None}
    with database.write(SYSTEM) as session, pytest.raises(CalendarYearUnknown):
        service.import_published_year(session, hospital_id=clinic.hospital_id, year=2099)


def test_a_notice_is_compared_with_what_stands_and_what_was_made(
    database: Database, clinic: Clinic
) -> None:
    generated(database, clinic, MONDAY, MONDAY)
    with database.read(SYSTEM) as session:
        schedule = queries.list_schedules(
            session, hospital_id=clinic.hospital_id, first=MONDAY, last=MONDAY
        )[0]
    with database.write(SYSTEM) as session:
        service.hold_slot(
            session,
            patient_id=clinic.patient_ids[0],
            schedule_id=schedule.schedule_id,
            channel="kiosk",
        )
    put(database, clinic, SATURDAY, 1)
    notice = [
        CalendarEntry(MONDAY, DayKind.HOLIDAY, "院庆"),
        CalendarEntry(SATURDAY, DayKind.WORKDAY, "院庆", 1),
    ]
    with database.read(SYSTEM) as session:
        monday, saturday = queries.compare_notice(
            session, hospital_id=clinic.hospital_id, entries=notice
        )
    assert (monday.is_new, monday.made.sessions, monday.made.visits) == (True, 2, 1)
    assert (saturday.is_new, saturday.is_same) == (False, True)


def test_a_form_opened_before_the_last_change_is_refused(
    database: Database, clinic: Clinic
) -> None:
    put(database, clinic, MONDAY, None)
    put(database, clinic, MONDAY, 3)
    with database.write(SYSTEM) as session, pytest.raises(StaleVersion):
        service.set_calendar_day(
            session,
            hospital_id=clinic.hospital_id,
            day=MONDAY,
            kind=DayKind.HOLIDAY,
            name="院庆",
            template_weekday=None,
            version=1,
        )


@pytest.mark.parametrize(("name", "weekday"), [("", None), ("长" * 41, None), ("院庆", 8)])
def test_a_senseless_day_is_refused(
    database: Database, clinic: Clinic, name: str, weekday: int | None
) -> None:
    with database.write(SYSTEM) as session, pytest.raises(CalendarDayInvalid):
        service.set_calendar_day(
            session,
            hospital_id=clinic.hospital_id,
            day=MONDAY,
            kind=DayKind.HOLIDAY,
            name=name,
            template_weekday=weekday,
        )


def test_the_scheduler_of_one_department_does_not_change_the_hospitals_calendar(
    database: Database, clinic: Clinic
) -> None:
    bound = Actor(
        ActorKind.STAFF,
        hospital_id=clinic.hospital_id,
        label="T1",
        grants={MANAGE: frozenset({clinic.department_id})},
    )
    with database.write(bound) as session, pytest.raises(Forbidden):
        service.import_published_year(session, hospital_id=clinic.hospital_id, year=2026)


def test_around_midnight_the_window_fills_by_the_hospitals_day(
    database: Database, clinic: Clinic, clock: FixedClock
) -> None:
    """At 23:59 on Sunday in Shanghai (UTC: still Sunday afternoon) Monday is ahead, at 00:01 it is today."""
    put(database, clinic, MONDAY + dt.timedelta(days=14), None)
    clock.set(dt.datetime(2026, 11, 22, 15, 59, tzinfo=dt.UTC))
    tasks.generate_ahead(database)
    clock.set(dt.datetime(2026, 11, 22, 16, 1, tzinfo=dt.UTC))
    tasks.generate_ahead(database)
    # Before 07:00 the 14th day is not open yet; the holiday on it is not generated when it opens.
    clock.set(dt.datetime(2026, 11, 22, 23, 0, tzinfo=dt.UTC))
    tasks.generate_ahead(database)
    days = generated(database, clinic, MONDAY, MONDAY + dt.timedelta(days=20))
    assert days == [MONDAY, MONDAY + dt.timedelta(days=7)]
