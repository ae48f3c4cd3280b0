"""Ends bills unpaid: asked for, waited for while a payment is in flight, carried out with every part given back."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.errors import InvoiceNotOpen, PaymentInFlight
from backend.billing.models import Invoice, Payment
from backend.billing.rules import ChargeState, EntryKind, InvoiceState, PaymentState
from backend.billing.services import charges as charge_service
from backend.billing.services import ledger, refunds
from backend.billing.services.in_flight import in_flight_payment, request_close
from backend.billing.services.invoices import audit_invoice, charges_of, lock_invoice
from backend.contracts.billing import InvoiceVoided
from backend.kernel import audit, outbox
from backend.kernel.ids import Id
from backend.kernel.uow import now


def void_invoice(
    session: Session, invoice_id: Id, *, reason: str, cancel_charges: bool = True
) -> Invoice:
    """End an unpaid bill; its charges are cancelled, or wait for another bill.

    ``reason`` is a short code (``hold_expired``, ``cancelled``). While a QR payment of it is in
    flight the bill stays open but takes no new payment; the payment is asked to close, and the bill
    ends with it, unless the payer was quicker and nothing is due any more: then it is paid. Parts that were
    paid before go back to their tenders by themselves. Ending it again changes nothing; a paid bill is
    InvoiceNotOpen (409).
    """
    invoice = lock_invoice(session, invoice_id)
    if invoice.state is InvoiceState.VOID:
        return invoice
    if invoice.state is not InvoiceState.OPEN:
        raise InvoiceNotOpen(state=invoice.state.value)
    if invoice.void_requested_at is None:
        invoice.void_requested_at = now(session)
        invoice.void_reason = reason
        invoice.void_cancels_charges = cancel_charges
        audit_invoice(session, "billing.void_invoice", invoice, reason=reason)
    payment = in_flight_payment(session, invoice.id)
    if payment is not None:
        request_close(session, payment)
    end_if_voided(session, invoice)
    return invoice


def release_parts(session: Session, invoice_id: Id, *, reason: str) -> Invoice:
    """The payer wants back what was paid of an open bill so far: every part goes back, all of it is due again.

    InvoiceNotOpen (409) for a bill that is paid or has ended, or of which nothing was paid; PaymentInFlight
    (409) while a payment of it is open.
    """
    invoice = lock_invoice(session, invoice_id)
    if invoice.state is not InvoiceState.OPEN or not invoice.paid_fen:
        raise InvoiceNotOpen(state=invoice.state.value)
    other = in_flight_payment(session, invoice.id)
    if other is not None:
        raise PaymentInFlight(payment_id=str(other.id))
    _release_parts(session, invoice, reason)
    audit_invoice(session, "billing.release_parts", invoice, reason=reason)
    return invoice


def end_if_voided(session: Session, invoice: Invoice) -> None:
    """Carry out a wish to void a locked bill once no payment of it is in flight."""
    if invoice.state is not InvoiceState.OPEN or invoice.void_requested_at is None:
        return
    if in_flight_payment(session, invoice.id) is not None:
        return
    invoice.state = rules.move(rules.INVOICE_MOVES, invoice.state, InvoiceState.VOID)
    invoice.ended_at = now(session)
    _release_parts(session, invoice, _("账单未付清已失效，自动原路退回"))
    for charge in charges_of(session, invoice):
        if invoice.void_cancels_charges:
            charge_service.write_off(session, charge)
        else:
            charge.state = rules.move(rules.CHARGE_MOVES, charge.state, ChargeState.PENDING)
            charge.invoice_id = None
    outbox.publish(session, InvoiceVoided(invoice.hospital_id, invoice.patient_id, invoice.id))
    audit_invoice(session, "billing.end_invoice", invoice, reason=invoice.void_reason)


def _release_parts(session: Session, invoice: Invoice, reason: str) -> None:
    """What was paid of a bill pays nothing any more: each part goes back to its tender."""
    parts = session.scalars(
        select(Payment)
        .where(
            Payment.invoice_id == invoice.id,
            Payment.state == PaymentState.SUCCEEDED,
            ~Payment.is_suspended,
        )
        .order_by(Payment.id)
        .execution_options(populate_existing=True)
    ).all()
    invoice.paid_fen = 0
    for payment in parts:
        payment.is_suspended = True
        payment.released_at = now(session)
        ledger.post(
            session,
            EntryKind.PAYMENT_RELEASED,
            source_id=payment.id,
            hospital_id=payment.hospital_id,
            lines=rules.payment_released(payment.received_fen),
        )
        audit.record(
            session,
            "billing.release_payment",
            entity="payment",
            entity_id=payment.id,
            patient_id=payment.patient_id,
            invoice_id=invoice.id,
            amount_fen=payment.received_fen,
        )
        refunds.give_back(session, payment.id, reason=reason)
