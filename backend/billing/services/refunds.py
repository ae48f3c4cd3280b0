"""Asks for money to go back to the tenders it came from: whole, in part, by line, spread over a bill's payments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.errors import ChargeExecuted, RefundTooMuch
from backend.billing.models import Charge, Invoice, Payment, Refund, RefundLine
from backend.billing.rules import (
    CaseKind,
    Channel,
    EntryKind,
    InvoiceState,
    PaymentState,
    RefundShare,
    RefundSource,
    RefundState,
    Tender,
)
from backend.billing.services import accounts, cases, ledger
from backend.billing.services.handled import who
from backend.billing.services.invoices import lock_invoice
from backend.billing.services.locking import lock_payment, lock_refund
from backend.billing.services.refund_states import pay_out, set_state
from backend.contracts.billing import RefundCheckDue, RefundRequested
from backend.kernel import audit, idempotency, outbox
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_rows
from backend.kernel.uow import now

FIRST_CHECK = timedelta(seconds=10)
_PAID = (InvoiceState.PAID, InvoiceState.PART_REFUNDED)


def refund_charges(
    session: Session,
    *,
    invoice_id: Id,
    parts: Mapping[Id, int],
    reason: str,
    channel: Channel | None = None,
    key: str | None = None,
) -> list[Refund]:
    """Give back ``parts`` (fen by charge) of a paid bill, spread over its payments as ``rules.spread_refund`` says.

    Cash leaves the drawer at once at a counter and waits there otherwise; a balance is back at once; far ends
    are asked after the transaction. RefundTooMuch (409) beyond what charges or payments have left;
    ChargeExecuted (409) for what was done or dispensed; InsuranceWholeOnly (409); Conflict (409) for a bill that
    is not paid. ``key`` makes the command idempotent.
    """
    if key is None:
        return _refund_charges(session, invoice_id, parts, reason, channel)

    def act() -> dict[str, list[Id]]:
        made = _refund_charges(session, invoice_id, parts, reason, channel)
        return {"ids": [refund.id for refund in made]}

    facts = {"invoice": invoice_id, "parts": {str(k): v for k, v in parts.items()}}
    answer = idempotency.once(session, "billing.refund_charges", key, facts, act)
    return [session.get_one(Refund, Id(found)) for found in answer["ids"]]


def give_back(
    session: Session, payment_id: Id, *, reason: str, channel: Channel | None = None
) -> Refund:
    """Give back money that lies in suspense (came too late, twice, in another amount, for a bill that ended), whole.

    Cash always waits to be handed over: nobody who asks for this holds the drawer's key by that alone.
    Conflict (409) when the payment holds no such money, or it is on its way back already.
    """
    invoice, payment = lock_payment(session, payment_id)
    amount_fen = payment.received_fen - payment.refunded_fen
    if not payment.is_suspended or amount_fen <= 0:
        raise Conflict(code="nothing_in_suspense", state=payment.state.value)
    refund = _new_refund(session, payment, amount_fen, reason, channel)
    ledger.post(
        session,
        EntryKind.SUSPENSE_OWED,
        source_id=refund.id,
        hospital_id=refund.hospital_id,
        lines=rules.suspense_owed(amount_fen),
    )
    _send(session, invoice, payment, refund, may_hand_over=False)
    return refund


def retry_refund(session: Session, refund_id: Id) -> Refund:
    """Ask the platform once more for an abnormal refund, under the same number."""
    _invoice, _payment, refund = lock_refund(session, refund_id)
    if refund.state is not RefundState.ABNORMAL:
        raise Conflict(code="refund_not_abnormal", state=refund.state.value)
    set_state(session, refund, RefundState.PROCESSING)
    _ask_platform(session, refund)
    return refund


def _refund_charges(
    session: Session,
    invoice_id: Id,
    parts: Mapping[Id, int],
    reason: str,
    channel: Channel | None,
) -> list[Refund]:
    invoice = lock_invoice(session, invoice_id)
    if invoice.state not in _PAID:
        raise Conflict(code="payment_not_refundable", state=invoice.state.value)
    payments = {payment.id: payment for payment in _lock_settling(session, invoice)}
    charges = _lock_charges(session, invoice, list(parts))
    for charge in charges:
        if not 0 <= parts[charge.id] <= charge.amount_fen - charge.refunded_fen:
            raise RefundTooMuch(refundable_fen=charge.amount_fen - charge.refunded_fen)
    sources = [
        RefundSource(p.id, p.tender, p.received_fen - p.refunded_fen, p.paid_at or p.created_at)
        for p in payments.values()
    ]
    spread = rules.spread_refund(sum(parts.values()), sources)
    shares = rules.pair_off([(charge.id, parts[charge.id]) for charge in charges], spread)
    return [
        _refund_shares(
            session,
            invoice,
            payments[payment_id],
            [(charge, s.amount_fen) for charge in charges for s in _of(shares, payment_id, charge)],
            reason,
            channel,
        )
        for payment_id, _fen in spread
    ]


def _of(shares: Sequence[RefundShare], payment_id: Id, charge: Charge) -> list[RefundShare]:
    return [s for s in shares if s.payment_id == payment_id and s.charge_id == charge.id]


def _lock_settling(session: Session, invoice: Invoice) -> list[Payment]:
    ids = session.scalars(
        select(Payment.id).where(
            Payment.invoice_id == invoice.id,
            Payment.state == PaymentState.SUCCEEDED,
            ~Payment.is_suspended,
        )
    ).all()
    return lock_rows(session, Payment, ids)


def _lock_charges(session: Session, invoice: Invoice, wanted: Sequence[Id]) -> list[Charge]:
    """These charges of a locked bill in the order asked for."""
    found = {charge.id: charge for charge in lock_rows(session, Charge, wanted)}
    charges = [found[charge_id] for charge_id in dict.fromkeys(wanted) if charge_id in found]
    if not charges or any(charge.invoice_id != invoice.id for charge in charges):
        raise InvalidInput(code="charges_not_of_payment")
    return charges


def _refund_shares(
    session: Session,
    invoice: Invoice,
    payment: Payment,
    shares: Sequence[tuple[Charge, int]],
    reason: str,
    channel: Channel | None,
) -> Refund:
    """One refund of one payment, with its lines, its debt to the payer, and what starts it on its way."""
    if not reason.strip():
        raise InvalidInput(_("请写明退款原因"), fields={"reason": _("必填")})
    amount_fen = sum(part for _charge, part in shares)
    refund = _new_refund(session, payment, amount_fen, reason.strip()[:80], channel)
    holder = None
    for charge, part in shares:
        if not part:
            continue
        if charge.executed_at is not None:
            raise ChargeExecuted(charge_id=str(charge.id), name=charge.name)
        if charge.account_id is not None:
            holder = charge.account_id
            accounts.debit(session, holder, part, "billing.withdraw_from_account", refund.id)
        charge.refunded_fen += part
        session.add(RefundLine(refund_id=refund.id, charge_id=charge.id, amount_fen=part))
    ledger.post(
        session,
        EntryKind.REFUND_OWED,
        source_id=refund.id,
        hospital_id=refund.hospital_id,
        lines=rules.refund_owed(((charge.category, part) for charge, part in shares), holder),
    )
    _send(session, invoice, payment, refund, may_hand_over=True)
    return refund


def _new_refund(
    session: Session, payment: Payment, amount_fen: int, reason: str, channel: Channel | None
) -> Refund:
    left = payment.received_fen - payment.refunded_fen
    if amount_fen > left:
        raise RefundTooMuch(refundable_fen=left)
    payment.refunded_fen += amount_fen
    refund_id = new_id()
    refund = Refund(
        id=refund_id,
        hospital_id=payment.hospital_id,
        payment_id=payment.id,
        invoice_id=payment.invoice_id,
        state=RefundState.CREATED,
        amount_fen=amount_fen,
        out_refund_no=refund_id.hex,
        reason=reason,
        requested_at=now(session),
        **who(session, channel),
    )
    session.add(refund)
    session.flush()
    audit.record(
        session,
        "billing.request_refund",
        entity="refund",
        entity_id=refund.id,
        patient_id=payment.patient_id,
        payment_id=payment.id,
        amount_fen=amount_fen,
    )
    return refund


def _send(
    session: Session, invoice: Invoice, payment: Payment, refund: Refund, *, may_hand_over: bool
) -> None:
    if payment.tender is Tender.PREPAID:
        pay_out(session, invoice, payment, refund)
    elif payment.tender is not Tender.CASH:
        _ask_platform(session, refund)
    elif may_hand_over and rules.is_handed_over_at_once(refund.channel):
        pay_out(session, invoice, payment, refund)
    else:
        cases.open_case(
            session,
            CaseKind.CASH_TO_HAND_BACK,
            reference=refund.out_refund_no,
            hospital_id=refund.hospital_id,
            amount_fen=refund.amount_fen,
            payment_id=payment.id,
            refund_id=refund.id,
        )


def _ask_platform(session: Session, refund: Refund) -> None:
    outbox.publish(session, RefundRequested(refund.hospital_id, refund.id))
    outbox.publish(
        session,
        RefundCheckDue(refund.hospital_id, refund.id),
        not_before=now(session) + FIRST_CHECK,
    )
