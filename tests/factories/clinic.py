"""A small clinic for tests: one hospital, one department, practitioners with a Monday template, patients."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Actor, ActorKind
from backend.kernel.uow import Database
from backend.organization import service as organization
from backend.organization.queries import DepartmentKind, LocationKind
from backend.patients.models import Patient
from backend.scheduling import service as scheduling
from backend.scheduling.rules import VisitType
from tests.factories.databases import SYSTEM

MONDAY = dt.date(2026, 11, 23)
FEE_FEN = 2500


@dataclass(frozen=True)
class Clinic:
    """The ids a test needs."""

    hospital_id: Id
    department_id: Id
    room_id: Id
    practitioner_ids: tuple[Id, ...]
    patient_ids: tuple[Id, ...]

    @property
    def kiosk(self) -> Actor:
        """A device of this hospital; patients' own cut-offs bind it."""
        return Actor(ActorKind.DEVICE, hospital_id=self.hospital_id, label="K01")


def add_patient(session: Session, hospital_id: Id, number: int) -> Patient:
    """A patient row without personal data worth protecting."""
    patient = Patient(
        id=new_id(),
        hospital_id=hospital_id,
        name=f"患者{number}",
        pinyin=f"huanzhe{number}",
        pinyin_initials="hz",
        sex=1,
        birth_date=dt.date(1960, 1, 1),
        id_kind="99",
        id_number_sealed=b"sealed",
        id_number_index=number.to_bytes(32),
        id_number_masked="***",
        registered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )
    session.add(patient)
    return patient


def make_clinic(
    database: Database,
    *,
    practitioners: int = 2,
    patients: int = 3,
    capacity: int = 4,
    slot_minutes: int = 30,
    code: str = "H1",
) -> Clinic:
    """A clinic whose practitioners sit every Monday morning, ``capacity`` places each."""
    with database.write(SYSTEM) as session:
        hospital = organization.add_hospital(session, code=code, name="杏林测试医院")
        room = organization.add_location(
            session,
            hospital_id=hospital.id,
            code="R1",
            name="一诊室",
            kind=LocationKind.ROOM,
            parent_id=None,
        )
        session.flush()
        department = organization.add_department(
            session,
            hospital_id=hospital.id,
            code="D1",
            name="乳腺外科",
            kind=DepartmentKind.CLINICAL,
            location_id=room.id,
        )
        session.flush()
        people = [
            organization.add_practitioner(
                session,
                hospital_id=hospital.id,
                code=f"P{number}",
                name=f"医生{number}",
                sex=2,
                title="主任医师",
                department_id=department.id,
            )
            for number in range(practitioners)
        ]
        session.flush()
        for person in people:
            scheduling.add_template_entry(
                session,
                hospital_id=hospital.id,
                practitioner_id=person.id,
                department_id=department.id,
                location_id=room.id,
                weekday=1,
                half_day=HalfDay.AM,
                visit_type=VisitType.CHIEF,
                price_item_code="REG-CHIEF",
                fee_fen=FEE_FEN,
                capacity=capacity,
                slot_minutes=slot_minutes,
                effective_from=dt.date(2026, 1, 1),
            )
        rows = [add_patient(session, hospital.id, number) for number in range(patients)]
        session.flush()
        return Clinic(
            hospital_id=hospital.id,
            department_id=department.id,
            room_id=room.id,
            practitioner_ids=tuple(person.id for person in people),
            patient_ids=tuple(row.id for row in rows),
        )


def open_schedules(database: Database, clinic: Clinic, day: dt.date = MONDAY) -> list[Id]:
    """Generate ``day`` and give the schedules' ids in practitioner order."""
    from backend.scheduling import queries

    with database.write(SYSTEM) as session:
        scheduling.generate_schedules(session, hospital_id=clinic.hospital_id, first=day, last=day)
    with database.read(SYSTEM) as session:
        views = queries.list_schedules(session, hospital_id=clinic.hospital_id, first=day, last=day)
    order = {person: index for index, person in enumerate(clinic.practitioner_ids)}
    own = [(order[v.practitioner_id], v) for v in views if v.practitioner_id is not None]
    return [view.schedule_id for _place, view in sorted(own, key=lambda pair: pair[0])]
