"""What the platform says about payments and refunds, applied to the books: once, in any order."""

from __future__ import annotations

from collections.abc import Callable

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import ports, rules
from backend.billing.errors import PaymentUnknown, RefundUnknown
from backend.billing.models import Invoice, Payment, Refund
from backend.billing.ports import RefundStatus, TradeState, TradeStatus
from backend.billing.rules import (
    CaseKind,
    EntryKind,
    InvoiceState,
    PaymentState,
    Verdict,
)
from backend.billing.services import cases, ledger, refund_states, refunds
from backend.billing.services.endings import end_if_voided
from backend.billing.services.locking import lock_payment
from backend.billing.services.settling import end_unpaid, settle
from backend.billing.services.silence import outcome_is_known
from backend.contracts.billing import PaymentEnded
from backend.kernel import audit, outbox
from backend.kernel.uow import now

#: Applies a payment report to the books and to what hangs on the bill.
RecordTradeStatus = Callable[[Session, TradeStatus], object]


def apply_trade_status(session: Session, status: TradeStatus) -> Payment:
    """Apply what the platform reports (by notification or when asked) to the payment and its bill.

    Idempotent, and safe in any order: an end is never undone by an older report. Money that arrives
    is never lost: it pays the bill, or lies in suspense with a case (another amount than asked:
    frozen; a bill that has ended: given back by itself). PaymentUnknown (404) for an order that is
    not ours: see ``record_stray_trade``.
    """
    payment_id = session.scalar(
        select(Payment.id).where(Payment.out_trade_no == status.out_trade_no)
    )
    if payment_id is None:
        raise PaymentUnknown
    invoice, payment = lock_payment(session, payment_id)
    if status.state.is_paid:
        _apply_paid(session, invoice, payment, status)
    elif status.state is TradeState.CLOSED:
        if rules.is_in_flight(payment.state):
            end_unpaid(session, invoice, payment, PaymentState.CLOSED)
    elif status.state is TradeState.NOT_FOUND and payment.state is PaymentState.CLOSING:
        # It never reached the platform, so nobody can ever pay it.
        end_unpaid(session, invoice, payment, PaymentState.CLOSED)
    return payment


def apply_refund_status(session: Session, status: RefundStatus) -> Refund:
    """Apply what the platform reports about a refund. Idempotent, safe in any order.

    RefundUnknown (404) for a refund that is not ours.
    """
    refund = session.scalar(select(Refund).where(Refund.out_refund_no == status.out_refund_no))
    if refund is None:
        raise RefundUnknown
    if status.state is ports.RefundState.SUCCESS:
        if status.amount_fen is not None and status.amount_fen != refund.amount_fen:
            refund_states.mark_refund_abnormal(
                session, refund.id, "AMOUNT_DIFFERS", kind=CaseKind.REFUND_DIFFERS
            )
        else:
            refund_states.finish_refund(session, refund.id)
    elif status.state is ports.RefundState.PROCESSING:
        refund_states.mark_refund_processing(session, refund.id)
    elif status.state in (ports.RefundState.ABNORMAL, ports.RefundState.CLOSED):
        refund_states.mark_refund_abnormal(session, refund.id, status.state.name)
    if status.refund_id and refund.refund_id is None:
        refund.refund_id = status.refund_id
        audit.record(
            session,
            "billing.name_refund",
            entity="refund",
            entity_id=refund.id,
            refund_id=status.refund_id,
        )
    return refund


def _apply_paid(session: Session, invoice: Invoice, payment: Payment, status: TradeStatus) -> None:
    is_open = invoice.state is InvoiceState.OPEN
    verdict = rules.judge_paid(
        payment.state,
        asked_fen=payment.amount_fen,
        reported_fen=status.amount_fen,
        invoice_state=invoice.state,
        due_fen=invoice.total_fen - invoice.paid_fen if is_open else 0,
    )
    if verdict is Verdict.NOTHING:
        return
    payment.transaction_id = status.transaction_id
    paid_at = status.paid_at or now(session)
    if verdict is Verdict.SETTLE:
        settle(session, invoice, payment, paid_at=paid_at)
        return
    payment.received_fen = status.amount_fen or 0
    payment.is_suspended = True
    payment.paid_at, payment.ended_at = paid_at, now(session)
    frozen = verdict is Verdict.FREEZE
    wanted = PaymentState.FROZEN if frozen else PaymentState.SUCCEEDED
    payment.state = rules.move(rules.PAYMENT_MOVES, payment.state, wanted)
    session.flush()
    _suspend(session, invoice, payment, frozen=frozen)
    outcome_is_known(session, payment)
    if frozen:
        outbox.publish(
            session,
            PaymentEnded(payment.hospital_id, invoice.id, payment.id, payment.state.value),
        )
    else:
        refunds.give_back(session, payment.id, reason=_("账单已失效，自动原路退回"))
    end_if_voided(session, invoice)


def _suspend(session: Session, invoice: Invoice, payment: Payment, *, frozen: bool) -> None:
    ledger.post(
        session,
        EntryKind.PAYMENT_SUSPENDED,
        source_id=payment.id,
        hospital_id=payment.hospital_id,
        lines=rules.payment_suspended(payment.tender, payment.received_fen),
    )
    cases.open_case(
        session,
        CaseKind.AMOUNT_DIFFERS if frozen else CaseKind.PAID_TOO_LATE,
        reference=payment.id.hex,
        hospital_id=payment.hospital_id,
        amount_fen=payment.received_fen,
        payment_id=payment.id,
        asked_fen=payment.amount_fen,
        invoice_state=invoice.state.value,
    )
    audit.record(
        session,
        "billing.suspend_payment",
        entity="payment",
        entity_id=payment.id,
        patient_id=payment.patient_id,
        received_fen=payment.received_fen,
        asked_fen=payment.amount_fen,
    )
