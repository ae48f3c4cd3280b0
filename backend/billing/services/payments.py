"""Takes money for bills: cash at the counter, QR orders at a platform (the intent and the results).

Nothing here talks to a platform: requests go out as events, answers come back as the ``store_…`` and
``mark_…`` functions and ``apply_trade_status``.
"""

from __future__ import annotations

import datetime as dt

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.errors import (
    AmountDiffers,
    InvoiceExpired,
    InvoiceNotOpen,
    PaymentInFlight,
)
from backend.billing.models import Invoice, Payment
from backend.billing.rules import Channel, EntryKind, InvoiceState, PaymentState, Tender
from backend.billing.services import invoices, ledger
from backend.billing.services.handled import who
from backend.billing.services.in_flight import in_flight_payment, request_close
from backend.billing.services.refunds import lock_payment
from backend.contracts.billing import (
    PaymentCheckDue,
    PaymentEnded,
    PaymentRequested,
    PaymentSucceeded,
)
from backend.kernel import audit, idempotency, outbox
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import now


def pay_cash(
    session: Session,
    *,
    invoice_id: Id,
    received_fen: int,
    channel: Channel | None = None,
    key: str | None = None,
) -> Payment:
    """Take cash for a bill, whole; the change is in the payment.

    CashTooLittle (422); InvoiceNotOpen, InvoiceExpired, PaymentInFlight (409): a QR payment must be
    asked to close first. ``key`` makes the command idempotent.
    """
    if key is None:
        return _pay_cash(session, invoice_id, received_fen, channel)
    answer = idempotency.once(
        session,
        "billing.pay_cash",
        key,
        {"invoice": invoice_id, "received": received_fen},
        lambda: {"id": _pay_cash(session, invoice_id, received_fen, channel).id},
    )
    return session.get_one(Payment, Id(answer["id"]))


def _pay_cash(
    session: Session, invoice_id: Id, received_fen: int, channel: Channel | None
) -> Payment:
    invoice = invoices.lock_invoice(session, invoice_id)
    _require_payable(session, invoice)
    other = in_flight_payment(session, invoice.id)
    if other is not None and other.state is not PaymentState.CLOSING:
        raise PaymentInFlight(payment_id=str(other.id))
    change_fen = rules.cash_change(invoice.total_fen, received_fen)
    payment = _new_payment(session, invoice, Tender.CASH, channel)
    payment.tendered_fen, payment.change_fen = received_fen, change_fen
    settle(session, invoice, payment, paid_at=now(session))
    return payment


def start_qr_payment(
    session: Session,
    *,
    invoice_id: Id,
    amount_fen: int,
    tender: Tender = Tender.WECHAT_NATIVE,
    channel: Channel | None = None,
    key: str | None = None,
) -> Payment:
    """Begin a QR payment of a bill: the order is opened at the platform after this transaction.

    ``amount_fen`` is what the payer was shown; AmountDiffers (409, with ``due_fen``) when another
    amount is due. An open QR of the same bill is given again; one that is closing is
    PaymentInFlight (409). InvoiceNotOpen, InvoiceExpired (409). ``key`` makes it idempotent.
    """
    if key is None:
        return _start_qr(session, invoice_id, amount_fen, tender, channel)
    answer = idempotency.once(
        session,
        "billing.start_qr_payment",
        key,
        {"invoice": invoice_id, "amount": amount_fen, "tender": tender},
        lambda: {"id": _start_qr(session, invoice_id, amount_fen, tender, channel).id},
    )
    return session.get_one(Payment, Id(answer["id"]))


def _start_qr(
    session: Session, invoice_id: Id, amount_fen: int, tender: Tender, channel: Channel | None
) -> Payment:
    if tender in rules.OWN_TENDERS:
        raise ValueError(f"{tender.value} has no far end")
    invoice = invoices.lock_invoice(session, invoice_id)
    _require_payable(session, invoice)
    if amount_fen != invoice.total_fen:
        raise AmountDiffers(due_fen=invoice.total_fen, amount_fen=amount_fen)
    other = in_flight_payment(session, invoice.id)
    if other is not None and other.state is PaymentState.CLOSING:
        raise PaymentInFlight(
            _("上一次扫码支付正在关闭"), next_step=_("请稍候几秒再试"), payment_id=str(other.id)
        )
    if other is not None and other.tender is not tender:
        raise PaymentInFlight(payment_id=str(other.id))
    if other is not None and other.expires_at is not None and other.expires_at > now(session):
        return other
    if other is not None:
        # Its code has run out but nobody has closed it yet: paying again must wait for that.
        raise PaymentInFlight(
            _("上一个付款码已过期，正在关闭"),
            next_step=_("请稍候几秒再试"),
            payment_id=str(other.id),
        )
    payment = _new_payment(session, invoice, tender, channel)
    payment.out_trade_no = payment.id.hex
    payment.expires_at = rules.qr_expiry(now(session), invoice.expires_at)
    session.flush()
    _audit(session, "billing.start_payment", payment)
    outbox.publish(session, PaymentRequested(payment.hospital_id, payment.id))
    first_check = now(session) + dt.timedelta(seconds=rules.next_check_seconds(0))
    outbox.publish(
        session, PaymentCheckDue(payment.hospital_id, payment.id), not_before=first_check
    )
    return payment


