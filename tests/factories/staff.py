"""Staff accounts for tests. One password for all, hashed once: hashing is slow on purpose."""

from __future__ import annotations

from functools import cache

from sqlalchemy.orm import Session

from backend.identity import service
from backend.identity.passwords import HashedPassword, hash_password
from backend.identity.rules import Role, RoleGrant
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from tests.factories.clinic import Clinic
from tests.factories.databases import SYSTEM

PASSWORD = "right horse battery"


@cache
def hashed() -> HashedPassword:
    """The one password, hashed."""
    return hash_password(PASSWORD)


def add_account(
    session: Session,
    clinic: Clinic,
    username: str,
    *roles: Role | RoleGrant,
    person: int = 0,
    is_demo: bool = False,
) -> Id:
    """An account of the clinic's practitioner number ``person``; its id."""
    return service.create_account(
        session,
        hospital_id=clinic.hospital_id,
        username=username,
        password=hashed(),
        practitioner_id=clinic.practitioner_ids[person],
        roles=roles,
        is_demo=is_demo,
    ).id


def make_account(
    database: Database,
    clinic: Clinic,
    username: str,
    *roles: Role | RoleGrant,
    is_demo: bool = False,
) -> Id:
    """The same in a unit of work of its own."""
    with database.write(SYSTEM) as session:
        return add_account(session, clinic, username, *roles, is_demo=is_demo)
