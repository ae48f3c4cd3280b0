"""Commands of the second factor: enrolment, the login's second step, step-up, recovery codes, reset.

Every command locks the account first, so that a code sent twice at the same time counts once, and wrong codes are
counted together with wrong passwords.
"""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.identity import queries, rules, totp
from backend.identity.errors import AccountNotFound, CodeRefused, EnrolmentLate, OwnAccount
from backend.identity.models import (
    EndReason,
    RecoveryCode,
    SecondFactor,
    StaffAccount,
    StaffSession,
)
from backend.identity.rules import SessionState
from backend.identity.services.sessions import (
    attempts_of,
    audit_account,
    end_sessions,
    keep_attempts,
    lock_account,
    log_in,
)
from backend.identity.views import StaffView
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.uow import actor, keys, now


def begin_enrolment(session: Session, staff: StaffView) -> None:
    """Make a secret for the person's authenticator program; it counts once ``confirm_enrolment`` saw a code of it."""
    lock_account(session, staff.account_id, staff.hospital_id)
    factor = _factor_of(session, staff.account_id)
    if factor is None:
        factor = SecondFactor(account_id=staff.account_id, last_step=0)
        session.add(factor)
    factor.pending_sealed = keys(session).seal(totp.new_secret(), queries.FACTOR_CONTEXT)
    factor.pending_at = now(session)
    audit_account(session, "identity.begin_factor", staff.account_id)


def confirm_enrolment(session: Session, staff: StaffView, code: str) -> list[str]:
    """The first code is right: the secret is in force. The recovery codes, to be shown once.

    Other sessions of the account end, for they showed no code. EnrolmentLate; CodeRefused, which is not counted:
    whoever sees this page has the secret before their eyes.
    """
    lock_account(session, staff.account_id, staff.hospital_id)
    factor = _factor_of(session, staff.account_id)
    if factor is None or factor.pending_sealed is None or factor.pending_at is None:
        raise EnrolmentLate
    if now(session) - factor.pending_at >= rules.ENROL_WITHIN:
        raise EnrolmentLate
    secret = keys(session).open(factor.pending_sealed, queries.FACTOR_CONTEXT)
    given = totp.normalise(code)
    step = totp.matching_step(secret, given, moment=now(session), last_step=0)
    if step is None:
        raise CodeRefused(
            _("动态口令不对"),
            next_step=_("请核对手机时间是否准确，输入最新出现的 6 位数字"),
            fields={"code": _("动态口令不对")},
        )
    factor.secret_sealed, factor.pending_sealed, factor.pending_at = (
        factor.pending_sealed, None, None
    )  # fmt: skip
    factor.confirmed_at, factor.last_step = now(session), step
    end_sessions(session, staff.account_id, but=staff.session_id)
    _note_shown(session, staff.session_id)
    audit_account(session, "identity.confirm_factor", staff.account_id)
    return _make_recovery_codes(session, staff.account_id)


def settle_code(session: Session, token: str, code: str, *, allow_demo: bool) -> str | None:
    """Decide the second step of a login: the token of the full session, or None when refused.

    A refusal is counted with wrong passwords and returned, not raised, so that it is kept; the fifth locks the
    account and ends the waiting session.
    """
    waiting = session.scalar(
        select(StaffSession).where(StaffSession.token_hash == queries.token_hash(token))
    )
    account = lock_row(session, StaffAccount, waiting.account_id) if waiting else None
    if waiting is None or account is None:
        return None
    session.refresh(waiting)
    state = rules.session_state(
        created_at=waiting.created_at,
        last_seen_at=waiting.last_seen_at,
        ended_at=waiting.ended_at,
        now=now(session),
        idle=rules.CODE_WITHIN,
        awaits_code=waiting.awaits_code,
    )
    if state is not SessionState.AWAITS_CODE:
        return None
    is_open = account.is_active and (allow_demo or not account.is_demo)
    shown = _check_code(session, account, code) if is_open else ""
    if not shown:
        if attempts_of(account).is_locked(now(session)) or not is_open:
            waiting.ended_at, waiting.end_reason = now(session), EndReason.REVOKED
        return None
    waiting.ended_at, waiting.end_reason = now(session), EndReason.REPLACED
    return log_in(session, account, factor=shown)


def settle_step_up(session: Session, staff: StaffView, code: str) -> bool:
    """A code shown again within a session, before a sensitive act; False when refused (which is counted)."""
    account = lock_account(session, staff.account_id, staff.hospital_id)
    shown = _check_code(session, account, code)
    if not shown:
        return False
    _note_shown(session, staff.session_id)
    audit_account(session, "identity.step_up", account.id, factor=shown)
    return True