def cancel_payment(session: Session, payment_id: Id) -> Payment:
    """Ask for a QR payment to be closed; the result comes later (the payer may be quicker).

    A payment that has ended stays as it is: look at its state.
    """
    _invoice, payment = lock_payment(session, payment_id)
    if rules.is_in_flight(payment.state):
        request_close(session, payment)
    return payment


def store_code(session: Session, payment_id: Id, code_url: str) -> bool:
    """Keep the QR text the platform answered; False when nobody waits for it any more."""
    _invoice, payment = lock_payment(session, payment_id)
    if payment.state is PaymentState.PENDING:
        return True
    if payment.state not in (PaymentState.CREATED, PaymentState.UNKNOWN):
        return False
    payment.code_url = code_url
    payment.state = rules.move(rules.PAYMENT_MOVES, payment.state, PaymentState.PENDING)
    _audit(session, "billing.show_payment_code", payment)
    return True


def mark_unknown(session: Session, payment_id: Id) -> None:
    """The order was sent and its answer lost: to be resolved by asking, never by a blind repeat."""
    _invoice, payment = lock_payment(session, payment_id)
    if payment.state is PaymentState.CREATED:
        payment.state = rules.move(rules.PAYMENT_MOVES, payment.state, PaymentState.UNKNOWN)
        _audit(session, "billing.payment_unknown", payment)


def mark_refused(session: Session, payment_id: Id, code: str) -> None:
    """The platform refused to open the order: nobody can pay it."""
    invoice, payment = lock_payment(session, payment_id)
    if rules.is_in_flight(payment.state):
        payment.failure_code = code[:64]
        end_unpaid(session, invoice, payment, PaymentState.FAILED)


def expire_payment(session: Session, payment_id: Id) -> None:
    """The time to pay is over: from now on the order is being closed."""
    _invoice, payment = lock_payment(session, payment_id)
    if rules.is_in_flight(payment.state) and payment.state is not PaymentState.CLOSING:
        payment.state = rules.move(rules.PAYMENT_MOVES, payment.state, PaymentState.CLOSING)
        _audit(session, "billing.expire_payment", payment)


def settle(session: Session, invoice: Invoice, payment: Payment, *, paid_at: dt.datetime) -> None:
    """The money of a locked payment pays its locked, open bill."""
    payment.state = rules.move(rules.PAYMENT_MOVES, payment.state, PaymentState.SUCCEEDED)
    payment.received_fen = payment.amount_fen
    payment.paid_at, payment.ended_at = paid_at, now(session)
    session.flush()
    ledger.post(
        session,
        EntryKind.PAYMENT_RECEIVED,
        source_id=payment.id,
        hospital_id=payment.hospital_id,
        lines=rules.payment_received(payment.tender, payment.received_fen),
    )
    _audit(session, "billing.payment_succeeded", payment)
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
    invoices.mark_paid(session, invoice, payment)
    other = in_flight_payment(session, invoice.id)
    if other is not None:
        request_close(session, other)


def end_unpaid(session: Session, invoice: Invoice, payment: Payment, state: PaymentState) -> None:
    """A locked payment ends without paying its bill; a bill that waited for that may end now."""
    payment.state = rules.move(rules.PAYMENT_MOVES, payment.state, state)
    payment.ended_at = now(session)
    session.flush()
    _audit(session, f"billing.payment_{state.value}", payment)
    outbox.publish(session, PaymentEnded(payment.hospital_id, invoice.id, payment.id, state.value))
    invoices.end_if_voided(session, invoice)


def _require_payable(session: Session, invoice: Invoice) -> None:
    if invoice.state is not InvoiceState.OPEN or invoice.void_requested_at is not None:
        raise InvoiceNotOpen(state=invoice.state.value)
    if invoice.expires_at is not None and invoice.expires_at <= now(session):
        raise InvoiceExpired


def _new_payment(
    session: Session, invoice: Invoice, tender: Tender, channel: Channel | None
) -> Payment:
    payment = Payment(
        id=new_id(),
        hospital_id=invoice.hospital_id,
        invoice_id=invoice.id,
        patient_id=invoice.patient_id,
        tender=tender,
        state=PaymentState.CREATED,
        amount_fen=invoice.total_fen,
        received_fen=0,
        refunded_fen=0,
        is_suspended=False,
        created_at=now(session),
        **who(session, channel),
    )
    session.add(payment)
    return payment


def _audit(session: Session, action: str, payment: Payment) -> None:
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
