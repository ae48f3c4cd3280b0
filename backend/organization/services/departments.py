"""Departments: new, and another name. A code stays: files and people's roles refer to it."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel import audit, history
from backend.kernel.errors import InvalidInput, NotFound
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name, lock_row
from backend.organization import rules
from backend.organization.errors import CodeTaken
from backend.organization.models import Department, DepartmentKind, Location

ENTITY = "department"


def lock_departments(session: Session, hospital_id: Id) -> None:
    """Nobody else adds departments of this hospital until the unit of work ends."""
    lock_name(session, f"departments-{hospital_id}")


def add_department(
    session: Session,
    *,
    hospital_id: Id,
    code: str,
    name: str,
    kind: DepartmentKind,
    location_id: Id | None,
) -> Department:
    """Add a department at its waiting area or floor. InvalidInput by field, CodeTaken."""
    code, name = rules.normalise_code(code), rules.tidy(name)
    wrong = rules.check_department(code, name)
    if location_id is not None:
        place = session.get(Location, location_id)
        if place is None or place.hospital_id != hospital_id:
            wrong["place"] = _("没有找到这个位置")
    if wrong:
        raise InvalidInput(fields=wrong)
    lock_departments(session, hospital_id)
    if session.scalar(
        select(Department.id).where(Department.hospital_id == hospital_id, Department.code == code)
    ):
        raise CodeTaken(fields={"code": CodeTaken.default_message})
    department = Department(
        id=new_id(),
        hospital_id=hospital_id,
        code=code,
        name=name,
        kind=kind,
        location_id=location_id,
    )
    session.add(department)
    session.flush()
    audit.record(session, "organization.add_department", entity=ENTITY, entity_id=department.id)
    return department


def rename_department(
    session: Session, department_id: Id, *, hospital_id: Id, name: str
) -> Department:
    """Another name; does nothing when it has that name. InvalidInput by field, NotFound."""
    department = lock_row(session, Department, department_id)
    if department is None or department.hospital_id != hospital_id:
        raise NotFound
    before, name = department.name, rules.tidy(name)
    if wrong := rules.check_department(department.code, name):
        raise InvalidInput(fields=wrong)
    if before == name:
        return department
    department.name = name
    session.flush()
    history.record(
        session,
        "organization.rename_department",
        entity=ENTITY,
        entity_id=department.id,
        version=department.version,
        changes={"name": (before, name)},
    )
    return department
