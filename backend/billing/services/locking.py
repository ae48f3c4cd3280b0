"""The one order in which money's rows are locked: bill, payment, refund, then the prepaid account."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing.errors import PaymentUnknown, RefundUnknown
from backend.billing.models import Invoice, Payment, Refund
from backend.billing.services.invoices import lock_invoice
from backend.kernel.ids import Id
from backend.kernel.locks import lock_row


def lock_payment(session: Session, payment_id: Id) -> tuple[Invoice, Payment]:
    """A payment and its bill, locked in that order everywhere: bill first. PaymentUnknown (404)."""
    invoice_id = session.scalar(select(Payment.invoice_id).where(Payment.id == payment_id))
    if invoice_id is None:
        raise PaymentUnknown
    invoice = lock_invoice(session, invoice_id)
    payment = lock_row(session, Payment, payment_id)
    if payment is None:
        raise PaymentUnknown
    return invoice, payment


def lock_refund(session: Session, refund_id: Id) -> tuple[Invoice, Payment, Refund]:
    """A refund with its payment and bill. RefundUnknown (404)."""
    payment_id = session.scalar(select(Refund.payment_id).where(Refund.id == refund_id))
    if payment_id is None:
        raise RefundUnknown
    invoice, payment = lock_payment(session, payment_id)
    refund = lock_row(session, Refund, refund_id)
    if refund is None:
        raise RefundUnknown
    return invoice, payment, refund
