"""Receipts of payments and refunds: numbered without gaps in a series a kind, hospital and year.

Issued right after the money has moved, in a unit of work of their own, so that payments of one hospital never
queue for its counter; a sweep finds what a killed worker left out. One receipt a payment or refund, ever.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing.models import Payment, Receipt, Refund
from backend.billing.rules import PaymentState, RefundState
from backend.billing.services.invoices import next_ordinal
from backend.kernel import audit
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.uow import now, today

#: 收 and 退: the letters before the year in the number.
PAYMENT_SERIES = "S"
REFUND_SERIES = "T"


def issue_payment_receipt(session: Session, payment_id: Id) -> Receipt | None:
    """The receipt of a payment that brought money; None for one that did not. Idempotent."""
    payment = lock_row(session, Payment, payment_id)
    if payment is None or not payment.received_fen:
        return None
    known = session.scalar(select(Receipt).where(Receipt.payment_id == payment_id))
    return known or _issue(session, payment.hospital_id, PAYMENT_SERIES, payment_id=payment_id)


def issue_refund_receipt(session: Session, refund_id: Id) -> Receipt | None:
    """The receipt of a refund that has gone back; None for one on its way. Idempotent."""
    refund = lock_row(session, Refund, refund_id)
    if refund is None or refund.state is not RefundState.SUCCEEDED:
        return None
    known = session.scalar(select(Receipt).where(Receipt.refund_id == refund_id))
    return known or _issue(session, refund.hospital_id, REFUND_SERIES, refund_id=refund_id)


def issue_missing_receipts(session: Session, *, limit: int) -> int:
    """Issue what is missing, oldest first, at most ``limit``; how many."""
    payments = session.scalars(
        select(Payment.id)
        .outerjoin(Receipt, Receipt.payment_id == Payment.id)
        .where(
            Receipt.id.is_(None),
            Payment.state.in_([PaymentState.SUCCEEDED, PaymentState.FROZEN]),
            Payment.received_fen > 0,
        )
        .order_by(Payment.paid_at, Payment.id)
        .limit(limit)
    ).all()
    refunds = session.scalars(
        select(Refund.id)
        .outerjoin(Receipt, Receipt.refund_id == Refund.id)
        .where(Receipt.id.is_(None), Refund.state == RefundState.SUCCEEDED)
        .order_by(Refund.succeeded_at, Refund.id)
        .limit(limit - len(payments))
    ).all()
    for payment_id in payments:
        issue_payment_receipt(session, payment_id)
    for refund_id in refunds:
        issue_refund_receipt(session, refund_id)
    return len(payments) + len(refunds)


def _issue(session: Session, hospital_id: Id, kind: str, **of: Id) -> Receipt:
    series = f"{kind}{today(session):%Y}"
    ordinal = next_ordinal(session, hospital_id, series)
    receipt = Receipt(
        id=new_id(),
        hospital_id=hospital_id,
        series=series,
        ordinal=ordinal,
        number=f"{series}{ordinal:08d}",
        issued_at=now(session),
        **of,
    )
    session.add(receipt)
    session.flush()
    audit.record(
        session,
        "billing.issue_receipt",
        entity="receipt",
        entity_id=receipt.id,
        number=receipt.number,
    )
    return receipt
