"""Gives money back to the tender it came from: asked for, paid out, confirmed or left to a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.errors import PaymentUnknown, RefundTooMuch, RefundUnknown
from backend.billing.models import Charge, Invoice, Payment, Refund, RefundLine
from backend.billing.rules import (
    CaseKind,
    ChargeState,
    EntryKind,
    InvoiceState,
    PaymentState,
    RefundState,
    Tender,
)
from backend.billing.services import cases, ledger
from backend.billing.services.handled import who
from backend.billing.services.invoices import lock_invoice
from backend.contracts.billing import RefundCheckDue, RefundRequested, RefundSucceeded
from backend.kernel import audit, idempotency, outbox
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row, lock_rows
from backend.kernel.uow import now

FIRST_CHECK = timedelta(seconds=10)


def request_refund(
    session: Session,
    *,
    payment_id: Id,
    amount_fen: int,
    reason: str,
    charge_ids: Sequence[Id],
    key: str | None = None,
) -> Refund:
    """Give back ``amount_fen`` of a payment for these charges of its bill, in this order.

    Cash is handed over by the cashier and counts at once; a platform is asked after the
    transaction. RefundTooMuch (409) beyond what the charges or the payment have left; Conflict
    (409) when the payment never paid its bill. ``key`` makes the command idempotent.
    """
    if key is None:
        return _request(session, payment_id, amount_fen, reason, charge_ids)
    request = {"payment": payment_id, "amount": amount_fen, "charges": sorted(map(str, charge_ids))}
    answer = idempotency.once(
        session,
        "billing.request_refund",
        key,
        request,
        lambda: {"id": _request(session, payment_id, amount_fen, reason, charge_ids).id},
    )
    return session.get_one(Refund, Id(answer["id"]))


def _request(
    session: Session, payment_id: Id, amount_fen: int, reason: str, charge_ids: Sequence[Id]
) -> Refund:
    if not reason.strip():
        raise InvalidInput(_("请写明退款原因"), fields={"reason": _("必填")})
    invoice, payment = lock_payment(session, payment_id)
    if payment.state is not PaymentState.SUCCEEDED or payment.is_suspended:
        raise Conflict(code="payment_not_refundable", state=payment.state.value)
    found = {charge.id: charge for charge in lock_rows(session, Charge, charge_ids)}
    charges = [found[charge_id] for charge_id in dict.fromkeys(charge_ids) if charge_id in found]
    if not charges or any(charge.invoice_id != invoice.id for charge in charges):
        raise InvalidInput(code="charges_not_of_payment")
    remaining = [charge.amount_fen - charge.refunded_fen for charge in charges]
    parts = rules.allocate_refund(amount_fen, remaining)
    refund = _new_refund(session, payment, amount_fen, reason.strip()[:80])
    for charge, part in zip(charges, parts, strict=True):
        if part:
            charge.refunded_fen += part
            session.add(RefundLine(refund_id=refund.id, charge_id=charge.id, amount_fen=part))
    ledger.post(
        session,
        EntryKind.REFUND_OWED,
        source_id=refund.id,
        hospital_id=refund.hospital_id,
        lines=rules.refund_owed(
            (charge.category, part) for charge, part in zip(charges, parts, strict=True)
        ),
    )
    _send(session, invoice, payment, refund)
    return refund


def give_back(session: Session, payment_id: Id, *, reason: str) -> Refund:
    """Give back money that lies in suspense (came too late, twice, or in another amount), whole.

    Conflict (409) when the payment holds no such money, or it is on its way back already.
    """
    invoice, payment = lock_payment(session, payment_id)
    amount_fen = payment.received_fen - payment.refunded_fen
    if not payment.is_suspended or amount_fen <= 0:
        raise Conflict(code="nothing_in_suspense", state=payment.state.value)
    refund = _new_refund(session, payment, amount_fen, reason)
    ledger.post(
        session,
        EntryKind.SUSPENSE_OWED,
        source_id=refund.id,
        hospital_id=refund.hospital_id,
        lines=rules.suspense_owed(amount_fen),
    )
    _send(session, invoice, payment, refund)
    return refund


def retry_refund(session: Session, refund_id: Id) -> Refund:
    """Ask the platform once more for an abnormal refund, under the same number."""
    _invoice, _payment, refund = _lock(session, refund_id)
    if refund.state is not RefundState.ABNORMAL:
        raise Conflict(code="refund_not_abnormal", state=refund.state.value)
    _set(session, refund, RefundState.PROCESSING)
    _ask_platform(session, refund)
    return refund


def finish_refund(session: Session, refund_id: Id) -> Refund:
    """The money has left: post it, and let charges and bill say so. Idempotent."""
    invoice, payment, refund = _lock(session, refund_id)
    if refund.state is not RefundState.SUCCEEDED:
        _finish(session, invoice, payment, refund)
    return refund


def mark_refund_processing(session: Session, refund_id: Id) -> None:
    """The platform has taken the refund and works on it."""
    _invoice, _payment, refund = _lock(session, refund_id)
    if refund.state in (RefundState.CREATED, RefundState.UNKNOWN):
        _set(session, refund, RefundState.PROCESSING)


def mark_refund_unknown(session: Session, refund_id: Id) -> None:
    """The request was sent and its answer lost: to be resolved by asking."""
    _invoice, _payment, refund = _lock(session, refund_id)
    if refund.state is RefundState.CREATED:
        _set(session, refund, RefundState.UNKNOWN)


def mark_refund_abnormal(
    session: Session, refund_id: Id, code: str, *, kind: CaseKind = CaseKind.REFUND_ABNORMAL
) -> None:
    """The platform cannot pay it out: the money stays owed and a person has to look."""
    _invoice, payment, refund = _lock(session, refund_id)
    if refund.state in (RefundState.SUCCEEDED, RefundState.ABNORMAL):
        return
    refund.failure_code = code[:64]
    _set(session, refund, RefundState.ABNORMAL)
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


def _lock(session: Session, refund_id: Id) -> tuple[Invoice, Payment, Refund]:
    payment_id = session.scalar(select(Refund.payment_id).where(Refund.id == refund_id))
    if payment_id is None:
        raise RefundUnknown
    invoice, payment = lock_payment(session, payment_id)
    refund = lock_row(session, Refund, refund_id)
    if refund is None:
        raise RefundUnknown
    return invoice, payment, refund


def _new_refund(session: Session, payment: Payment, amount_fen: int, reason: str) -> Refund:
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
        **who(session),
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


def _send(session: Session, invoice: Invoice, payment: Payment, refund: Refund) -> None:
    if payment.tender is Tender.CASH:
        _finish(session, invoice, payment, refund)
    else:
        _ask_platform(session, refund)


def _ask_platform(session: Session, refund: Refund) -> None:
    outbox.publish(session, RefundRequested(refund.hospital_id, refund.id))
    outbox.publish(
        session,
        RefundCheckDue(refund.hospital_id, refund.id),
        not_before=now(session) + FIRST_CHECK,
    )


def _set(session: Session, refund: Refund, state: RefundState) -> None:
    refund.state = rules.move(rules.REFUND_MOVES, refund.state, state)
    audit.record(
        session,
        f"billing.refund_{state.value}",
        entity="refund",
        entity_id=refund.id,
        amount_fen=refund.amount_fen,
    )


def _finish(session: Session, invoice: Invoice, payment: Payment, refund: Refund) -> None:
    _set(session, refund, RefundState.SUCCEEDED)
    refund.succeeded_at = now(session)
    ledger.post(
        session,
        EntryKind.REFUND_PAID,
        source_id=refund.id,
        hospital_id=refund.hospital_id,
        lines=rules.refund_paid(payment.tender, refund.amount_fen),
    )
    session.flush()
    if payment.is_suspended:
        for kind in (CaseKind.PAID_TOO_LATE, CaseKind.AMOUNT_DIFFERS):
            cases.close_settled_cases(session, kind, payment.id.hex, gettext("已原路退回"))
    else:
        _mark_refunded(session, invoice, payment)
    cases.close_settled_cases(
        session, CaseKind.REFUND_ABNORMAL, refund.out_refund_no, gettext("退款已成功")
    )
    outbox.publish(
        session,
        RefundSucceeded(refund.hospital_id, invoice.id, payment.id, refund.id, refund.amount_fen),
    )


def _mark_refunded(session: Session, invoice: Invoice, payment: Payment) -> None:
    """Move charges and bill on, by what has really gone back."""
    gone = session.execute(
        select(RefundLine.charge_id, func.sum(RefundLine.amount_fen))
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(Refund.payment_id == payment.id, Refund.state == RefundState.SUCCEEDED)
        .group_by(RefundLine.charge_id)
    )
    back = {charge_id: int(amount_fen) for charge_id, amount_fen in gone}
    for charge in lock_rows(session, Charge, back):
        if charge.state is ChargeState.PAID and back[charge.id] == charge.amount_fen:
            charge.state = rules.move(rules.CHARGE_MOVES, charge.state, ChargeState.REFUNDED)
    whole = sum(back.values()) == invoice.total_fen
    wanted = InvoiceState.REFUNDED if whole else InvoiceState.PART_REFUNDED
    invoice.state = rules.move(rules.INVOICE_MOVES, invoice.state, wanted)
