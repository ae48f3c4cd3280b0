"""Commands of the organization: what set-up adds, and what people add and edit (``services``)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import new_id
from backend.kernel.locks import lock_name
from backend.organization import rules
from backend.organization.errors import HospitalExists
from backend.organization.models import Hospital
from backend.organization.services.departments import (
    add_department,
    lock_departments,
    rename_department,
)
from backend.organization.services.people import (
    add_practitioner,
    edit_practitioner,
    set_practitioner_active,
)
from backend.organization.services.places import add_location, edit_place, set_place_active

__all__ = [
    "add_department",
    "add_hospital",
    "add_location",
    "add_practitioner",
    "edit_place",
    "edit_practitioner",
    "lock_departments",
    "rename_department",
    "set_place_active",
    "set_practitioner_active",
]


def add_hospital(session: Session, *, code: str, name: str) -> Hospital:
    """Add a hospital to the group. InvalidInput by field, HospitalExists."""
    code, name = rules.normalise_code(code), rules.tidy(name)
    if wrong := rules.check_place(code, name):
        raise InvalidInput(fields=wrong)
    lock_name(session, "hospitals")
    if session.scalar(select(Hospital.id).where(Hospital.code == code)):
        raise HospitalExists
    hospital = Hospital(id=new_id(), code=code, name=name)
    session.add(hospital)
    audit.record(session, "organization.add_hospital", entity="hospital", entity_id=hospital.id)
    session.flush()
    return hospital
