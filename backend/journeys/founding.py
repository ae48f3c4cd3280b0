"""A hospital from nothing: its row, its campus, and somebody who may open everything else in the back office."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.identity import service as identity
from backend.identity.passwords import HashedPassword
from backend.identity.rules import Role
from backend.kernel.ids import Id
from backend.organization import service as organization
from backend.organization.queries import DepartmentKind, LocationKind

#: Everybody who works here has a department; the administrator's is the computer room's. Both bear these codes.
OFFICE, OFFICE_NAME = "INFO", "信息中心"
ADMINISTRATOR, TITLE = "ADMIN", "系统管理员"
NOT_SAID = 9


def found_hospital(
    session: Session,
    *,
    code: str,
    name: str,
    username: str,
    admin_name: str,
    password: HashedPassword,
) -> Id:
    """A hospital with a campus of the same code, one department, and its administrator; the hospital's id.

    ``password`` is good for a day and has to be changed at the first login. HospitalExists; InvalidInput by field;
    UsernameInvalid, UsernameTaken (usernames are unique over the whole group).
    """
    hospital = organization.add_hospital(session, code=code, name=name)
    campus = organization.add_location(
        session,
        hospital_id=hospital.id,
        code=hospital.code,
        name=hospital.name,
        kind=LocationKind.CAMPUS,
        parent_id=None,
    )
    office = organization.add_department(
        session,
        hospital_id=hospital.id,
        code=OFFICE,
        name=OFFICE_NAME,
        kind=DepartmentKind.ADMINISTRATIVE,
        location_id=campus.id,
    )
    person = organization.add_practitioner(
        session,
        hospital_id=hospital.id,
        code=ADMINISTRATOR,
        name=admin_name,
        sex=NOT_SAID,
        title=TITLE,
        department_id=office.id,
    )
    identity.create_account(
        session,
        hospital_id=hospital.id,
        username=username,
        password=password,
        practitioner_id=person.id,
        roles=[Role.ADMINISTRATOR],
        is_one_time=True,
    )
    return hospital.id
