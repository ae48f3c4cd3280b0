"""Begins payments of bills and parts of bills: cash, a prepaid balance, an order at a far end; and their steps.

Nothing here talks to a platform: requests go out as events, answers come back as the ``store_…`` and
``mark_…`` functions and ``apply_trade_status``. At most one payment of a bill is in flight.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

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
from backend.billing.rules import Channel, InvoiceState, PaymentState, Tender
from backend.billing.services import accounts, invoices
from backend.billing.services.handled import who
from backend.billing.services.in_flight import in_flight_payment, request_close
from backend.billing.services.locking import lock_payment
from backend.billing.services.settling import audit_payment, end_unpaid, settle
from backend.contracts.billing import PaymentCheckDue, PaymentRequested
from backend.kernel import idempotency, outbox
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import now


def pay_cash(
    session: Session,
    *,
    invoice_id: Id,
    received_fen: int,
    amount_fen: int | None = None,
    channel: Channel | None = None,
    key: str | None = None,
) -> Payment:
    """Take cash for all that is due of a bill, or for the part ``amount_fen`` of it; the change is in the payment.

    CashTooLittle (422); InvoiceNotOpen, InvoiceExpired, PaymentInFlight (409): an open payment must be
    asked to close first; AmountDiffers (409) for a part larger than what is due. ``key`` makes the command
    idempotent.
    """
    facts = {"invoice": invoice_id, "received": received_fen, "amount": amount_fen}

    def act() -> Payment:
        return _pay_cash(session, invoice_id, received_fen, amount_fen, channel)

    return _once(session, "billing.pay_cash", key, facts, act)


def pay_prepaid(
    session: Session,
    *,
    invoice_id: Id,
    amount_fen: int | None = None,
    channel: Channel | None = None,
    key: str | None = None,
) -> Payment:
    """Pay ``amount_fen`` of a bill from the patient's own outpatient account; None: as much of what is due as is there.

    Besides the errors of ``pay_cash``: AccountUnknown (404), AccountNotOpen, BalanceTooLow (409). A top-up
    cannot be paid with what is on an account (AmountDiffers has no meaning there: InvoiceNotOpen).
    """
    facts = {"invoice": invoice_id, "amount": amount_fen}

    def act() -> Payment:
        return _pay_prepaid(session, invoice_id, amount_fen, channel)

    return _once(session, "billing.pay_prepaid", key, facts, act)


def _pay_cash(
    session: Session,
    invoice_id: Id,
    received_fen: int,
    amount_fen: int | None,
    channel: Channel | None,
) -> Payment:
    invoice, wanted = _lock_for_own_tender(session, invoice_id, amount_fen)
    change_fen = rules.cash_change(wanted, received_fen)
    payment = _new_payment(session, invoice, Tender.CASH, wanted, channel)
    payment.tendered_fen, payment.change_fen = received_fen, change_fen
    settle(session, invoice, payment, paid_at=now(session))
    return payment


def _pay_prepaid(
    session: Session, invoice_id: Id, amount_fen: int | None, channel: Channel | None
) -> Payment:
    invoice, wanted = _lock_for_own_tender(session, invoice_id, amount_fen)
    if any(charge.account_id for charge in invoices.charges_of(session, invoice)):
        raise InvoiceNotOpen(_("充值不能用预交金余额支付"), next_step=_("请用其他方式支付"))
    account, wanted = accounts.take(session, invoice, wanted, or_less=amount_fen is None)
    payment = _new_payment(session, invoice, Tender.PREPAID, wanted, channel)
    payment.account_id = account.id
    settle(session, invoice, payment, paid_at=now(session))
    return payment


def _lock_for_own_tender(
    session: Session, invoice_id: Id, amount_fen: int | None
) -> tuple[Invoice, int]:
    """A payable bill, and how much of it is to be paid now."""
    invoice = invoices.lock_invoice(session, invoice_id)
    _require_payable(session, invoice)
    other = in_flight_payment(session, invoice.id)
    if other is not None and other.state is not PaymentState.CLOSING:
        raise PaymentInFlight(payment_id=str(other.id))
    due_fen = invoice.total_fen - invoice.paid_fen
    wanted = due_fen if amount_fen is None else amount_fen
    if not 0 < wanted <= due_fen:
        raise AmountDiffers(due_fen=due_fen, amount_fen=wanted)
    return invoice, wanted


def start_qr_payment(
    session: Session,
    *,
    invoice_id: Id,
    amount_fen: int,
    tender: Tender = Tender.WECHAT_NATIVE,
    is_part: bool = False,
    channel: Channel | None = None,
    key: str | None = None,
) -> Payment:
    """Begin a payment by a code that the payer scans; its code comes after this transaction.

    InvalidInput (422) for a tender that has no such code; otherwise the errors of ``start_payment``.
    """
    if tender not in rules.QR_TENDERS:
        raise InvalidInput(_("这种付款方式不能扫码"), code="tender_without_code")
    return start_payment(
        session,
        invoice_id=invoice_id,
        amount_fen=amount_fen,
        tender=tender,
        is_part=is_part,
        channel=channel,
        key=key,
    )


def start_payment(
    session: Session,
    *,
    invoice_id: Id,
    amount_fen: int,
    tender: Tender,
    is_part: bool = False,
    channel: Channel | None = None,
    by: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> Payment:
    """Begin a payment at a far end (a QR order, a card, the insurance): it acts after this transaction.

    For services that give the far end what else it needs: a card's number, a claim. ``by`` is who began it
    (``handled_by``) where that is not who acts now.
    ``amount_fen`` is what the payer was shown; AmountDiffers (409, with ``due_fen``) when another
    amount is due, or, for a part (``is_part``), more than is due. An open payment of the same tender and
    amount is given again; any other one in flight is PaymentInFlight (409). InvoiceNotOpen,
    InvoiceExpired (409). ``key`` makes it idempotent. ValueError for tenders that have no far end.
    """
    if tender in rules.OWN_TENDERS:
        raise ValueError(f"{tender.value} has no far end")
    facts = {"invoice": invoice_id, "amount": amount_fen, "tender": tender}
    facts |= {"part": True} if is_part else {}

    def act() -> Payment:
        return _start(session, invoice_id, amount_fen, tender, is_part, channel, by)

    return _once(session, "billing.start_qr_payment", key, facts, act)


def _start(
    session: Session,
    invoice_id: Id,
    amount_fen: int,
    tender: Tender,
    is_part: bool,
    channel: Channel | None,
    by: Mapping[str, Any] | None,
) -> Payment:
    invoice = invoices.lock_invoice(session, invoice_id)
    _require_payable(session, invoice)
    due_fen = invoice.total_fen - invoice.paid_fen
    if amount_fen != due_fen and not (is_part and 0 < amount_fen < due_fen):
        raise AmountDiffers(due_fen=due_fen, amount_fen=amount_fen)
    other = in_flight_payment(session, invoice.id)
    if other is not None:
        return _again(session, other, tender, amount_fen)
    payment = _new_payment(session, invoice, tender, amount_fen, channel, by)
    payment.out_trade_no = payment.id.hex
    payment.expires_at = rules.qr_expiry(now(session), invoice.expires_at)
    session.flush()
    audit_payment(session, "billing.start_payment", payment)
    outbox.publish(session, PaymentRequested(payment.hospital_id, payment.id))
    first_check = now(session) + dt.timedelta(seconds=rules.next_check_seconds(0))
    outbox.publish(
        session, PaymentCheckDue(payment.hospital_id, payment.id), not_before=first_check
    )
    return payment


def _again(session: Session, other: Payment, tender: Tender, amount_fen: int) -> Payment:
    """The payment in flight, when it is the one that is asked for; PaymentInFlight otherwise."""
    if other.state is PaymentState.CLOSING:
        raise PaymentInFlight(
            _("上一次扫码支付正在关闭"), next_step=_("请稍候几秒再试"), payment_id=str(other.id)
        )
    if other.tender is not tender or other.amount_fen != amount_fen:
        raise PaymentInFlight(payment_id=str(other.id))
    if other.expires_at is not None and other.expires_at > now(session):
        return other
    # Its code has run out but nobody has closed it yet: paying again must wait for that.
    raise PaymentInFlight(
        _("上一个付款码已过期，正在关闭"),
        next_step=_("请稍候几秒再试"),
        payment_id=str(other.id),
    )


def _once(
    session: Session,
    scope: str,
    key: str | None,
    facts: Mapping[str, object],
    act: Callable[[], Payment],
) -> Payment:
    if key is None:
        return act()
    answer = idempotency.once(session, scope, key, dict(facts), lambda: {"id": act().id})
    return session.get_one(Payment, Id(answer["id"]))


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
    audit_payment(session, "billing.show_payment_code", payment)
    return True


def mark_unknown(session: Session, payment_id: Id) -> None:
    """The order was sent and its answer lost: to be resolved by asking, never by a blind repeat."""
    _invoice, payment = lock_payment(session, payment_id)
    if payment.state is PaymentState.CREATED:
        payment.state = rules.move(rules.PAYMENT_MOVES, payment.state, PaymentState.UNKNOWN)
        audit_payment(session, "billing.payment_unknown", payment)


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
        audit_payment(session, "billing.expire_payment", payment)


def _require_payable(session: Session, invoice: Invoice) -> None:
    if invoice.state is not InvoiceState.OPEN or invoice.void_requested_at is not None:
        raise InvoiceNotOpen(state=invoice.state.value)
    if invoice.expires_at is not None and invoice.expires_at <= now(session):
        raise InvoiceExpired


def _new_payment(
    session: Session,
    invoice: Invoice,
    tender: Tender,
    amount_fen: int,
    channel: Channel | None,
    by: Mapping[str, Any] | None = None,
) -> Payment:
    payment = Payment(
        id=new_id(),
        hospital_id=invoice.hospital_id,
        invoice_id=invoice.id,
        patient_id=invoice.patient_id,
        tender=tender,
        state=PaymentState.CREATED,
        amount_fen=amount_fen,
        received_fen=0,
        refunded_fen=0,
        is_suspended=False,
        created_at=now(session),
        **(by or who(session, channel)),
    )
    session.add(payment)
    return payment
