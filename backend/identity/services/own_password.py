"""Passwords handed out and changed: a one-time password from an administrator, the person's own choice after it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.identity import rules
from backend.identity.errors import OwnAccount, PasswordWeak
from backend.identity.passwords import HashedPassword
from backend.identity.rules import Attempts
from backend.identity.services.sessions import (
    attempts_of,
    audit_account,
    end_sessions,
    keep_attempts,
    lock_account,
)
from backend.identity.views import StaffView
from backend.kernel.ids import Id
from backend.kernel.uow import actor, now


def issue_password(
    session: Session, account_id: Id, *, hospital_id: Id, password: HashedPassword
) -> None:
    """Put a one-time password in place of a forgotten one, for a day; it has to be changed at the first login.

    Ends the account's sessions and forgets its failed logins. OwnAccount: one's own is changed, not reset.
    """
    if account_id == actor(session).id:
        raise OwnAccount
    account = lock_account(session, account_id, hospital_id)
    account.password_hash = password.text
    account.must_change_password = True
    account.password_ends_at = now(session) + rules.ONE_TIME_FOR
    keep_attempts(account, Attempts())
    end_sessions(session, account_id)
    audit_account(session, "identity.issue_password", account_id)


def change_own_password(
    session: Session,
    staff: StaffView,
    *,
    is_current_right: bool,
    checked_hash: str,
    new: HashedPassword,
) -> bool:
    """The person's own new password; their other sessions end. False when the current one was wrong or they are locked.

    The current one was checked outside against ``checked_hash``; when another is stored by now (an administrator's
    one-time password) it is wrong. A wrong one is counted with failed logins and returned, not raised, so that it
    is kept.
    """
    account = lock_account(session, staff.account_id, staff.hospital_id)
    attempts = attempts_of(account)
    is_right = is_current_right and account.password_hash == checked_hash
    if attempts.is_locked(now(session)) or not is_right:
        keep_attempts(account, attempts.after_failure(now(session)))
        audit_account(session, "identity.password_refused", account.id, failed=account.failed_count)
        return False
    account.password_hash = new.text
    account.must_change_password = False
    account.password_ends_at = None
    keep_attempts(account, Attempts())
    end_sessions(session, account.id, but=staff.session_id)
    audit_account(session, "identity.change_password", account.id)
    return True


def check_new_password(password: str, again: str, *, username: str, current: str) -> None:
    """PasswordWeak (422, by field) for a short one, the old one, or two that differ."""
    wrong: dict[str, object] = {}
    if not rules.is_strong_password(password, username):
        wrong["new"] = PasswordWeak.default_message
    elif password == current:
        wrong["new"] = PasswordWeak.same_message
    elif password != again:
        wrong["again"] = PasswordWeak.differs_message
    if wrong:
        raise PasswordWeak(fields=wrong)
