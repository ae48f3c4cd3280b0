"""The second half of ``ledger verify``: bills, charges, payments and refunds agree with each other."""

from __future__ import annotations

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from backend.billing.models import (
    Charge,
    Invoice,
    InvoiceCounter,
    Payment,
    Refund,
    RefundLine,
)
from backend.billing.rules import ChargeState, InvoiceState, PaymentState
from backend.kernel.verify import VerifyReport

_PAID_STATES = [InvoiceState.PAID, InvoiceState.PART_REFUNDED, InvoiceState.REFUNDED]
_CHARGES_OF_PAID = [ChargeState.PAID, ChargeState.REFUNDED]


def check_documents(session: Session, report: VerifyReport) -> None:
    """Add to ``report`` every document that contradicts another."""
    report.count("invoices", session.scalar(select(func.count()).select_from(Invoice)) or 0)
    _bills_equal_their_charges(session, report)
    _bills_are_paid_by_payments(session, report)
    _charges_follow_their_bill(session, report)
    _refunds_equal_their_parts(session, report)
    _numbers_have_no_gaps(session, report)


def _bills_equal_their_charges(session: Session, report: VerifyReport) -> None:
    sums = (
        select(Charge.invoice_id, func.sum(Charge.amount_fen).label("fen"))
        .where(Charge.invoice_id.is_not(None))
        .group_by(Charge.invoice_id)
        .subquery()
    )
    fen = func.coalesce(sums.c.fen, 0)
    wrong = (
        select(Invoice.number, Invoice.id, Invoice.total_fen, fen)
        .outerjoin(sums, sums.c.invoice_id == Invoice.id)
        .where(Invoice.state != InvoiceState.VOID, Invoice.total_fen != fen)
    )
    for number, invoice_id, total, found in session.execute(wrong):
        report.problem(
            f"invoice {number} ({invoice_id}) is over {total} fen, its charges are {found}"
        )


def _bills_are_paid_by_payments(session: Session, report: VerifyReport) -> None:
    settling = and_(
        Payment.invoice_id == Invoice.id,
        Payment.state == PaymentState.SUCCEEDED,
        ~Payment.is_suspended,
    )
    paid = func.coalesce(func.sum(Payment.received_fen), 0)
    due = case((Invoice.state.in_(_PAID_STATES), Invoice.total_fen), else_=0)
    wrong = (
        select(Invoice.number, Invoice.id, Invoice.state, Invoice.total_fen, paid)
        .outerjoin(Payment, settling)
        .group_by(Invoice.number, Invoice.id, Invoice.state, Invoice.total_fen)
        .having(or_(paid != due, func.count(Payment.id) > 1))
    )
    for number, invoice_id, state, total, received in session.execute(wrong):
        report.problem(
            f"invoice {number} ({invoice_id}) over {total} fen is {state.value},"
            f" its payments are {received} fen"
        )


def _charges_follow_their_bill(session: Session, report: VerifyReport) -> None:
    fits = or_(
        and_(Charge.state == ChargeState.PENDING, Invoice.id.is_(None)),
        and_(Charge.state == ChargeState.INVOICED, Invoice.state == InvoiceState.OPEN),
        and_(Charge.state.in_(_CHARGES_OF_PAID), Invoice.state.in_(_PAID_STATES)),
        and_(
            Charge.state == ChargeState.CANCELLED,
            or_(Invoice.id.is_(None), Invoice.state == InvoiceState.VOID),
        ),
    )
    wrong = (
        select(Charge.id, Charge.state, Invoice.number, Invoice.state)
        .outerjoin(Invoice, Invoice.id == Charge.invoice_id)
        .where(~func.coalesce(fits, False))
    )
    for charge_id, state, number, invoice_state in session.execute(wrong):
        bill = f"on invoice {number} ({invoice_state.value})" if number else "on no invoice"
        report.problem(f"charge {charge_id} is {state.value} {bill}")


def _refunds_equal_their_parts(session: Session, report: VerifyReport) -> None:
    refunded = func.coalesce(func.sum(Refund.amount_fen), 0)
    by_payment = (
        select(Payment.id, Payment.refunded_fen, refunded)
        .outerjoin(Refund, Refund.payment_id == Payment.id)
        .group_by(Payment.id, Payment.refunded_fen)
        .having(Payment.refunded_fen != refunded)
    )
    for payment_id, noted, found in session.execute(by_payment):
        report.problem(f"payment {payment_id} notes {noted} fen refunded, its refunds are {found}")
    parts = func.coalesce(func.sum(RefundLine.amount_fen), 0)
    by_charge = (
        select(Charge.id, Charge.refunded_fen, parts)
        .outerjoin(RefundLine, RefundLine.charge_id == Charge.id)
        .group_by(Charge.id, Charge.refunded_fen)
        .having(Charge.refunded_fen != parts)
    )
    for charge_id, noted, found in session.execute(by_charge):
        report.problem(f"charge {charge_id} notes {noted} fen refunded, its refunds are {found}")
    by_refund = (
        select(Refund.id, Refund.amount_fen, parts)
        .join(Payment, and_(Payment.id == Refund.payment_id, ~Payment.is_suspended))
        .outerjoin(RefundLine, RefundLine.refund_id == Refund.id)
        .group_by(Refund.id, Refund.amount_fen)
        .having(Refund.amount_fen != parts)
    )
    for refund_id, amount, found in session.execute(by_refund):
        report.problem(f"refund {refund_id} is {amount} fen, its lines are {found}")


def _numbers_have_no_gaps(session: Session, report: VerifyReport) -> None:
    series = select(
        Invoice.hospital_id,
        Invoice.series,
        func.count(),
        func.min(Invoice.ordinal),
        func.max(Invoice.ordinal),
    ).group_by(Invoice.hospital_id, Invoice.series)
    counters = {
        (counter.hospital_id, counter.series): counter.last
        for counter in session.scalars(select(InvoiceCounter))
    }
    for hospital_id, name, number, first, last in session.execute(series):
        counter = counters.pop((hospital_id, name), 0)
        if (first, last, counter) != (1, number, number):
            report.problem(
                f"invoice series {name} of hospital {hospital_id} has {number} invoices"
                f" from {first} to {last}, its counter says {counter}"
            )
    for (hospital_id, name), last in counters.items():
        report.problem(
            f"invoice series {name} of hospital {hospital_id} has no invoice, its counter says {last}"
        )
