"""Commands of the organization: what set-up adds, and what people add and edit (``services``)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.ids import Id, new_id
from backend.organization.models import (
    Department,
    DepartmentKind,
    Hospital,
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
    "set_place_active",
    "set_practitioner_active",
]


def add_hospital(session: Session, *, code: str, name: str) -> Hospital:
    """Add a hospital to the group."""
    hospital = Hospital(id=new_id(), code=code, name=name)
    session.add(hospital)
    audit.record(session, "organization.add_hospital", entity="hospital", entity_id=hospital.id)
    session.flush()
    return hospital


def add_department(
    session: Session,
    *,
    hospital_id: Id,
    code: str,
    name: str,
    kind: DepartmentKind,
    location_id: Id | None,
) -> Department:
    """Add a department at its waiting area or floor."""
    department = Department(
        id=new_id(),
        hospital_id=hospital_id,
        code=code,
        name=name,
        kind=kind,
        location_id=location_id,
    )
    session.add(department)
    audit.record(
        session, "organization.add_department", entity="department", entity_id=department.id
    )
    return department
