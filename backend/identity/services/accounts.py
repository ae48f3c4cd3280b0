"""Commands of accounts: open, close, unlock, a new password."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.identity import passwords, rules
from backend.identity.errors import PasswordWeak, UsernameInvalid, UsernameTaken
from backend.identity.models import StaffAccount, StaffRole
from backend.identity.passwords import HashedPassword
from backend.identity.rules import Attempts, Role, RoleGrant
from backend.identity.services.grants import check_grants
from backend.identity.services.sessions import (
    audit_account,
    end_sessions,
    keep_attempts,
    lock_account,
)
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name
from backend.kernel.uow import now


def create_account(
    session: Session,
    *,
    hospital_id: Id,
    username: str,
    password: str | HashedPassword,
    practitioner_id: Id,
    roles: Iterable[Role | RoleGrant],
    is_demo: bool = False,
    is_one_time: bool = False,
) -> StaffAccount:
    """Give someone who works here a login with ``roles``.

    UsernameInvalid, UsernameTaken; PasswordWeak unless it is a demo account, whose password is public anyway and
    which production refuses; those of ``check_grants``. ``is_one_time``: the password is for a day and has to be
    changed at the first login.
    """
    name = rules.normalise_username(username)
    if not rules.is_username(name):
        raise UsernameInvalid(fields={"username": UsernameInvalid.default_message})
    lock_name(session, f"username-{name}")  # of two at once the second is told so
    if session.scalar(select(StaffAccount.id).where(StaffAccount.username == name)):
        raise UsernameTaken(fields={"username": UsernameTaken.default_message})
    if isinstance(password, str):
        if not is_demo and not rules.is_strong_password(password, name):
            raise PasswordWeak(fields={"password": PasswordWeak.default_message})
        password = passwords.hash_password(password)
    grants = {g if isinstance(g, RoleGrant) else RoleGrant(g) for g in roles}
    check_grants(session, practitioner_id, grants)
    account = StaffAccount(
        id=new_id(),
        hospital_id=hospital_id,
        username=name,
        password_hash=password.text,
        practitioner_id=practitioner_id,
        is_demo=is_demo,
        must_change_password=is_one_time,
        password_ends_at=now(session) + rules.ONE_TIME_FOR if is_one_time else None,
        created_at=now(session),
    )
    session.add(account)
    session.flush()
    for grant in grants:
        session.add(
            StaffRole(account_id=account.id, role=grant.role, department_id=grant.department_id)
        )
    audit_account(
        session,
        "identity.create_account",
        account.id,
        roles=sorted(grant.role.value for grant in grants),
        is_demo=is_demo,
    )
    return account


def set_active(session: Session, account_id: Id, *, hospital_id: Id, is_active: bool) -> None:
    """Open or close an account; closing ends its sessions at once."""
    account = lock_account(session, account_id, hospital_id)
    account.is_active = is_active
    if not is_active:
        end_sessions(session, account_id)
    audit_account(
        session,
        "identity.open_account" if is_active else "identity.close_account",
        account_id,
    )


def unlock_account(session: Session, account_id: Id, *, hospital_id: Id) -> None:
    """Forget an account's failed logins before the quarter of an hour is over."""
    keep_attempts(lock_account(session, account_id, hospital_id), Attempts())
    audit_account(session, "identity.unlock_account", account_id)
