"""What the read side answers, and with how many queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from backend.kernel.clock import FixedClock, local
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.scheduling import queries, rules, service
from backend.scheduling.models import Schedule
from backend.scheduling.rules import AppointmentState, Channel, ScheduleStatus
from tests.factories.clinic import FEE_FEN, MONDAY, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statement = str(arguments[2])
        if statement.startswith("SELECT"):
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return make_clinic(database, practitioners=6)


@pytest.fixture
def schedule_ids(database: Database, clinic: Clinic) -> list[Id]:
    return open_schedules(database, clinic)


def book(database: Database, patient_id: Id, schedule_id: Id) -> Id:
    with database.write(SYSTEM) as session:
        held = service.hold_slot(
            session, patient_id=patient_id, schedule_id=schedule_id, channel=Channel.KIOSK
        )
        return service.confirm_appointment(session, held.id).id


def test_bookable_sessions_in_two_queries(
    database: Database, clinic: Clinic, schedule_ids: list[Id]
) -> None:
    book(database, clinic.patient_ids[0], schedule_ids[0])
    with counted(database) as statements, database.read(SYSTEM) as session:
        views = queries.list_bookable(
            session, hospital_id=clinic.hospital_id, day=MONDAY, department_id=clinic.department_id
        )
    assert len(statements) == 2
    assert len(views) == 6
    view = next(view for view in views if view.schedule_id == schedule_ids[0])
    assert (view.total_count, view.free_count) == (4, 2)
    assert view.fee_fen == FEE_FEN
    assert (view.department_name, view.room_name) == ("乳腺外科", "一诊室")
    assert (view.visit_type_words, view.half_day_words) == ("主任医师门诊", "上午")
    assert local(view.first_starts_at).strftime("%H:%M") == "08:00"
    assert local(view.last_ends_at).strftime("%H:%M") == "10:00"
    assert view.next_starts_at is not None
    assert local(view.next_starts_at).strftime("%H:%M") == "09:00"


def test_a_lapsed_hold_counts_as_free(
    database: Database, clinic: Clinic, schedule_ids: list[Id], clock: FixedClock
) -> None:
    with database.write(SYSTEM) as session:
        service.hold_slot(
            session,
            patient_id=clinic.patient_ids[0],
            schedule_id=schedule_ids[0],
            channel=Channel.KIOSK,
        )

    def free() -> int:
        with database.read(SYSTEM) as session:
            view = queries.get_schedule(session, schedule_ids[0])
            slots = queries.list_slots(session, schedule_ids[0])
        assert sum(slot.is_free for slot in slots) == view.free_count
        return view.free_count

    assert free() == 2
    clock.advance(rules.HOLD)
    assert free() == 3


def test_sessions_that_are_over_or_off_are_not_offered(
    database: Database, clinic: Clinic, schedule_ids: list[Id], clock: FixedClock
) -> None:
    with database.write(SYSTEM, housekeeping=True) as session:
        session.get_one(Schedule, schedule_ids[0]).status = ScheduleStatus.STOPPED

    def offered(day: dt.date = MONDAY) -> int:
        with database.read(SYSTEM) as session:
            return len(queries.list_bookable(session, hospital_id=clinic.hospital_id, day=day))

    assert offered() == 5
    assert offered(MONDAY + dt.timedelta(days=15)) == 0
    clock.advance(dt.timedelta(minutes=90))
    assert offered() == 0


def test_departments_with_places(
    database: Database, clinic: Clinic, schedule_ids: list[Id]
) -> None:
    with counted(database) as statements, database.read(SYSTEM) as session:
        (view,) = queries.list_bookable_departments(
            session, hospital_id=clinic.hospital_id, day=MONDAY
        )
    assert len(statements) == 2
    assert (view.name, view.free_count, view.practitioner_count) == ("乳腺外科", 18, 6)


def test_the_week_grid_in_two_queries(
    database: Database, clinic: Clinic, schedule_ids: list[Id]
) -> None:
    book(database, clinic.patient_ids[0], schedule_ids[0])
    with counted(database) as statements, database.read(SYSTEM) as session:
        grid = queries.week_grid(
            session,
            hospital_id=clinic.hospital_id,
            department_id=clinic.department_id,
            day=MONDAY + dt.timedelta(days=3),
        )
    assert len(statements) == 2
    assert (grid.days[0], grid.days[-1]) == (MONDAY, MONDAY + dt.timedelta(days=6))
    assert [row.practitioner_name for row in grid.rows] == [f"医生{n}" for n in range(6)]
    assert [view.total_count for view in grid.rows[0].cells[MONDAY]] == [4]
    assert (grid.total_count, grid.free_count) == (24, 17)


def test_a_patients_appointments_in_two_queries(
    database: Database, clinic: Clinic, schedule_ids: list[Id]
) -> None:
    patient = clinic.patient_ids[0]
    booked = [book(database, patient, schedule_id) for schedule_id in schedule_ids[:3]]
    with counted(database) as statements, database.read(SYSTEM) as session:
        views = queries.list_appointments(session, patient_id=patient, day=MONDAY)
    assert len(statements) == 2
    assert [view.id for view in views] == booked
    assert all(view.can_check_in and not view.is_lapsed for view in views)
    assert views[0].state_words == "已挂号"
    with database.read(SYSTEM) as session:
        none = queries.list_appointments(
            session, patient_id=patient, states=frozenset({AppointmentState.CANCELLED})
        )
        other_day = queries.list_appointments(
            session, patient_id=patient, day=MONDAY + dt.timedelta(days=1)
        )
    assert none == other_day == []
