"""Examination devices for tests, at the places of a small clinic."""

from __future__ import annotations

import datetime as dt

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.scheduling import service as scheduling
from backend.scheduling.rules import Modality, VisitType
from tests.factories.clinic import Clinic
from tests.factories.databases import SYSTEM


def add_device(
    database: Database,
    clinic: Clinic,
    modality: Modality,
    *,
    code: str = "",
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5),
    half_days: tuple[HalfDay, ...] = (HalfDay.AM,),
    capacity: int = 8,
    slot_minutes: int = 15,
) -> Id:
    """A device that runs on ``weekdays``; its sessions are not generated yet."""
    with database.write(SYSTEM) as session:
        device = scheduling.add_device(
            session,
            hospital_id=clinic.hospital_id,
            code=code or f"{modality.value.upper()}-1",
            name=f"{modality.value} 1",
            modality=modality,
            department_id=clinic.department_id,
            location_id=clinic.room_id,
        )
        session.flush()
        for weekday in weekdays:
            for half_day in half_days:
                scheduling.add_template_entry(
                    session,
                    hospital_id=clinic.hospital_id,
                    device_id=device.id,
                    department_id=clinic.department_id,
                    location_id=clinic.room_id,
                    weekday=weekday,
                    half_day=half_day,
                    visit_type=VisitType.EXAMINATION,
                    price_item_code="",
                    fee_fen=0,
                    capacity=capacity,
                    slot_minutes=slot_minutes,
                    effective_from=dt.date(2026, 1, 1),
                )
        return device.id


def open_days(database: Database, clinic: Clinic, first: dt.date, last: dt.date) -> None:
    """Generate every session from ``first`` to ``last``."""
    with database.write(SYSTEM) as session:
        scheduling.generate_schedules(
            session, hospital_id=clinic.hospital_id, first=first, last=last
        )
