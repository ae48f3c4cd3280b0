"""Schedules from the weekly template, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import func, select

from backend.kernel.clock import FixedClock, HalfDay, local
from backend.kernel.uow import Database
from backend.scheduling import queries, service, tasks
from backend.scheduling.errors import PeriodInvalid, TemplateInvalid
from backend.scheduling.models import Schedule, Slot, SlotEvent
from backend.scheduling.rules import VisitType
from backend.scheduling.verify import verify_slots
from tests.factories.clinic import MONDAY, make_clinic, open_schedules
from tests.factories.databases import SYSTEM


def count(database: Database, model: type[Schedule | Slot | SlotEvent]) -> int:
    with database.read(SYSTEM) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_generating_twice_makes_nothing_twice(database: Database) -> None:
    clinic = make_clinic(database)
    with database.write(SYSTEM) as session:
        made = service.generate_schedules(
            session,
            hospital_id=clinic.hospital_id,
            first=MONDAY,
            last=MONDAY + dt.timedelta(days=7),
        )
        assert made == 4
    with database.write(SYSTEM) as session:
        again = service.generate_schedules(
            session,
            hospital_id=clinic.hospital_id,
            first=MONDAY,
            last=MONDAY + dt.timedelta(days=13),
        )
        assert again == 0
    assert count(database, Schedule) == 4
    assert count(database, Slot) == 16
    assert count(database, SlotEvent) == 16


def test_places_carry_their_windows(database: Database) -> None:
    clinic = make_clinic(database, practitioners=1, capacity=5, slot_minutes=12)
    (schedule_id,) = open_schedules(database, clinic)
    with database.read(SYSTEM) as session:
        slots = queries.list_slots(session, schedule_id)
    assert [slot.number for slot in slots] == [1, 2, 3, 4, 5]
    assert [local(slot.starts_at).strftime("%H:%M") for slot in slots] == [
        "08:00",
        "08:00",
        "08:00",
        "08:30",
        "08:30",
    ]


def test_a_period_too_long_is_refused(database: Database) -> None:
    clinic = make_clinic(database)
    with database.write(SYSTEM) as session, pytest.raises(PeriodInvalid):
        service.generate_schedules(
            session,
            hospital_id=clinic.hospital_id,
            first=MONDAY,
            last=MONDAY + dt.timedelta(days=31),
        )


def test_an_entry_that_does_not_fit_is_refused(database: Database) -> None:
    clinic = make_clinic(database)
    with database.write(SYSTEM) as session, pytest.raises(TemplateInvalid):
        service.add_template_entry(
            session,
            hospital_id=clinic.hospital_id,
            practitioner_id=clinic.practitioner_ids[0],
            department_id=clinic.department_id,
            location_id=clinic.room_id,
            weekday=2,
            half_day=HalfDay.AM,
            visit_type=VisitType.GENERAL,
            price_item_code="REG-GENERAL",
            fee_fen=1000,
            capacity=30,
            slot_minutes=10,
            effective_from=MONDAY,
        )


def test_the_booking_window_fills_itself(database: Database, clock: FixedClock) -> None:
    make_clinic(database)
    tasks.generate_ahead(database)
    # Monday 08:30: today, next Monday and, as the 14th day opened at 07:00, the one after it.
    assert count(database, Schedule) == 6
    clock.advance(dt.timedelta(days=7))
    tasks.generate_ahead(database)
    assert count(database, Schedule) == 8
    with database.read(SYSTEM) as session:
        assert verify_slots(session).is_sound
