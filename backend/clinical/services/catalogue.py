"""The catalogues doctors order from: ICD-10, the formulary, the laboratory's examinations."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.clinical.models import Drug, IcdCode, LaboratoryPanel
from backend.clinical.rules import initials_of
from backend.kernel import audit
from backend.kernel.ids import Id
from backend.scheduling import examinations
from backend.scheduling.rules.examinations import Examination


def add_icd_code(session: Session, *, code: str, name: str) -> None:
    """Put an entry into the ICD-10 catalogue in use."""
    session.add(IcdCode(code=code, name=name, initials=initials_of(name)))
    audit.record(session, "clinical.add_icd_code", entity="icd_code", entity_id=code)


def add_drug(session: Session, *, hospital_id: Id, code: str, name: str, **facts: object) -> None:
    """Put a drug into the formulary; ``facts`` are the other columns of ``Drug``."""
    session.add(
        Drug(hospital_id=hospital_id, code=code, name=name, initials=initials_of(name), **facts)
    )
    audit.record(session, "clinical.add_drug", entity="drug", entity_id=code)


def add_examination(
    session: Session, *, hospital_id: Id, examination: Examination, price_item_code: str
) -> None:
    """Put an examination into scheduling's catalogue, to be found by the initials of its name."""
    examinations.add_examination_type(
        session,
        hospital_id=hospital_id,
        examination=examination,
        price_item_code=price_item_code,
        initials=initials_of(examination.name),
    )


def add_laboratory_panel(
    session: Session, *, hospital_id: Id, code: str, name: str, **facts: object
) -> None:
    """Put an examination into the laboratory's catalogue; ``facts`` are the other columns."""
    session.add(
        LaboratoryPanel(
            hospital_id=hospital_id, code=code, name=name, initials=initials_of(name), **facts
        )
    )
    audit.record(session, "clinical.add_panel", entity="laboratory_panel", entity_id=code)
