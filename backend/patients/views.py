"""What others see of a patient: masked by default."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backend.kernel.clock import age_on
from backend.kernel.ids import Id
from backend.kernel.masking import mask_name
from backend.patients.models import Patient

__all__ = ["PatientView"]


@dataclass(frozen=True, slots=True)
class PatientView:
    """A patient for screens and other domains. ``name`` is whole: show it only where that is allowed."""

    id: Id
    hospital_id: Id
    name: str
    name_masked: str
    sex: int
    birth_date: dt.date
    age: int
    id_kind: str
    id_number_masked: str
    phone_masked: str | None
    card_masked: str | None
    allergies: str
    version: int


def view_of(patient: Patient, today: dt.date, card_masked: str | None = None) -> PatientView:
    """The view of one row, with the age on ``today``."""
    return PatientView(
        id=patient.id,
        hospital_id=patient.hospital_id,
        name=patient.name,
        name_masked=mask_name(patient.name),
        sex=patient.sex,
        birth_date=patient.birth_date,
        age=age_on(patient.birth_date, today),
        id_kind=patient.id_kind,
        id_number_masked=patient.id_number_masked,
        phone_masked=patient.phone_masked,
        card_masked=card_masked,
        allergies=patient.allergies,
        version=patient.version,
    )
