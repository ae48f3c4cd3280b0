"""Commands of identity: accounts, logging in and out, sessions."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.identity import passwords, queries, rules
from backend.identity.errors import AccountNotFound, PasswordWeak, UsernameInvalid, UsernameTaken
from backend.identity.models import EndReason, StaffAccount, StaffRole, StaffSession
from backend.identity.passwords import HashedPassword
from backend.identity.rules import Attempts, Role, RoleGrant
from backend.identity.views import Credentials, StaffView
from backend.kernel import audit
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.uow import now

_TOKEN_BYTES = 32


def create_account(
    session: Session,
    *,
    hospital_id: Id,
    username: str,
    password: str | HashedPassword,
    practitioner_id: Id,
    roles: Iterable[Role | RoleGrant],
    is_demo: bool = False,
) -> StaffAccount:
    """Give someone who works here a login with ``roles``.

    UsernameInvalid, UsernameTaken; PasswordWeak unless it is a demo account, whose password is public anyway and
    which production refuses.
    """
    name = rules.normalise_username(username)
    if not rules.is_username(name):
        raise UsernameInvalid(fields={"username": UsernameInvalid.default_message})
    if session.scalar(select(StaffAccount.id).where(StaffAccount.username == name)):
        raise UsernameTaken(fields={"username": UsernameTaken.default_message})
    if isinstance(password, str):
        if not is_demo and not rules.is_strong_password(password, name):
            raise PasswordWeak(fields={"password": PasswordWeak.default_message})
        password = passwords.hash_password(password)
    account = StaffAccount(
        id=new_id(),
        hospital_id=hospital_id,
        username=name,
        password_hash=password.text,
        practitioner_id=practitioner_id,
        is_demo=is_demo,
        created_at=now(session),
    )
    session.add(account)
    session.flush()
    grants = {g if isinstance(g, RoleGrant) else RoleGrant(g) for g in roles}
    for grant in grants:
        session.add(
            StaffRole(account_id=account.id, role=grant.role, department_id=grant.department_id)
        )
    audit.record(
        session,
        "identity.create_account",
        entity="account",
        entity_id=account.id,
        roles=sorted(grant.role.value for grant in grants),
        is_demo=is_demo,
    )
    return account


def settle_login(
    session: Session,
    credentials: Credentials | None,
    *,
    is_password_right: bool,
    allow_demo: bool,
    new_hash: HashedPassword | None = None,
) -> str | None:
    """Decide a login whose password was checked before; the token of the new session, or None when refused.

    The password is checked outside (hashing takes long and would hold the write lock); the account is locked and
    looked at again here, so that of many guesses made at the same time only the first five count for anything.
    A refusal returns instead of raising, because its count and its audit row must be kept.
    """
    account = lock_row(session, StaffAccount, credentials.account_id) if credentials else None
    if account is None:
        audit.record(session, "identity.login_refused", entity="account", entity_id="unknown")
        return None
    moment = now(session)
    attempts = Attempts(account.failed_count, account.failed_since, account.locked_until)
    reason = _why_refused(account, attempts.is_locked(moment), is_password_right, allow_demo)
    if reason:
        if reason == "password":
            _keep(account, attempts.after_failure(moment))
        audit.record(
            session,
            "identity.login_refused",
            entity="account",
            entity_id=account.id,
            reason=reason,
            failed=account.failed_count,
        )
        return None
    _keep(account, Attempts())
    account.last_login_at = moment
    if new_hash is not None:
        account.password_hash = new_hash.text
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    login = StaffSession(
        id=new_id(),
        token_hash=queries.token_hash(token),
        account_id=account.id,
        created_at=moment,
        last_seen_at=moment,
    )
    session.add(login)
    audit.record(
        session, "identity.log_in", entity="account", entity_id=account.id, login=str(login.id)
    )
    return token


def _why_refused(
    account: StaffAccount, is_locked: bool, is_password_right: bool, allow_demo: bool
) -> str:
    if is_locked:
        return "locked"
    if not is_password_right:
        return "password"
    if not account.is_active:
        return "inactive"
    return "demo" if account.is_demo and not allow_demo else ""


def _keep(account: StaffAccount, attempts: Attempts) -> None:
    account.failed_count = attempts.count
    account.failed_since = attempts.since
    account.locked_until = attempts.locked_until


def touch_session(session: Session, staff: StaffView) -> None:
    """Write that the person acted now; the caller asks at most once in ``rules.SEEN_EVERY``. Needs no audit row."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.id == staff.session_id, StaffSession.ended_at.is_(None))
        .values(last_seen_at=now(session))
    )


def log_out(session: Session, token: str, *, reason: EndReason = EndReason.LOGGED_OUT) -> bool:
    """End the session of ``token`` for good; False when it was unknown or had ended before."""
    login = session.scalar(
        select(StaffSession).where(
            StaffSession.token_hash == queries.token_hash(token), StaffSession.ended_at.is_(None)
        )
    )
    if login is None:
        return False
    login.ended_at = now(session)
    login.end_reason = reason
    audit.record(
        session,
        "identity.log_out",
        entity="account",
        entity_id=login.account_id,
        login=str(login.id),
        reason=reason.value,
    )
    return True


def set_active(session: Session, account_id: Id, *, hospital_id: Id, is_active: bool) -> None:
    """Open or close an account; closing ends its sessions at once."""
    account = _locked(session, account_id, hospital_id)
    account.is_active = is_active
    if not is_active:
        _end_sessions(session, account_id)
    audit.record(
        session,
        "identity.open_account" if is_active else "identity.close_account",
        entity="account",
        entity_id=account_id,
    )


def unlock_account(session: Session, account_id: Id, *, hospital_id: Id) -> None:
    """Forget an account's failed logins before the quarter of an hour is over."""
    _keep(_locked(session, account_id, hospital_id), Attempts())
    audit.record(session, "identity.unlock_account", entity="account", entity_id=account_id)


def set_password(session: Session, account_id: Id, *, hospital_id: Id, password: str) -> None:
    """Give an account a new password and end its sessions. PasswordWeak."""
    account = _locked(session, account_id, hospital_id)
    if not rules.is_strong_password(password, account.username):
        raise PasswordWeak(fields={"password": PasswordWeak.default_message})
    account.password_hash = passwords.hash_password(password).text
    _end_sessions(session, account_id)
    audit.record(session, "identity.set_password", entity="account", entity_id=account_id)


def _locked(session: Session, account_id: Id, hospital_id: Id) -> StaffAccount:
    account = lock_row(session, StaffAccount, account_id)
    if account is None or account.hospital_id != hospital_id:
        raise AccountNotFound
    return account


def _end_sessions(session: Session, account_id: Id) -> None:
    session.execute(
        update(StaffSession)
        .where(StaffSession.account_id == account_id, StaffSession.ended_at.is_(None))
        .values(ended_at=now(session), end_reason=EndReason.REVOKED)
    )
