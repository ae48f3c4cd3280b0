"""Diagnoses of an open encounter. Exactly one is primary while there is any."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.clinical.errors import CatalogueItemUnknown
from backend.clinical.models import Diagnosis, IcdCode
from backend.clinical.services import access
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import now


def add_diagnosis(session: Session, *, encounter_id: Id, code: str) -> Diagnosis:
    """Add a coded diagnosis; the first is primary; the same again changes nothing."""
    encounter = access.writable(session, encounter_id)
    entry = session.get(IcdCode, code)
    if entry is None:
        raise CatalogueItemUnknown(item=code)
    present = _of(session, encounter_id)
    for diagnosis in present:
        if diagnosis.code == code:
            return diagnosis
    diagnosis = Diagnosis(
        id=new_id(),
        hospital_id=encounter.hospital_id,
        encounter_id=encounter_id,
        code=entry.code,
        name=entry.name,
        is_primary=not present,
        added_at=now(session),
    )
    session.add(diagnosis)
    access.record(session, "add_diagnosis", encounter, code=code)
    session.flush()
    return diagnosis


def remove_diagnosis(session: Session, *, encounter_id: Id, diagnosis_id: Id) -> None:
    """Take a diagnosis out of an open encounter; the next one becomes primary."""
    encounter = access.writable(session, encounter_id)
    rows = _of(session, encounter_id)
    doomed = next((row for row in rows if row.id == diagnosis_id), None)
    if doomed is None:
        return
    session.delete(doomed)
    rest = [row for row in rows if row is not doomed]
    if rest and doomed.is_primary:
        rest[0].is_primary = True
    access.record(session, "remove_diagnosis", encounter, code=doomed.code)
    session.flush()


def _of(session: Session, encounter_id: Id) -> Sequence[Diagnosis]:
    return session.scalars(
        select(Diagnosis)
        .where(Diagnosis.encounter_id == encounter_id)
        .order_by(Diagnosis.added_at, Diagnosis.id)
    ).all()
