"""Top-ups of prepaid accounts and withdrawals from them.

A top-up is a bill like any other (of a series of its own), so every tender, part payment, late notification and
refund works for it as it is. A withdrawal refunds top-ups, the newest first: spending is taken to use up the
oldest, so what is left lies in the newest, and no tender gets back more than came from it.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing.errors import AccountNotOpen, BalanceTooLow
from backend.billing.models import Charge, Invoice, Refund
from backend.billing.rules import AccountState, Channel, ChargeState
from backend.billing.services import accounts, charges, invoices, refunds
from backend.kernel import idempotency
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id
from backend.kernel.locks import lock_rows

#: Fifty thousand yuan at once: more than that is a slip of the finger.
MOST_AT_ONCE_FEN = 5_000_000
#: Receipts of money paid ahead (预交金收据) have numbers of their own.
SERIES = "D"


def start_top_up(
    session: Session, *, account_id: Id, amount_fen: int, key: str | None = None
) -> Invoice:
    """A bill over ``amount_fen`` that the account is credited with once it is paid in full, by any tenders.

    InvalidInput (422) outside 1 fen … 50,000 yuan; AccountNotOpen (409). ``key`` makes it idempotent.
    """
    if not 0 < amount_fen <= MOST_AT_ONCE_FEN:
        raise InvalidInput(_("充值金额应在 0.01 元到 50000 元之间"), code="amount_malformed")
    if key is None:
        return _start(session, account_id, amount_fen)
    answer = idempotency.once(
        session,
        "billing.start_top_up",
        key,
        {"account": account_id, "amount": amount_fen},
        lambda: {"id": _start(session, account_id, amount_fen).id},
    )
    return session.get_one(Invoice, Id(answer["id"]))


def withdraw(
    session: Session,
    *,
    account_id: Id,
    reason: str,
    amount_fen: int | None = None,
    channel: Channel | None = None,
    key: str | None = None,
) -> list[Refund]:
    """Give back the balance, or ``amount_fen`` of it, to the tenders it came from; one refund a payment.

    AccountNotOpen, BalanceTooLow (409). ``key`` makes it idempotent.
    """
    if key is None:
        return _withdraw(session, account_id, amount_fen, reason, channel)

    def act() -> dict[str, list[Id]]:
        made = _withdraw(session, account_id, amount_fen, reason, channel)
        return {"ids": [refund.id for refund in made]}

    facts = {"account": account_id, "amount": amount_fen}
    answer = idempotency.once(session, "billing.withdraw", key, facts, act)
    return [session.get_one(Refund, Id(found)) for found in answer["ids"]]


def _start(session: Session, account_id: Id, amount_fen: int) -> Invoice:
    account = accounts.lock_account(session, account_id)
    if account.state is not AccountState.OPEN:
        raise AccountNotOpen(state=account.state.value)
    charge = charges.raise_top_up(session, account, amount_fen)
    session.flush()
    return invoices.open_invoice(
        session, patient_id=account.patient_id, charge_ids=[charge.id], series_kind=SERIES
    )


def _withdraw(
    session: Session,
    account_id: Id,
    amount_fen: int | None,
    reason: str,
    channel: Channel | None,
) -> list[Refund]:
    top_ups = _lock_top_ups(session, account_id)
    account = accounts.lock_account(session, account_id)
    if account.state is not AccountState.OPEN:
        raise AccountNotOpen(state=account.state.value)
    wanted = account.balance_fen if amount_fen is None else amount_fen
    if not 0 < wanted <= account.balance_fen:
        raise BalanceTooLow(balance_fen=account.balance_fen)
    made: list[Refund] = []
    for charge in top_ups:
        part = min(wanted, charge.amount_fen - charge.refunded_fen)
        if part and charge.invoice_id is not None:
            made += refunds.refund_charges(
                session,
                invoice_id=charge.invoice_id,
                parts={charge.id: part},
                reason=reason,
                channel=channel,
            )
            wanted -= part
    if wanted:
        raise BalanceTooLow(balance_fen=account.balance_fen - wanted)
    return made


def _lock_top_ups(session: Session, account_id: Id) -> Sequence[Charge]:
    """The paid top-ups with something left, the newest first, their bills locked before the account."""
    paid = (
        select(Charge)
        .where(
            Charge.account_id == account_id,
            Charge.state == ChargeState.PAID,
            Charge.refunded_fen < Charge.amount_fen,
        )
        .order_by(Charge.id.desc())
        .execution_options(populate_existing=True)
    )
    found = session.scalars(paid).all()
    lock_rows(session, Invoice, [c.invoice_id for c in found if c.invoice_id is not None])
    return session.scalars(paid).all()
