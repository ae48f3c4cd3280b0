"""Reads of the patient index: by number (blind index), by name, by pinyin; always within one hospital."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from backend.kernel.db import has_prefix
from backend.kernel.ids import Id
from backend.kernel.masking import mask_name
from backend.kernel.uow import keys, today
from backend.patients import rules
from backend.patients.errors import CardUnknown, PatientNotFound
from backend.patients.models import (
    IdentifierStatus,
    IdentifierSystem,
    Patient,
    PatientIdentifier,
)
from backend.patients.rules import SearchKind
from backend.patients.views import PatientView, view_of

__all__ = ["IdentifierSystem", "PatientView"]

SEARCH_LIMIT = 20
ID_NUMBER = "patients_patient.id_number"
PHONE = "patients_patient.phone"


def identifier_purpose(system: IdentifierSystem) -> str:
    """The blind-index purpose of one kind of number."""
    return f"patients_patient_identifier.{system.value}"


def get_patient(session: Session, patient_id: Id, *, hospital_id: Id | None = None) -> PatientView:
    """The patient; PatientNotFound when there is none, or none in that hospital."""
    return (
        patients_by_id(session, [patient_id], hospital_id=hospital_id).get(patient_id)
        or _not_found()
    )


def _not_found() -> PatientView:
    raise PatientNotFound


def patients_by_id(
    session: Session, ids: Iterable[Id], *, hospital_id: Id | None = None
) -> dict[Id, PatientView]:
    """Those of ``ids`` that exist, with their active hospital card, in one query."""
    statement = select(Patient).where(Patient.id.in_(set(ids)))
    if hospital_id is not None:
        statement = statement.where(Patient.hospital_id == hospital_id)
    return {view.id: view for view in _views(session, statement)}


def masked_names(session: Session, ids: Iterable[Id]) -> dict[Id, str]:
    """The masked names of those of ``ids`` that exist, in one query."""
    rows = session.execute(select(Patient.id, Patient.name).where(Patient.id.in_(set(ids))))
    return {row.id: mask_name(row.name) for row in rows}


def find_by_id_number(
    session: Session, *, hospital_id: Id, id_kind: str, id_number: str
) -> PatientView | None:
    """The patient with this document, or None."""
    statement = _with_document(session, hospital_id, id_kind, id_number)
    return next(iter(_views(session, statement)), None)


def find_row_by_id_number(
    session: Session, *, hospital_id: Id, id_kind: str, id_number: str
) -> Patient | None:
    """The row with this document, for this domain's own commands."""
    return session.scalar(_with_document(session, hospital_id, id_kind, id_number))


def _with_document(
    session: Session, hospital_id: Id, id_kind: str, id_number: str
) -> Select[Patient]:
    return select(Patient).where(
        Patient.hospital_id == hospital_id,
        Patient.id_kind == id_kind,
        Patient.id_number_index == keys(session).blind_index(id_number, ID_NUMBER),
    )


def find_by_identifier(
    session: Session, *, hospital_id: Id, system: IdentifierSystem, value: str
) -> PatientView:
    """The patient who carries this active number; CardUnknown when nobody does."""
    statement = (
        select(Patient)
        .join(PatientIdentifier, PatientIdentifier.patient_id == Patient.id)
        .where(
            PatientIdentifier.hospital_id == hospital_id,
            PatientIdentifier.system == system,
            PatientIdentifier.value_index
            == keys(session).blind_index(value, identifier_purpose(system)),
            PatientIdentifier.status == IdentifierStatus.ACTIVE,
        )
    )
    found = _views(session, statement)
    if not found:
        raise CardUnknown
    return found[0]


def search_patients(session: Session, *, hospital_id: Id, text: str) -> list[PatientView]:
    """Up to 20 patients by card, document or phone number (exact), name prefix or pinyin prefix.

    At most two queries, each on an index.
    """
    text = text.strip()
    kind = rules.search_kind(text)
    if kind is None:
        return []
    statement = select(Patient).where(Patient.hospital_id == hospital_id)
    if kind is SearchKind.NUMBER:
        statement = statement.where(Patient.id.in_(_ids_by_number(session, hospital_id, text)))
    elif kind is SearchKind.NAME:
        statement = statement.where(has_prefix(Patient.name, text)).order_by(Patient.name)
    else:
        letters = "".join(c for c in text.lower() if c.isalpha())
        statement = statement.where(
            or_(
                has_prefix(Patient.pinyin_initials, letters),
                has_prefix(Patient.pinyin, letters),
            )
        ).order_by(Patient.pinyin_initials, Patient.name)
    return _views(session, statement.limit(SEARCH_LIMIT))


def _ids_by_number(session: Session, hospital_id: Id, text: str) -> Sequence[Id]:
    ring = keys(session)
    by_card = select(PatientIdentifier.patient_id).where(
        PatientIdentifier.hospital_id == hospital_id,
        PatientIdentifier.status == IdentifierStatus.ACTIVE,
        PatientIdentifier.value_index.in_(
            [ring.blind_index(text, identifier_purpose(system)) for system in IdentifierSystem]
        ),
    )
    by_number = select(Patient.id).where(
        Patient.hospital_id == hospital_id,
        Patient.id_kind.in_([kind.value for kind in rules.IdKind]),
        Patient.id_number_index == ring.blind_index(text, ID_NUMBER),
    )
    by_phone = select(Patient.id).where(
        Patient.hospital_id == hospital_id, Patient.phone_index == ring.blind_index(text, PHONE)
    )
    return session.scalars(by_card.union(by_number, by_phone)).all()


def _views(session: Session, patients: Select[Patient]) -> list[PatientView]:
    """The views of the selected patients in their order, each with the active hospital card, in one query."""
    card = (
        select(PatientIdentifier.value_masked)
        .where(
            PatientIdentifier.patient_id == Patient.id,
            PatientIdentifier.system == IdentifierSystem.HOSPITAL_CARD,
            PatientIdentifier.status == IdentifierStatus.ACTIVE,
        )
        .order_by(PatientIdentifier.issued_at.desc())
        .limit(1)
        .correlate(Patient)
        .scalar_subquery()
    )
    day = today(session)
    rows = session.execute(patients.add_columns(card))
    return [view_of(patient, day, number) for patient, number in rows]