def renew_recovery_codes(session: Session, staff: StaffView) -> list[str]:
    """A fresh set, to be shown once; the one before is worth nothing any more. EnrolmentLate without a factor."""
    lock_account(session, staff.account_id, staff.hospital_id)
    factor = _factor_of(session, staff.account_id)
    if factor is None or not factor.is_confirmed:
        raise EnrolmentLate
    audit_account(session, "identity.renew_recovery_codes", staff.account_id)
    return _make_recovery_codes(session, staff.account_id)


def remove_factor(session: Session, staff: StaffView) -> None:
    """The person gives up their own second factor; whether their roles allow it is the caller's question."""
    lock_account(session, staff.account_id, staff.hospital_id)
    _forget(session, staff.account_id)
    audit_account(session, "identity.remove_factor", staff.account_id)


def reset_factor(session: Session, account_id: Id, *, hospital_id: Id, reason: str) -> None:
    """An administrator takes away another's lost second factor, for a stated reason; their sessions end.

    OwnAccount for one's own; InvalidInput without a reason; AccountNotFound when there is nothing to reset.
    """
    if account_id == actor(session).id:
        raise OwnAccount
    words = reason.strip()
    if not words:
        raise InvalidInput(_("请写明重置原因"), fields={"reason": _("必填")})
    lock_account(session, account_id, hospital_id)
    if not _forget(session, account_id):
        raise AccountNotFound(_("这个账号没有绑定动态口令"))
    end_sessions(session, account_id)
    audit_account(session, "identity.reset_factor", account_id, reason=words)


def _check_code(session: Session, account: StaffAccount, code: str) -> str:
    """``totp`` or ``recovery`` when the code is right and unused (it is spent now); otherwise one failure more."""
    attempts = attempts_of(account)
    moment = now(session)
    factor = _factor_of(session, account.id)
    shown = ""
    if factor is not None and factor.is_confirmed and not attempts.is_locked(moment):
        given = totp.normalise(code)
        if totp.is_totp(given):
            shown = "totp" if _spend_step(session, factor, given) else ""
        else:
            shown = "recovery" if _spend_recovery_code(session, account.id, given) else ""
    if shown:
        keep_attempts(account, rules.Attempts())
        return shown
    reason = "locked" if attempts.is_locked(moment) else "code"
    keep_attempts(account, attempts.after_failure(moment))
    audit_account(
        session,
        "identity.code_refused",
        account.id,
        reason=reason,
        failed=account.failed_count,
    )
    return ""


def _spend_step(session: Session, factor: SecondFactor, code: str) -> bool:
    assert factor.secret_sealed is not None  # noqa: S101 - only confirmed factors come here
    secret = keys(session).open(factor.secret_sealed, queries.FACTOR_CONTEXT)
    step = totp.matching_step(secret, code, moment=now(session), last_step=factor.last_step)
    if step is None:
        return False
    factor.last_step = step
    return True


def _spend_recovery_code(session: Session, account_id: Id, code: str) -> bool:
    found = session.scalar(
        select(RecoveryCode).where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash == totp.recovery_hash(code),
            RecoveryCode.used_at.is_(None),
            RecoveryCode.withdrawn_at.is_(None),
        )
    )
    if found is None:
        return False
    found.used_at = now(session)
    return True


def _factor_of(session: Session, account_id: Id) -> SecondFactor | None:
    """Read afresh under the account's lock."""
    return session.get(SecondFactor, account_id, populate_existing=True)


def _forget(session: Session, account_id: Id) -> bool:
    """Drop secret and codes; False when there was no factor in force."""
    factor = _factor_of(session, account_id)
    if factor is None or not factor.is_confirmed:
        return False
    factor.secret_sealed = factor.pending_sealed = None
    factor.pending_at = factor.confirmed_at = None
    _withdraw_codes(session, account_id)
    return True


def _make_recovery_codes(session: Session, account_id: Id) -> list[str]:
    _withdraw_codes(session, account_id)
    made = totp.new_recovery_codes()
    for code in made:
        session.add(
            RecoveryCode(
                id=new_id(),
                account_id=account_id,
                code_hash=totp.recovery_hash(code),
                created_at=now(session),
            )
        )
    return made


def _withdraw_codes(session: Session, account_id: Id) -> None:
    session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.used_at.is_(None),
            RecoveryCode.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now(session))
    )


def _note_shown(session: Session, session_id: Id) -> None:
    session.execute(
        update(StaffSession).where(StaffSession.id == session_id).values(factor_at=now(session))
    )
