"""Payments that a payer might still pay: found, and asked to close, under the lock of their invoice."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.models import Payment
from backend.billing.rules import PaymentState
from backend.contracts.billing import PaymentCloseRequested
from backend.kernel import audit, outbox
from backend.kernel.ids import Id

IN_FLIGHT = [state for state in PaymentState if rules.is_in_flight(state)]


def in_flight_payment(session: Session, invoice_id: Id) -> Payment | None:
    """The open payment of a locked invoice; there is one at most.

    Read afresh, without a lock of its own: payments change only under their invoice's lock.
    """
    return session.scalar(
        select(Payment)
        .where(Payment.invoice_id == invoice_id, Payment.state.in_(IN_FLIGHT))
        .execution_options(populate_existing=True)
    )


def request_close(session: Session, payment: Payment) -> None:
    """Ask the platform, after this transaction, to close a locked payment's order."""
    if payment.state is PaymentState.CLOSING:
        return
    payment.state = rules.move(rules.PAYMENT_MOVES, payment.state, PaymentState.CLOSING)
    audit.record(
        session,
        "billing.close_payment",
        entity="payment",
        entity_id=payment.id,
        patient_id=payment.patient_id,
    )
    outbox.publish(session, PaymentCloseRequested(payment.hospital_id, payment.id))
