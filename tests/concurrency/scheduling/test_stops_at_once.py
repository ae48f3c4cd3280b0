"""A session is stopped while many book in it: whoever got in is found and told, and nobody gets in behind it.

The negative control lets claims pass the stop, and sees paid-for places in a stopped session that nobody looks after.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from backend.kernel.errors import Conflict
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.scheduling import queries, service
from backend.scheduling.models import Appointment, Disruption, Schedule, Slot
from backend.scheduling.rules import ACTIVE, Channel, ScheduleStatus, SlotState, StopScope
from backend.scheduling.services import stops
from backend.scheduling.verify import verify_slots
from tests.factories.clinic import MONDAY, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM

PATIENTS = 40
DEADLINE = 60.0


def run(database: Database, clinic: Clinic, schedule_id: Id) -> None:
    """Forty patients and one stop, from one barrier."""
    barrier = threading.Barrier(PATIENTS + 1)

    def book(patient_id: Id) -> None:
        barrier.wait(DEADLINE)
        try:
            with database.write(SYSTEM) as session:
                held = service.hold_slot(
                    session, patient_id=patient_id, schedule_id=schedule_id, channel=Channel.WECHAT
                )
                appointment_id = held.id
            with database.write(SYSTEM) as session:
                service.confirm_appointment(session, appointment_id)
        except Conflict:
            return

    def stop() -> None:
        barrier.wait(DEADLINE)
        with database.write(SYSTEM) as session:
            service.stop_sessions(
                session,
                hospital_id=clinic.hospital_id,
                scope=StopScope(MONDAY, MONDAY, clinic.practitioner_ids[0]),
                reason="急诊手术",
            )

    with ThreadPoolExecutor(PATIENTS + 1) as pool:
        futures = [pool.submit(book, patient) for patient in clinic.patient_ids]
        futures.insert(PATIENTS // 2, pool.submit(stop))
        for future in futures:
            future.result(DEADLINE)


def counts(database: Database) -> tuple[int, int, int]:
    """Live visits, disruptions, free places."""
    with database.read(SYSTEM) as session:
        live = select(func.count()).select_from(Appointment).where(Appointment.state.in_(ACTIVE))
        found = select(func.count()).select_from(Disruption)
        free = select(func.count()).select_from(Slot).where(Slot.state == SlotState.FREE)
        return session.scalar(live) or 0, session.scalar(found) or 0, session.scalar(free) or 0


@pytest.mark.parametrize("attempt", range(5))
def test_nobody_slips_into_a_session_that_is_being_stopped(
    postgres_database: Database, attempt: int
) -> None:
    database = postgres_database
    clinic = make_clinic(database, practitioners=1, patients=PATIENTS, capacity=24, slot_minutes=10)
    (schedule_id,) = open_schedules(database, clinic)
    run(database, clinic, schedule_id)
    live, disrupted, free = counts(database)
    assert live == disrupted, attempt
    assert free == 0
    with database.read(SYSTEM) as session:
        assert verify_slots(session).problems == []
        assert queries.get_schedule(session, schedule_id).is_stopped


def test_without_closing_the_places_a_late_claim_is_forgotten(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop sees the visits, then somebody books before it is written: the order the locks forbid."""
    database = postgres_database
    clinic = make_clinic(database, practitioners=1, patients=1)
    (schedule_id,) = open_schedules(database, clinic)

    def late(*_args: object, **_kwargs: object) -> list[Appointment]:
        with database.write(SYSTEM) as session:
            held = service.hold_slot(
                session,
                patient_id=clinic.patient_ids[0],
                schedule_id=schedule_id,
                channel=Channel.WECHAT,
            )
            service.confirm_appointment(session, held.id)
        return []

    # Without its locks the stop looks at the visits first, and writes that the session is off afterwards.
    monkeypatch.setattr(stops, "lock_rows", lambda session, model, ids, **_: [])
    monkeypatch.setattr(stops, "_close_places", late)
    with database.write(SYSTEM) as session:
        service.stop_sessions(
            session,
            hospital_id=clinic.hospital_id,
            scope=StopScope(MONDAY, MONDAY, clinic.practitioner_ids[0]),
            reason="急诊手术",
        )
    with database.write(SYSTEM, housekeeping=True) as session:
        session.get_one(Schedule, schedule_id).status = ScheduleStatus.STOPPED
    live, disrupted, _free = counts(database)
    assert (live, disrupted) == (1, 0)
    with database.read(SYSTEM) as session:
        assert any("forgotten" in problem for problem in verify_slots(session).problems)
