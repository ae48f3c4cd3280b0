"""Logging in and out: what is settled once a password was checked, and the life of a session's row."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import select, true, update
from sqlalchemy.orm import Session

from backend.identity import queries
from backend.identity.errors import AccountNotFound
from backend.identity.models import EndReason, SecondFactor, StaffAccount, StaffSession
from backend.identity.passwords import HashedPassword
from backend.identity.rules import Attempts
from backend.identity.views import Credentials, NewLogin, StaffView
from backend.kernel import audit
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.uow import now

_TOKEN_BYTES = 32


def settle_login(
    session: Session,
    credentials: Credentials | None,
    *,
    is_password_right: bool,
    allow_demo: bool,
    new_hash: HashedPassword | None = None,
) -> NewLogin | None:
    """Decide a login whose password was checked before; the new session, or None when refused.

    With a second factor the session awaits its code (``second_factor.settle_code``).

    The password is checked outside (hashing takes long and would hold the write lock); the account is locked and
    looked at again here, so that of many guesses made at the same time only the first five count for anything. A
    password that fitted what was stored then is wrong when another has been stored since.
    A refusal returns instead of raising, because its count and its audit row must be kept.
    """
    account = lock_row(session, StaffAccount, credentials.account_id) if credentials else None
    if credentials is None or account is None:
        audit.record(session, "identity.login_refused", entity="account", entity_id="unknown")
        return None
    moment = now(session)
    attempts = attempts_of(account)
    is_right = is_password_right and account.password_hash == credentials.password_hash
    reason = _why_refused(account, attempts.is_locked(moment), is_right, allow_demo)
    ends_at = account.password_ends_at
    if not reason and ends_at is not None and moment >= ends_at:
        reason = "one_time_ended"
    if reason:
        if reason == "password":
            keep_attempts(account, attempts.after_failure(moment))
        audit_account(
            session,
            "identity.login_refused",
            account.id,
            reason=reason,
            failed=account.failed_count,
        )
        return None
    if new_hash is not None:
        account.password_hash = new_hash.text
    factor = session.get(SecondFactor, account.id, populate_existing=True)
    if factor is not None and factor.is_confirmed:
        # The failures stay counted: a guesser of codes who knows the password gains nothing by sending it again.
        return NewLogin(start_session(session, account, awaits_code=True)[0], awaits_code=True)
    return NewLogin(log_in(session, account))


def log_in(session: Session, account: StaffAccount, *, factor: str = "") -> str:
    """The person has shown all that is asked of them: forget failures, start a session; its token.

    ``factor`` says what was shown besides the password, for the audit row.
    """
    keep_attempts(account, Attempts())
    account.last_login_at = now(session)
    token, login_id = start_session(session, account, has_shown_code=bool(factor))
    audit_account(
        session,
        "identity.log_in",
        account.id,
        login=str(login_id),
        factor=factor or "none",
    )
    return token


def start_session(
    session: Session,
    account: StaffAccount,
    *,
    awaits_code: bool = False,
    has_shown_code: bool = False,
) -> tuple[str, Id]:
    """A session row with a token of its own: the token and the row's id. ``awaits_code``: good for nothing yet."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    login = StaffSession(
        id=new_id(),
        token_hash=queries.token_hash(token),
        account_id=account.id,
        created_at=now(session),
        last_seen_at=now(session),
        awaits_code=awaits_code,
        factor_at=now(session) if has_shown_code else None,
    )
    session.add(login)
    if awaits_code:
        audit_account(
            session,
            "identity.ask_code",
            account.id,
            login=str(login.id),
        )
    return token, login.id


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


def keep_attempts(account: StaffAccount, attempts: Attempts) -> None:
    """Write what is counted of failed logins; the caller holds the account's lock."""
    account.failed_count = attempts.count
    account.failed_since = attempts.since
    account.locked_until = attempts.locked_until


def attempts_of(account: StaffAccount) -> Attempts:
    """What is counted of failed logins."""
    return Attempts(account.failed_count, account.failed_since, account.locked_until)


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
    audit_account(
        session,
        "identity.log_out",
        login.account_id,
        login=str(login.id),
        reason=reason.value,
    )
    return True


def lock_account(session: Session, account_id: Id, hospital_id: Id) -> StaffAccount:
    """The account, locked and read afresh; AccountNotFound when it is not of this hospital."""
    account = lock_row(session, StaffAccount, account_id)
    if account is None or account.hospital_id != hospital_id:
        raise AccountNotFound
    return account


def audit_account(session: Session, action: str, account_id: Id, **detail: Any) -> None:
    """The audit row of an act on an account."""
    audit.record(session, action, entity="account", entity_id=account_id, **detail)


def end_sessions(session: Session, account_id: Id, *, but: Id | None = None) -> None:
    """End every session of the account at once, but for the one given."""
    session.execute(
        update(StaffSession)
        .where(
            StaffSession.account_id == account_id,
            StaffSession.ended_at.is_(None),
            StaffSession.id != but if but is not None else true(),
        )
        .values(ended_at=now(session), end_reason=EndReason.REVOKED)
    )
