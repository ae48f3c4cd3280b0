"""Registering a person from the ID card in hand: the card is the proof of identity."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.journeys.errors import IdCardExpired, IdCardNotYetValid
from backend.kernel.ids import Id
from backend.kernel.uow import today
from backend.patients import queries, service
from backend.patients.queries import PatientView
from backend.patients.rules import IdKind


@dataclass(frozen=True, slots=True)
class IdCardFacts:
    """What a resident ID card says. ``sex`` GB/T 2261.1, ``ethnic_group`` GB/T 3304; ``valid_until`` None = 长期."""

    name: str
    sex: int
    ethnic_group: str | None
    birth_date: dt.date
    address: str
    number: str
    valid_from: dt.date
    valid_until: dt.date | None


def register_from_id_card(
    session: Session, *, hospital_id: Id, card: IdCardFacts, phone: str | None = None
) -> tuple[PatientView, bool]:
    """The patient of this card and whether the record is new.

    Errors: IdCardExpired, IdCardNotYetValid, IdNumberInvalid, IdentityDiffers.
    """
    day = today(session)
    if card.valid_until is not None and card.valid_until < day:
        raise IdCardExpired
    if card.valid_from > day:
        raise IdCardNotYetValid
    patient, created = service.register_patient(
        session,
        hospital_id=hospital_id,
        name=card.name,
        sex=card.sex,
        birth_date=card.birth_date,
        id_kind=IdKind.RESIDENT_CARD,
        id_number=card.number,
        phone=phone,
        address=card.address,
        ethnic_group=card.ethnic_group,
    )
    if not created:
        service.note_reading(session, patient_id=patient.id, what="patient")
    session.flush()
    return queries.get_patient(session, patient.id, hospital_id=hospital_id), created
