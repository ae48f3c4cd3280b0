"""Commands of the organization: what set-up and the demo add, and the edits of people (``services``)."""

from __future__ import annotations

from pypinyin import Style, lazy_pinyin
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.ids import Id, new_id
from backend.organization.models import (
    Department,
    DepartmentKind,
    Hospital,
    Location,
    Practitioner,
)
from backend.organization.rules import LocationKind
from backend.organization.services.people import (
    create_practitioner,
    edit_practitioner,
    set_practitioner_active,
)
from backend.organization.services.places import create_place, edit_place, set_place_active

__all__ = [
    "add_department",
    "add_hospital",
    "add_location",
    "add_practitioner",
    "create_place",
    "create_practitioner",
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


def add_location(
    session: Session,
    *,
    hospital_id: Id,
    code: str,
    name: str,
    kind: LocationKind,
    parent_id: Id | None,
) -> Location:
    """Add a place under another."""
    place = Location(
        id=new_id(), hospital_id=hospital_id, code=code, name=name, kind=kind, parent_id=parent_id
    )
    session.add(place)
    audit.record(session, "organization.add_location", entity="location", entity_id=place.id)
    return place


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


def add_practitioner(
    session: Session,
    *,
    hospital_id: Id,
    code: str,
    name: str,
    sex: int,
    title: str,
    department_id: Id,
    specialty: str = "",
) -> Practitioner:
    """Add someone who works here; ``sex`` by GB/T 2261.1."""
    person = Practitioner(
        id=new_id(),
        hospital_id=hospital_id,
        code=code,
        name=name,
        pinyin="".join(lazy_pinyin(name, style=Style.NORMAL)),
        sex=sex,
        title=title,
        department_id=department_id,
        specialty=specialty,
    )
    session.add(person)
    audit.record(
        session, "organization.add_practitioner", entity="practitioner", entity_id=person.id
    )
    return person
