"""Settlement: money that arrives settles its bill and, in the same unit of work, what hangs on it.

Locks are taken bill first, then place, here and in refunds, so that the two never wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.ports import TradeStatus
from backend.billing.rules import Channel, ChargeState, InvoiceState
from backend.billing.views import PaymentView
from backend.contracts.billing import InvoicePaid
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.scheduling import queries as appointments
from backend.scheduling import service as scheduling
from backend.scheduling.errors import SlotGone
from backend.scheduling.rules import AppointmentState

#: The kind of source a visit's charge names.
APPOINTMENT = "appointment"
SLOT_GONE_REASON = "号源已被他人取走，自动退款"


def record_trade_status(session: Session, status: TradeStatus) -> Id:
    """Apply a platform's report to the books and to the visits that the bill pays for; the payment. Idempotent."""
    payment = billing.apply_trade_status(session, status)
    if status.state.is_paid:
        session.flush()
        confirm_paid_visits(session, payment.invoice_id)
    return payment.id


def pay_cash(
    session: Session,
    *,
    invoice_id: Id,
    received_fen: int,
    amount_fen: int | None = None,
    channel: Channel | None = None,
    key: str | None = None,
) -> Id:
    """Take cash at the counter and confirm what it pays for; the payment. Errors: those of ``billing.pay_cash``."""
    payment = billing.pay_cash(
        session,
        invoice_id=invoice_id,
        received_fen=received_fen,
        amount_fen=amount_fen,
        channel=channel,
        key=key,
    )
    session.flush()
    confirm_paid_visits(session, invoice_id)
    return payment.id


def pay_prepaid(
    session: Session, *, invoice_id: Id, amount_fen: int | None = None, key: str | None = None
) -> Id:
    """Pay from the patient's account and confirm what that pays for; the payment. Amount and errors: billing's."""
    payment = billing.pay_prepaid(session, invoice_id=invoice_id, amount_fen=amount_fen, key=key)
    session.flush()
    confirm_paid_visits(session, invoice_id)
    return payment.id


def subscribe(subscriptions: Subscriptions) -> None:
    """However a bill came to be paid, its visits are confirmed."""
    subscriptions.on(InvoicePaid, "journeys.confirm_visits", confirm_after_payment)


def confirm_after_payment(session: Session, event: InvoicePaid) -> None:
    """Usually done already in the unit of work that took the money."""
    confirm_paid_visits(session, event.invoice_id)


def confirm_paid_visits(session: Session, invoice_id: Id) -> None:
    """Confirm the appointments on a paid bill; a place that is gone meanwhile is refunded unasked.

    Idempotent. A hold that lapsed is claimed again when the place is still free.
    """
    billing.lock_invoice(session, invoice_id)
    invoice = bills.get_invoice(session, invoice_id)
    if invoice.state not in (InvoiceState.PAID, InvoiceState.PART_REFUNDED):
        return
    for line in invoice.lines:
        is_kept = line.state is ChargeState.PAID and line.refunded_fen < line.amount_fen
        if line.source_kind != APPOINTMENT or (not is_kept and line.amount_fen):
            continue
        try:
            scheduling.confirm_appointment(session, line.source_id)
        except SlotGone:
            if not line.amount_fen:
                continue  # free of charge and given back meanwhile: nothing is owed to anybody
            billing.refund_charges(
                session,
                invoice_id=invoice_id,
                parts={line.charge_id: line.amount_fen - line.refunded_fen},
                reason=SLOT_GONE_REASON,
            )


@dataclass(frozen=True, slots=True)
class PaymentOutcome:
    """How a payment stands for the person who pays. ``is_visit_lost``: paid, but the place was gone."""

    payment: PaymentView
    is_visit_lost: bool
    words: str


def payment_outcome(session: Session, payment_id: Id) -> PaymentOutcome:
    """The payment with what it means for the visit, in the payer's words."""
    payment = bills.get_payment(session, payment_id)
    is_lost = False
    if payment.paid_at is not None and not payment.is_given_back:
        invoice = bills.get_invoice(session, payment.invoice_id)
        ids = [line.source_id for line in invoice.lines if line.source_kind == APPOINTMENT]
        ended = (AppointmentState.EXPIRED, AppointmentState.CANCELLED)
        is_lost = any(appointments.get_appointment(session, i).state in ended for i in ids)
    words = payment.outcome_words
    if is_lost:
        words = str(_("付款时号源已被他人取走，款项正在原路退回，请重新选择"))
    return PaymentOutcome(payment, is_lost, words)
