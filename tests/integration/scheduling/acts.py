"""Acts and looks that the tests of the pool share; each is a unit of work of its own."""

from __future__ import annotations

from sqlalchemy import select

from backend.kernel.ids import Id
from backend.kernel.outbox import OutboxEvent
from backend.kernel.uow import Database
from backend.scheduling import queries, service
from backend.scheduling.rules import AppointmentState, Channel
from backend.scheduling.verify import verify_slots
from tests.factories.clinic import Clinic
from tests.factories.databases import SYSTEM


def hold(database: Database, patient_id: Id, schedule_id: Id, slot_id: Id | None = None) -> Id:
    with database.write(SYSTEM) as session:
        return service.hold_slot(
            session,
            patient_id=patient_id,
            schedule_id=schedule_id,
            channel=Channel.KIOSK,
            slot_id=slot_id,
        ).id


def state(database: Database, appointment_id: Id) -> AppointmentState:
    with database.read(SYSTEM) as session:
        return queries.get_appointment(session, appointment_id).state


def confirm(database: Database, appointment_id: Id) -> None:
    with database.write(SYSTEM) as session:
        service.confirm_appointment(session, appointment_id)


def fill(database: Database, clinic: Clinic, schedule_id: Id) -> list[Id]:
    """Three of four places held by three patients."""
    return [hold(database, patient, schedule_id) for patient in clinic.patient_ids]


def events(database: Database) -> list[str]:
    with database.read(SYSTEM) as session:
        return list(session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id)))


def assert_sound(database: Database) -> None:
    with database.read(SYSTEM) as session:
        report = verify_slots(session)
    assert report.problems == []
    assert report.counts["slots"] == 8
