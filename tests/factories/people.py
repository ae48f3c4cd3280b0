"""Patients and a hospital for tests, made through the services."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.organization import service as organization
from backend.patients import service as patients
from backend.patients.models import Patient
from backend.patients.rules import IdKind, check_character


def make_hospital(session: Session, code: str = "H1") -> Id:
    """A hospital, its id."""
    return organization.add_hospital(session, code=code, name="杏林肿瘤医院").id


def id_number(sequence: int, birth: dt.date = dt.date(1960, 5, 4)) -> str:
    """A sound resident number; an odd ``sequence`` is a man's."""
    first = f"110105{birth:%Y%m%d}{sequence:03d}"
    return first + check_character(first)


def make_patient(
    session: Session,
    hospital_id: Id,
    *,
    sequence: int = 1,
    name: str = "王建国",
    birth: dt.date = dt.date(1960, 5, 4),
    phone: str | None = None,
    card_number: str | None = None,
) -> Patient:
    """A registered patient with a sound number."""
    patient, _ = patients.register_patient(
        session,
        hospital_id=hospital_id,
        name=name,
        sex=1 if sequence % 2 else 2,
        birth_date=birth,
        id_kind=IdKind.RESIDENT_CARD,
        id_number=id_number(sequence, birth),
        phone=phone,
        card_number=card_number,
    )
    return patient
