"""Edits of those who work here: new, another title or department, gone and back. Names are masked in the history."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from pypinyin import Style, lazy_pinyin
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel import history
from backend.kernel.db import check_version
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name, lock_row
from backend.kernel.masking import mask_name
from backend.organization import rules
from backend.organization.errors import CodeTaken, PersonUnknown
from backend.organization.models import Department, Practitioner

ENTITY = "practitioner"


def add_practitioner(
    session: Session,
    *,
    hospital_id: Id,
    code: str,
    name: str,
    sex: int,
    title: str,
    department_id: Id | None,
    specialty: str = "",
) -> Practitioner:
    """Somebody new; ``sex`` by GB/T 2261.1. InvalidInput by field, CodeTaken. A login is another matter (identity)."""
    code = rules.normalise_code(code)
    name, title, specialty = map(rules.tidy, (name, title, specialty))
    wrong = rules.check_person(code, name, sex, title, specialty)
    department = _department(session, department_id, hospital_id)
    if department is None:
        wrong["department"] = _("请选择科室")
    if wrong or department is None:
        raise InvalidInput(fields=wrong)
    lock_name(session, f"people-{hospital_id}")
    if session.scalar(
        select(Practitioner.id).where(
            Practitioner.hospital_id == hospital_id, Practitioner.code == code
        )
    ):
        raise CodeTaken(fields={"code": CodeTaken.default_message})
    person = Practitioner(
        id=new_id(),
        hospital_id=hospital_id,
        code=code,
        name=name,
        pinyin=_pinyin(name),
        sex=sex,
        title=title,
        department_id=department.id,
        specialty=specialty,
    )
    session.add(person)
    session.flush()
    words = _words(person, department)
    _note(session, "organization.add_practitioner", person, history.changes_between({}, words))
    return person


def edit_practitioner(
    session: Session,
    person_id: Id,
    *,
    hospital_id: Id,
    version: int,
    name: str,
    sex: int,
    title: str,
    department_id: Id | None,
    specialty: str,
) -> Practitioner:
    """Another name, title, department or specialty; the staff code stays. StaleVersion; InvalidInput by field."""
    person = _locked(session, person_id, hospital_id)
    check_version(person, version)
    name, title, specialty = map(rules.tidy, (name, title, specialty))
    wrong = rules.check_person(person.code, name, sex, title, specialty)
    department = _department(session, department_id, hospital_id)
    if department is None:
        wrong["department"] = _("请选择科室")
    if wrong or department is None:
        raise InvalidInput(fields=wrong)
    before = _words(person, session.get_one(Department, person.department_id))
    if name != person.name:
        person.pinyin = _pinyin(name)
    person.name, person.sex, person.title = name, sex, title
    person.department_id, person.specialty = department.id, specialty
    changes = dict(history.changes_between(before, _words(person, department)))
    if session.is_modified(person):
        session.flush()
        _note(session, "organization.edit_practitioner", person, changes)
    return person


def set_practitioner_active(
    session: Session, person_id: Id, *, hospital_id: Id, is_active: bool
) -> None:
    """Somebody leaves (their login ends at once) or comes back; does nothing when it is so."""
    person = _locked(session, person_id, hospital_id)
    if person.is_active is is_active:
        return
    person.is_active = is_active
    session.flush()
    action = "organization.return_practitioner" if is_active else "organization.leave_practitioner"
    _note(session, action, person, {})


def _department(session: Session, department_id: Id | None, hospital_id: Id) -> Department | None:
    found = session.get(Department, department_id) if department_id else None
    return found if found is not None and found.hospital_id == hospital_id else None


def _words(person: Practitioner, department: Department) -> Mapping[str, str]:
    return {
        "name": mask_name(person.name),
        "sex": str(person.sex),
        "title": person.title,
        "department": department.name,
        "specialty": person.specialty,
    }


def _pinyin(name: str) -> str:
    return "".join(lazy_pinyin(name, style=Style.NORMAL))


def _note(session: Session, action: str, person: Practitioner, changes: history.Changes) -> None:
    history.record(
        session,
        action,
        entity=ENTITY,
        entity_id=person.id,
        version=person.version,
        changes=changes,
    )


def _locked(session: Session, person_id: Id, hospital_id: Id) -> Practitioner:
    person = lock_row(session, Practitioner, person_id)
    if person is None or person.hospital_id != hospital_id:
        raise PersonUnknown
    return person
