"""Staff accounts for tests. One password for all, hashed once: hashing is slow on purpose."""

from __future__ import annotations

import datetime as dt
from functools import cache

import pyotp
from sqlalchemy.orm import Session

from backend.identity import service, totp
from backend.identity.models import SecondFactor
from backend.identity.passwords import HashedPassword, hash_password
from backend.identity.queries import FACTOR_CONTEXT
from backend.identity.rules import Role, RoleGrant
from backend.kernel.ids import Id
from backend.kernel.uow import Database, keys, now
from tests.factories.clinic import Clinic
from tests.factories.databases import SYSTEM

PASSWORD = "right horse battery"
#: The second factor's secret of every account that is given one.
FACTOR_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


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
    person: int = 0,
    is_demo: bool = False,
) -> Id:
    """The same in a unit of work of its own."""
    with database.write(SYSTEM) as session:
        return add_account(session, clinic, username, *roles, person=person, is_demo=is_demo)


def give_factor(database: Database, account_id: Id) -> None:
    """A second factor in force, as if enrolled long ago."""
    with database.write(SYSTEM, housekeeping=True) as session:
        session.add(
            SecondFactor(
                account_id=account_id,
                secret_sealed=keys(session).seal(FACTOR_SECRET, FACTOR_CONTEXT),
                confirmed_at=now(session),
                last_step=0,
            )
        )


def code_at(moment: dt.datetime, steps: int = 0) -> str:
    """The code that secret shows at ``moment``, or so many steps later."""
    return pyotp.TOTP(FACTOR_SECRET).generate_otp(totp.step_of(moment) + steps)
