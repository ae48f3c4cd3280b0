"""Prepaid accounts: opened, frozen, closed, and every change of a balance, always under the account's lock.

Money comes in only as a paid top-up or as the refund of what was paid from the account; it goes out only to pay
a bill or back to the tenders it came from. Each change is posted to the ledger under the account's id.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.billing import queries, rules
from backend.billing.errors import AccountNotOpen, AccountUnknown, BalanceLeft, BalanceTooLow
from backend.billing.models import Charge, DepositAccount, Invoice
from backend.billing.rules import AccountKind, AccountState, ChargeState, EntryKind
from backend.billing.services import ledger
from backend.kernel import audit
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.uow import now


def open_account(
    session: Session,
    *,
    hospital_id: Id,
    patient_id: Id,
    kind: AccountKind = AccountKind.OUTPATIENT,
    encounter_id: Id | None = None,
) -> DepositAccount:
    """The patient's account of that kind (inpatient: of that stay), opened or opened again when there is none open.

    Two at once: a unique index lets one of them win, and both get that one.
    """
    if (kind is AccountKind.INPATIENT) != (encounter_id is not None):
        raise ValueError("an inpatient account belongs to a stay, an outpatient one to none")
    known = select(DepositAccount.id).where(
        DepositAccount.hospital_id == hospital_id,
        DepositAccount.patient_id == patient_id,
        DepositAccount.kind == kind,
        DepositAccount.encounter_id == encounter_id
        if encounter_id
        else DepositAccount.encounter_id.is_(None),
    )
    found = session.scalar(known)
    if found is not None:
        account = lock_account(session, found)
        if account.state is AccountState.CLOSED:
            _set(session, account, AccountState.OPEN, "billing.reopen_account")
            account.closed_at = None
        return account
    account = DepositAccount(
        id=new_id(),
        hospital_id=hospital_id,
        patient_id=patient_id,
        encounter_id=encounter_id,
        kind=kind,
        state=AccountState.OPEN,
        balance_fen=0,
        opened_at=now(session),
    )
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError:
        return lock_account(session, session.scalars(known).one())
    _audit(session, "billing.open_account", account)
    return account


def freeze_account(session: Session, account_id: Id, *, reason: str) -> DepositAccount:
    """Nothing goes out any more (lost card, dispute); freezing a frozen one changes nothing."""
    account = lock_account(session, account_id)
    if account.state is not AccountState.FROZEN:
        _set(session, account, AccountState.FROZEN, "billing.freeze_account", _given(reason))
    return account


def unfreeze_account(session: Session, account_id: Id, *, reason: str) -> DepositAccount:
    """Lift ``freeze_account``; a closed account is AccountNotOpen (409)."""
    account = lock_account(session, account_id)
    if account.state is AccountState.CLOSED:
        raise AccountNotOpen(state=account.state.value)
    if account.state is AccountState.FROZEN:
        _set(session, account, AccountState.OPEN, "billing.unfreeze_account", _given(reason))
    return account


def close_account(session: Session, account_id: Id) -> DepositAccount:
    """End an account that holds nothing and awaits nothing; BalanceLeft (409) otherwise, AccountNotOpen frozen."""
    account = lock_account(session, account_id)
    if account.state is AccountState.CLOSED:
        return account
    if account.state is AccountState.FROZEN:
        raise AccountNotOpen(state=account.state.value)
    awaited = session.scalar(
        select(Charge.id)
        .where(
            Charge.account_id == account.id,
            Charge.state.in_([ChargeState.PENDING, ChargeState.INVOICED]),
        )
        .limit(1)
    )
    if account.balance_fen or awaited is not None:
        raise BalanceLeft(balance_fen=account.balance_fen)
    _set(session, account, AccountState.CLOSED, "billing.close_account")
    account.closed_at = now(session)
    return account


def lock_account(session: Session, account_id: Id) -> DepositAccount:
    """The account, locked; AccountUnknown (404), also for another hospital's."""
    account = lock_row(session, DepositAccount, account_id)
    if account is None or queries.is_foreign(session, account.hospital_id):
        raise AccountUnknown
    return account


def credit_top_up(session: Session, charge: Charge, account_id: Id) -> None:
    """A top-up was paid in full: it is the account's from now on, frozen or closed as it may be meanwhile."""
    _put(session, account_id, charge.amount_fen, "billing.top_up_account", charge.id)
    ledger.post(
        session,
        EntryKind.DEPOSIT_TOPPED_UP,
        source_id=charge.id,
        hospital_id=charge.hospital_id,
        lines=rules.deposit_topped_up(charge.amount_fen, account_id),
    )


def put_back(session: Session, account_id: Id, amount_fen: int, refund_id: Id) -> None:
    """What was paid from the account comes back to it; the refund itself posts it."""
    _put(session, account_id, amount_fen, "billing.refund_to_account", refund_id)


def take(
    session: Session, invoice: Invoice, amount_fen: int, *, or_less: bool = False
) -> tuple[DepositAccount, int]:
    """Take what pays a locked bill from its patient's outpatient account, and how much; the payment posts it.

    ``or_less``: as much of it as is there.
    """
    account_id = session.scalar(
        select(DepositAccount.id).where(
            DepositAccount.hospital_id == invoice.hospital_id,
            DepositAccount.patient_id == invoice.patient_id,
            DepositAccount.kind == AccountKind.OUTPATIENT,
            DepositAccount.encounter_id.is_(None),
        )
    )
    if account_id is None:
        raise AccountUnknown
    if or_less:
        amount_fen = min(amount_fen, lock_account(session, account_id).balance_fen) or amount_fen
    account = debit(session, account_id, amount_fen, "billing.pay_from_account", invoice.id)
    return account, amount_fen


def debit(
    session: Session, account_id: Id, amount_fen: int, action: str, source_id: Id
) -> DepositAccount:
    """Take money out; AccountNotOpen, BalanceTooLow (409). The caller posts what it was taken for."""
    account = lock_account(session, account_id)
    if account.state is not AccountState.OPEN:
        raise AccountNotOpen(state=account.state.value)
    if account.balance_fen < amount_fen:
        raise BalanceTooLow(balance_fen=account.balance_fen)
    account.balance_fen -= amount_fen
    _audit(session, action, account, amount_fen=-amount_fen, source_id=str(source_id))
    return account


def _put(session: Session, account_id: Id, amount_fen: int, action: str, source_id: Id) -> None:
    account = lock_account(session, account_id)
    if account.state is AccountState.CLOSED:
        _set(session, account, AccountState.OPEN, "billing.reopen_account")
        account.closed_at = None
    account.balance_fen += amount_fen
    _audit(session, action, account, amount_fen=amount_fen, source_id=str(source_id))


def _given(reason: str) -> str:
    if not reason.strip():
        raise InvalidInput(_("请写明原因"), fields={"reason": _("必填")})
    return reason.strip()[:80]


def _set(
    session: Session, account: DepositAccount, state: AccountState, action: str, reason: str = ""
) -> None:
    if account.state is state:
        raise Conflict(code="illegal_move", state=state.value)
    account.state = rules.move(rules.ACCOUNT_MOVES, account.state, state)
    _audit(session, action, account, reason=reason)


def _audit(session: Session, action: str, account: DepositAccount, **detail: object) -> None:
    audit.record(
        session,
        action,
        entity="deposit_account",
        entity_id=account.id,
        patient_id=account.patient_id,
        balance_fen=account.balance_fen,
        **detail,
    )
