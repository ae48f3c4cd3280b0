"""`slots verify` finds a place sold twice, leaked, or robbed of its history, and names the row."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import Database
from backend.kernel.verify import VerifyReport
from backend.scheduling import service
from backend.scheduling.models import Appointment, Slot, SlotEvent
from backend.scheduling.rules import (
    HOLD,
    AppointmentState,
    Channel,
    SlotEventKind,
    SlotState,
)
from backend.scheduling.verify import verify_slots
from tests.factories.clinic import Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return make_clinic(database, practitioners=1)


@pytest.fixture
def booked(database: Database, clinic: Clinic) -> Id:
    (schedule_id,) = open_schedules(database, clinic)
    with database.write(SYSTEM) as session:
        appointment = service.hold_slot(
            session,
            patient_id=clinic.patient_ids[0],
            schedule_id=schedule_id,
            channel=Channel.COUNTER,
        )
        return service.confirm_appointment(session, appointment.id).id


def verified(database: Database) -> VerifyReport:
    with database.read(SYSTEM) as session:
        return verify_slots(session)


def tamper(database: Database, *statements: object) -> None:
    with database.write(SYSTEM, housekeeping=True) as session:
        for statement in statements:
            session.execute(statement)  # type: ignore[call-overload]


def slot_of(session: Session, appointment_id: Id) -> Slot:
    return session.get_one(Slot, session.get_one(Appointment, appointment_id).slot_id)


def test_a_sound_pool_says_what_was_checked(database: Database, booked: Id) -> None:
    report = verified(database)
    assert report.problems == []
    assert report.counts == {"slots": 4, "slot events": 6, "appointments": 1, "schedules": 1}
    assert report.checked == 12


def test_a_slot_sold_twice_is_named(database: Database, clinic: Clinic, booked: Id) -> None:
    tamper(database, text("DROP INDEX uq_scheduling_appointment_occupied_slot"))
    with database.write(SYSTEM, housekeeping=True) as session:
        first = session.get_one(Appointment, booked)
        values = {column.key: getattr(first, column.key) for column in Appointment.__table__.c}
        second = values | {"id": new_id(), "patient_id": clinic.patient_ids[1]}
        session.add(Appointment(**second))
        slot_id = first.slot_id
    problems = verified(database).problems
    assert any(
        "sold twice" in problem and str(slot_id) in problem and str(second["id"]) in problem
        for problem in problems
    )


def test_a_slot_sold_twice_one_after_the_other_is_named(
    database: Database, clinic: Clinic, booked: Id
) -> None:
    """The second sale hides behind a forged end of the first; the slot's life still tells."""
    tamper(database, text("DROP INDEX uq_scheduling_appointment_occupied_slot"))
    with database.write(SYSTEM, housekeeping=True) as session:
        slot = slot_of(session, booked)
        slot.life += 1
        session.add(
            SlotEvent(
                hospital_id=slot.hospital_id,
                slot_id=slot.id,
                ordinal=slot.life,
                kind=SlotEventKind.HELD,
                at=dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC),
                appointment_id=booked,
            )
        )
    (first, *_) = verified(database).problems
    assert "held for appointment" in first
    assert "while booked by" in first


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": SlotState.FREE, "appointment_id": None}, "its life says booked by"),
        ({"appointment_id": new_id()}, "its life says booked by"),
        ({"life": 7}, "has lived 7 events, 3 are on record"),
        ({"number": 44}, "names another place or time"),
    ],
)
def test_an_edited_slot_is_named(
    database: Database, booked: Id, values: dict[str, object], words: str
) -> None:
    with database.write(SYSTEM, housekeeping=True) as session:
        slot = slot_of(session, booked)
        slot_id = slot.id
        session.execute(update(Slot).where(Slot.id == slot_id).values(**values))
    problems = verified(database).problems
    assert any(words in problem and str(slot_id) in problem for problem in problems), problems


def test_a_leaked_place_is_named(database: Database, booked: Id) -> None:
    tamper(
        database,
        update(Appointment)
        .where(Appointment.id == booked)
        .values(state=AppointmentState.CANCELLED),
    )
    problems = verified(database).problems
    assert any("leaked" in problem for problem in problems)
    assert any(f"appointment {booked} is cancelled" in problem for problem in problems)


def test_a_removed_step_is_named(database: Database, booked: Id) -> None:
    tamper(database, delete(SlotEvent).where(SlotEvent.kind == SlotEventKind.HELD))
    assert any("event 2 is missing" in problem for problem in verified(database).problems)


def test_a_removed_place_is_named(database: Database, booked: Id) -> None:
    with database.write(SYSTEM, housekeeping=True) as session:
        spare = session.query(Slot).filter(Slot.number == 4).one()
        schedule_id = spare.schedule_id
        session.execute(delete(SlotEvent).where(SlotEvent.slot_id == spare.id))
        session.execute(delete(Slot).where(Slot.id == spare.id))
    assert verified(database).problems == [f"schedule {schedule_id}: 3 places on record, 4 planned"]


def test_a_hold_ended_too_early_is_named(
    database: Database, clinic: Clinic, booked: Id, clock: FixedClock
) -> None:
    (schedule_id,) = open_schedules(database, clinic)
    with database.write(SYSTEM) as session:
        service.hold_slot(
            session,
            patient_id=clinic.patient_ids[1],
            schedule_id=schedule_id,
            channel=Channel.COUNTER,
        )
    clock.advance(HOLD)
    report = verified(database)
    assert report.is_sound
    assert len(report.notes) == 1
    with database.write(SYSTEM) as session:
        assert service.sweep_expired_holds(session) == 1
    assert verified(database).is_sound
    tamper(
        database,
        update(SlotEvent)
        .where(SlotEvent.kind == SlotEventKind.EXPIRED)
        .values(at=clock.now() - dt.timedelta(seconds=1)),
    )
    assert any("before the hold had ended" in problem for problem in verified(database).problems)
