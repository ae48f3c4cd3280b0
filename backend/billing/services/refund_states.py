"""Where refunds stand: on their way, confirmed by the far end, handed over, or left to a person."""

from __future__ import annotations

from flask_babel import gettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.models import Charge, Invoice, Payment, Refund, RefundLine
from backend.billing.rules import (
    CaseKind,
    ChargeState,
    EntryKind,
    InvoiceState,
    RefundState,
    Tender,
)
from backend.billing.services import accounts, cases, ledger
from backend.billing.services.handled import who
from backend.billing.services.locking import lock_refund
from backend.contracts.billing import RefundSucceeded
from backend.kernel import audit, outbox
from backend.kernel.errors import Conflict
from backend.kernel.ids import Id
from backend.kernel.locks import lock_rows
from backend.kernel.uow import now


def finish_refund(session: Session, refund_id: Id) -> Refund:
    """The money has left: post it, and let charges and bill say so. Idempotent."""
    invoice, payment, refund = lock_refund(session, refund_id)
    if refund.state is not RefundState.SUCCEEDED:
        pay_out(session, invoice, payment, refund)
    return refund


def mark_refund_processing(session: Session, refund_id: Id) -> None:
    """The platform has taken the refund and works on it."""
    _invoice, _payment, refund = lock_refund(session, refund_id)
    if refund.state in (RefundState.CREATED, RefundState.UNKNOWN):
        set_state(session, refund, RefundState.PROCESSING)


def mark_refund_unknown(session: Session, refund_id: Id) -> None:
    """The request was sent and its answer lost: to be resolved by asking."""
    _invoice, _payment, refund = lock_refund(session, refund_id)
    if refund.state is RefundState.CREATED:
        set_state(session, refund, RefundState.UNKNOWN)


def mark_refund_abnormal(
    session: Session, refund_id: Id, code: str, *, kind: CaseKind = CaseKind.REFUND_ABNORMAL
) -> None:
    """The platform cannot pay it out: the money stays owed and a person has to look."""
    _invoice, payment, refund = lock_refund(session, refund_id)
    if refund.state in (RefundState.SUCCEEDED, RefundState.ABNORMAL):
        return
    refund.failure_code = code[:64]
    set_state(session, refund, RefundState.ABNORMAL)
    cases.open_case(
        session,
        kind,
        reference=refund.out_refund_no,
        hospital_id=refund.hospital_id,
        amount_fen=refund.amount_fen,
        payment_id=payment.id,
        refund_id=refund.id,
        code=refund.failure_code,
    )


def hand_over_cash(session: Session, refund_id: Id) -> Refund:
    """The payer came to the counter and has the cash; it counts in the drawer of who hands it over.

    Conflict (409) when this is no cash that waits, or it was handed over already.
    """
    invoice, payment, refund = lock_refund(session, refund_id)
    if payment.tender is not Tender.CASH or refund.state is not RefundState.CREATED:
        raise Conflict(code="no_cash_to_hand_over", state=refund.state.value)
    for column, value in who(session).items():
        setattr(refund, column, value)
    pay_out(session, invoice, payment, refund)
    return refund


def set_state(session: Session, refund: Refund, state: RefundState) -> None:
    refund.state = rules.move(rules.REFUND_MOVES, refund.state, state)
    audit.record(
        session,
        f"billing.refund_{state.value}",
        entity="refund",
        entity_id=refund.id,
        amount_fen=refund.amount_fen,
    )


def pay_out(session: Session, invoice: Invoice, payment: Payment, refund: Refund) -> None:
    """The money of a locked refund has left, or is back on its account: post it, and say what that ends."""
    set_state(session, refund, RefundState.SUCCEEDED)
    refund.succeeded_at = now(session)
    ledger.post(
        session,
        EntryKind.REFUND_PAID,
        source_id=refund.id,
        hospital_id=refund.hospital_id,
        lines=rules.refund_paid(payment.tender, refund.amount_fen, payment.account_id),
    )
    if payment.account_id is not None:
        accounts.put_back(session, payment.account_id, refund.amount_fen, refund.id)
    session.flush()
    if payment.is_suspended:
        for kind in (CaseKind.PAID_TOO_LATE, CaseKind.AMOUNT_DIFFERS):
            cases.close_settled_cases(session, kind, payment.id.hex, gettext("已原路退回"))
    else:
        _mark_refunded(session, invoice)
    for kind in (CaseKind.REFUND_ABNORMAL, CaseKind.OUTCOME_UNKNOWN, CaseKind.CASH_TO_HAND_BACK):
        cases.close_settled_cases(session, kind, refund.out_refund_no, gettext("退款已成功"))
    outbox.publish(
        session,
        RefundSucceeded(refund.hospital_id, invoice.id, payment.id, refund.id, refund.amount_fen),
    )


def _mark_refunded(session: Session, invoice: Invoice) -> None:
    """Move charges and bill on, by what has really gone back."""
    gone = session.execute(
        select(RefundLine.charge_id, func.sum(RefundLine.amount_fen))
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(Refund.invoice_id == invoice.id, Refund.state == RefundState.SUCCEEDED)
        .group_by(RefundLine.charge_id)
    )
    back = {charge_id: int(amount_fen) for charge_id, amount_fen in gone}
    for charge in lock_rows(session, Charge, back):
        if charge.state is ChargeState.PAID and back[charge.id] == charge.amount_fen:
            charge.state = rules.move(rules.CHARGE_MOVES, charge.state, ChargeState.REFUNDED)
    whole = sum(back.values()) == invoice.total_fen
    wanted = InvoiceState.REFUNDED if whole else InvoiceState.PART_REFUNDED
    invoice.state = rules.move(rules.INVOICE_MOVES, invoice.state, wanted)
