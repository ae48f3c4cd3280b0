"""What a payment's end means for its bill: a part more is paid, or the try is over."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.models import Invoice, Payment
from backend.billing.rules import EntryKind, PaymentState
from backend.billing.services import invoices, ledger
from backend.billing.services.endings import end_if_voided
from backend.billing.services.in_flight import in_flight_payment, request_close
from backend.billing.services.silence import outcome_is_known
from backend.contracts.billing import PaymentEnded, PaymentSucceeded
from backend.kernel import audit, outbox
from backend.kernel.uow import now


def settle(session: Session, invoice: Invoice, payment: Payment, *, paid_at: dt.datetime) -> None:
    """The money of a locked payment pays its locked, open bill, whole or in part.

    A bill that was to be voided ends now, if this did not pay the last of it.
    """
    payment.state = rules.move(rules.PAYMENT_MOVES, payment.state, PaymentState.SUCCEEDED)
    payment.received_fen = payment.amount_fen
    payment.paid_at, payment.ended_at = paid_at, now(session)
    invoice.paid_fen += payment.received_fen
    session.flush()
    ledger.post(
        session,
        EntryKind.PAYMENT_RECEIVED,
        source_id=payment.id,
        hospital_id=payment.hospital_id,
        lines=rules.payment_received(payment.tender, payment.received_fen, payment.account_id),
    )
    audit_payment(session, "billing.payment_succeeded", payment)
    outcome_is_known(session, payment)
    outbox.publish(
        session,
        PaymentSucceeded(
            payment.hospital_id,
            payment.patient_id,
            invoice.id,
            payment.id,
            payment.tender.value,
            payment.received_fen,
            paid_at,
        ),
    )
    if invoice.paid_fen == invoice.total_fen:
        invoices.mark_paid(session, invoice, payment)
    other = in_flight_payment(session, invoice.id)
    if other is not None and other.amount_fen > invoice.total_fen - invoice.paid_fen:
        request_close(session, other)
    end_if_voided(session, invoice)


def end_unpaid(session: Session, invoice: Invoice, payment: Payment, state: PaymentState) -> None:
    """A locked payment ends without paying its bill; a bill that waited for that may end now."""
    payment.state = rules.move(rules.PAYMENT_MOVES, payment.state, state)
    payment.ended_at = now(session)
    session.flush()
    audit_payment(session, f"billing.payment_{state.value}", payment)
    outcome_is_known(session, payment)
    outbox.publish(session, PaymentEnded(payment.hospital_id, invoice.id, payment.id, state.value))
    end_if_voided(session, invoice)


def audit_payment(session: Session, action: str, payment: Payment) -> None:
    """The audit row of one step of a payment."""
    audit.record(
        session,
        action,
        entity="payment",
        entity_id=payment.id,
        patient_id=payment.patient_id,
        invoice_id=payment.invoice_id,
        tender=payment.tender,
        amount_fen=payment.amount_fen,
    )
