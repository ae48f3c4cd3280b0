"""What the fleet forgets, and when."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select

from backend.devices import service, tasks
from backend.devices.models import EnrolmentWindow, PatientSession
from backend.kernel.clock import FixedClock
from backend.kernel.permissions import system_actor
from backend.kernel.uow import Database
from tests.factories.clinic import make_clinic
from tests.factories.databases import SYSTEM


def counts(database: Database) -> tuple[int | None, int | None]:
    with database.read(SYSTEM) as session:
        return (
            session.scalar(select(func.count()).select_from(PatientSession)),
            session.scalar(select(func.count()).select_from(EnrolmentWindow)),
        )


def test_sessions_a_day_over_and_ended_windows_are_forgotten(
    database: Database, clock: FixedClock
) -> None:
    clinic = make_clinic(database, practitioners=1, patients=1)
    with database.write(SYSTEM) as session:
        kiosk, _code = service.add_kiosk(
            session,
            hospital_id=clinic.hospital_id,
            code="K01",
            name="自助机 K01",
            location_id=clinic.room_id,
        )
    with database.write(system_actor("kiosk", clinic.hospital_id)) as session:
        service.begin_session(session, kiosk_id=kiosk.id, patient_id=clinic.patient_ids[0])
    with database.write(SYSTEM, housekeeping=True) as session:
        service.count_enrolment_try(session, "192.0.2.7")
    tasks.forget_old(database)
    assert counts(database) == (1, 1)
    clock.advance(dt.timedelta(hours=1))
    tasks.forget_old(database)
    assert counts(database) == (1, 0)
    clock.advance(dt.timedelta(hours=23, minutes=4))
    tasks.forget_old(database)
    assert counts(database) == (0, 0)
