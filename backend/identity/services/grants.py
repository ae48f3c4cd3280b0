"""Roles given to accounts and taken from them, one at a time.

Roles are a set, so two administrators never overwrite each other: giving one that is there, or taking one that is gone,
is refused with what is so. Nobody changes their own. What an account may do changes with its next request.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.identity import duties
from backend.identity.errors import DutiesClash, OwnAccount, RoleGone, RoleHeld
from backend.identity.models import StaffAccount, StaffRole
from backend.identity.rules import ROLE_WORDS, RoleGrant
from backend.identity.services.sessions import lock_account
from backend.kernel import history
from backend.kernel.errors import NotFound
from backend.kernel.ids import Id
from backend.kernel.uow import actor
from backend.organization.queries import get_department

ACCOUNT = "account"


def grant_role(session: Session, account_id: Id, grant: RoleGrant, *, hospital_id: Id) -> None:
    """Give a role, in one department or the whole hospital.

    OwnAccount, RoleHeld (409), DutiesClash (409), NotFound for a department of another hospital.
    """
    account, rows = _locked(session, account_id, hospital_id)
    if any((row.role, row.department_id) == (grant.role, grant.department_id) for row in rows):
        raise RoleHeld
    words = grant_words(session, grant, hospital_id=hospital_id)
    clash = duties.clashing_roles([grant.role, *(row.role for row in rows)])
    if clash is not None:
        raise DutiesClash(duties.clash_words(clash), fields={"role": duties.clash_words(clash)})
    session.add(
        StaffRole(account_id=account_id, role=grant.role, department_id=grant.department_id)
    )
    _note(session, "identity.grant_role", account_id, account.version, ("", words))


def revoke_role(session: Session, account_id: Id, grant: RoleGrant, *, hospital_id: Id) -> None:
    """Take a role; OwnAccount, RoleGone (409)."""
    account, rows = _locked(session, account_id, hospital_id)
    row = next(
        (
            each
            for each in rows
            if (each.role, each.department_id) == (grant.role, grant.department_id)
        ),
        None,
    )
    if row is None:
        raise RoleGone
    session.delete(row)
    words = grant_words(session, grant, hospital_id=hospital_id)
    _note(session, "identity.revoke_role", account_id, account.version, (words, ""))


def grant_words(session: Session, grant: RoleGrant, *, hospital_id: Id) -> str:
    """``医生（乳腺外科）``; NotFound for a department of another hospital."""
    words = str(ROLE_WORDS[grant.role])
    if grant.department_id is None:
        return words
    department = get_department(session, grant.department_id)
    if department.hospital_id != hospital_id:
        raise NotFound
    return f"{words}（{department.name}）"


def _locked(
    session: Session, account_id: Id, hospital_id: Id
) -> tuple[StaffAccount, Sequence[StaffRole]]:
    if account_id == actor(session).id:
        raise OwnAccount
    account = lock_account(session, account_id, hospital_id)
    rows = session.scalars(select(StaffRole).where(StaffRole.account_id == account_id)).all()
    return account, rows


def _note(
    session: Session, action: str, account_id: Id, version: int, words: tuple[str, str]
) -> None:
    history.record(
        session,
        action,
        entity=ACCOUNT,
        entity_id=account_id,
        version=version,
        changes={"role": words},
    )
