"""Roles given to accounts and taken from them, one at a time.

Roles are a set, so two administrators never overwrite each other: giving one that is there, or taking one that is gone,
is refused with what is so. Nobody changes their own. What an account may do changes with its next request. Duties are
kept apart by person, whatever accounts the person has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.identity import duties
from backend.identity.errors import (
    DutiesClash,
    OwnAccount,
    RoleGone,
    RoleHeld,
    RoleHospitalWide,
)
from backend.identity.models import StaffAccount, StaffRole
from backend.identity.rules import DEPARTMENT_ROLES, ROLE_WORDS, RoleGrant
from backend.identity.services.sessions import lock_account
from backend.kernel import history
from backend.kernel.errors import NotFound
from backend.kernel.ids import Id
from backend.kernel.locks import lock_name
from backend.kernel.uow import actor
from backend.organization.queries import get_department

ACCOUNT = "account"


def grant_role(session: Session, account_id: Id, grant: RoleGrant, *, hospital_id: Id) -> None:
    """Give a role, in one department or the whole hospital.

    OwnAccount, RoleHeld (409), NotFound for a department of another hospital; those of ``check_grants``.
    """
    account, rows = _locked(session, account_id, hospital_id)
    if any((row.role, row.department_id) == (grant.role, grant.department_id) for row in rows):
        raise RoleHeld
    words = grant_words(session, grant, hospital_id=hospital_id)
    check_grants(session, account.practitioner_id, [grant])
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


def check_grants(session: Session, practitioner_id: Id, grants: Iterable[RoleGrant]) -> None:
    """Before somebody is given these besides the roles of all their accounts, closed ones too: those can be reopened.

    OwnAccount for the actor; RoleHospitalWide (422) for a department with a role that has none; DutiesClash (409).
    """
    if practitioner_id == actor(session).practitioner_id:
        raise OwnAccount(fields={"practitioner": OwnAccount.default_message})
    wanted = list(grants)
    if any(each.department_id and each.role not in DEPARTMENT_ROLES for each in wanted):
        raise RoleHospitalWide(fields={"department": RoleHospitalWide.default_message})
    lock_name(session, f"duties-{practitioner_id}")  # two accounts may be given a role at once
    held = session.scalars(
        select(StaffRole.role)
        .join(StaffAccount, StaffAccount.id == StaffRole.account_id)
        .where(StaffAccount.practitioner_id == practitioner_id)
    )
    clash = duties.clashing_roles([*held, *(each.role for each in wanted)])
    if clash is not None:
        raise DutiesClash(duties.clash_words(clash), fields={"role": duties.clash_words(clash)})


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
