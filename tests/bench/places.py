"""Sessions, places and patients for the booking bench, written straight into the tables.

Each run gets a day of its own, so that no run meets the places or the index entries of another.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import insert

from backend.kernel.clock import HalfDay, at_local
from backend.kernel.ids import Id, new_id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import WRITE, Database
from backend.organization import service as organization
from backend.organization.queries import DepartmentKind, LocationKind
from backend.patients.models import Patient
from backend.scheduling.handlers import subscribe
from backend.scheduling.models import Schedule, Slot, SlotEvent
from backend.scheduling.rules import ScheduleStatus, SlotEventKind, SlotState, VisitType
from tests.factories.databases import MONDAY_MORNING, SYSTEM

FIRST_DAY = dt.date(2026, 11, 24)
BATCH = 2_000


def subscriptions() -> Subscriptions:
    """Scheduling's own subscribers: a hold's timer has its delivery row, as in production."""
    found = Subscriptions()
    subscribe(found)
    return found


class Town:
    """One hospital with ``doctors`` doctors and as many patients as the bench will ever book for."""

    def __init__(
        self, database: Database, *, doctors: int, patients: int, first_day: dt.date = FIRST_DAY
    ) -> None:
        self.database = database
        self._first_day = first_day
        with database.write(SYSTEM) as session:
            hospital = organization.add_hospital(session, code="H1", name="杏林测试医院")
            session.flush()
            self.hospital_id = hospital.id
            room = organization.add_location(
                session, hospital_id=hospital.id, code="R1", name="一诊室",
                kind=LocationKind.ROOM, parent_id=None,
            )  # fmt: skip
            session.flush()
            self.room_id = room.id
            department = organization.add_department(
                session, hospital_id=hospital.id, code="D1", name="乳腺外科",
                kind=DepartmentKind.CLINICAL, location_id=room.id,
            )  # fmt: skip
            session.flush()
            self.department_id = department.id
            people = [
                organization.add_practitioner(
                    session, hospital_id=hospital.id, code=f"P{number}", name=f"医生{number}",
                    sex=2, title="主任医师", department_id=department.id,
                )
                for number in range(doctors)
            ]  # fmt: skip
            session.flush()
            self.practitioner_ids = [person.id for person in people]
        self.patient_ids = [new_id() for _ in range(patients)]
        self._insert(Patient, [self._patient(n, id_) for n, id_ in enumerate(self.patient_ids)])
        self._days = 0

    def open_day(self, *, sessions: int, places: int) -> list[Id]:
        """``sessions`` sessions of ``places`` places each on a day of their own; their ids."""
        day = self._first_day + dt.timedelta(days=self._days % 14)
        half_day = list(HalfDay)[self._days // 14]
        self._days += 1
        made = [
            self._session(person, day, half_day, places)
            for person in self.practitioner_ids[:sessions]
        ]
        self._insert(Schedule, made)
        slots = [slot for one in made for slot in self._slots(one, places)]
        self._insert(Slot, slots)
        self._insert(SlotEvent, [_begin(slot) for slot in slots])
        if not self.database.is_sqlite:
            with self.database.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
                    "VACUUM ANALYZE scheduling_slot, scheduling_schedule, scheduling_appointment,"
                    " patients_patient, kernel_outbox_event, kernel_outbox_delivery"
                )
        return [one["id"] for one in made]

    def _insert(self, model: Any, rows: list[dict[str, Any]]) -> None:
        engine = self.database.engine.execution_options(**{WRITE: True})
        for start in range(0, len(rows), BATCH):
            with engine.begin() as connection:
                connection.execute(insert(model.__table__), rows[start : start + BATCH])

    def _patient(self, number: int, patient_id: Id) -> dict[str, Any]:
        return {
            "id": patient_id, "hospital_id": self.hospital_id, "name": f"患者{number}",
            "pinyin": f"huanzhe{number}", "pinyin_initials": "hz", "sex": 1,
            "birth_date": dt.date(1960, 1, 1), "id_kind": "99", "id_number_sealed": b"sealed",
            "id_number_index": number.to_bytes(32), "id_number_masked": "***",
            "registered_at": MONDAY_MORNING,
        }  # fmt: skip

    def _session(
        self, practitioner_id: Id, day: dt.date, half_day: HalfDay, places: int
    ) -> dict[str, Any]:
        return {
            "id": new_id(), "hospital_id": self.hospital_id, "practitioner_id": practitioner_id,
            "department_id": self.department_id, "location_id": self.room_id, "business_date": day,
            "half_day": half_day, "visit_type": VisitType.CHIEF, "price_item_code": "REG-CHIEF",
            "fee_fen": 2500, "status": ScheduleStatus.OPEN, "capacity": places,
            "created_at": MONDAY_MORNING,
        }  # fmt: skip

    def _slots(self, schedule: dict[str, Any], places: int) -> list[dict[str, Any]]:
        begin = at_local(schedule["business_date"], dt.time(8))
        half_hour = dt.timedelta(minutes=30)
        return [
            {
                "id": new_id(), "hospital_id": self.hospital_id, "schedule_id": schedule["id"],
                "number": index + 1, "starts_at": begin + half_hour * (index * 8 // places),
                "ends_at": begin + half_hour * (index * 8 // places + 1),
                "state": SlotState.FREE, "life": 1,
            }
            for index in range(places)
        ]  # fmt: skip


def _begin(slot: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": new_id(), "hospital_id": slot["hospital_id"], "slot_id": slot["id"], "ordinal": 1,
        "kind": SlotEventKind.GENERATED, "at": MONDAY_MORNING,
    }  # fmt: skip
