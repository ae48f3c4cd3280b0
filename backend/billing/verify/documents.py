"""The second half of ``xinglin ledger verify``: documents that must agree with each other, whatever was posted.

Bills with their charges and payments, refunds with their parts, prepaid balances with their postings, numbers
with their counters. Each problem names its row. Never writes.
"""

from __future__ import annotations

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.models import (
    Charge,
    DepositAccount,
    Invoice,
    InvoiceCounter,
    Payment,
    Posting,
    Receipt,
    Refund,
    RefundLine,
)
from backend.billing.rules import ChargeState, InvoiceState, PaymentState, RefundState, Tender
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
    _balances_equal_their_postings(session, report)
    _receipts_are_of_money_that_moved(session, report)
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
    fits = case(
        (Invoice.state.in_(_PAID_STATES), Invoice.paid_fen == Invoice.total_fen),
        (Invoice.state == InvoiceState.OPEN, Invoice.paid_fen < Invoice.total_fen),
        else_=Invoice.paid_fen == 0,
    )
    wrong = (
        select(Invoice.number, Invoice.id, Invoice.state, Invoice.total_fen, Invoice.paid_fen, paid)
        .outerjoin(Payment, settling)
        .group_by(Invoice.number, Invoice.id, Invoice.state, Invoice.total_fen, Invoice.paid_fen)
        .having(or_(paid != Invoice.paid_fen, ~fits))
    )
    for number, invoice_id, state, total, noted, received in session.execute(wrong):
        report.problem(
            f"invoice {number} ({invoice_id}) over {total} fen is {state.value} and notes {noted} fen"
            f" paid, its payments are {received} fen"
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
        bill = f"on invoice {number} ({invoice_state.value})" if invoice_state else "on no invoice"
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


def _balances_equal_their_postings(session: Session, report: VerifyReport) -> None:
    held = -func.coalesce(func.sum(Posting.amount_fen), 0)
    wrong = (
        select(DepositAccount.id, DepositAccount.balance_fen, held)
        .outerjoin(
            Posting,
            and_(Posting.holder_id == DepositAccount.id, Posting.account == rules.DEPOSIT),
        )
        .group_by(DepositAccount.id, DepositAccount.balance_fen)
        .having(DepositAccount.balance_fen != held)
    )
    for account_id, balance, posted in session.execute(wrong):
        report.problem(
            f"deposit account {account_id} holds {balance} fen, its postings are {posted}"
        )
    report.count(
        "deposit accounts", session.scalar(select(func.count()).select_from(DepositAccount)) or 0
    )
    stray = select(Payment.id, Payment.tender).where(
        (Payment.tender == Tender.PREPAID) != Payment.account_id.is_not(None)
    )
    for payment_id, tender in session.execute(stray):
        report.problem(f"payment {payment_id} ({tender.value}) has the wrong kind of account")


def _receipts_are_of_money_that_moved(session: Session, report: VerifyReport) -> None:
    rows = (
        select(Receipt.number, Receipt.id)
        .outerjoin(Payment, Payment.id == Receipt.payment_id)
        .outerjoin(Refund, Refund.id == Receipt.refund_id)
        .where(
            or_(
                Payment.state.not_in([PaymentState.SUCCEEDED, PaymentState.FROZEN]),
                Refund.state != RefundState.SUCCEEDED,
            )
        )
    )
    for number, receipt_id in session.execute(rows):
        report.problem(f"receipt {number} ({receipt_id}) is of money that has not moved")
    report.count("receipts", session.scalar(select(func.count()).select_from(Receipt)) or 0)


def _numbers_have_no_gaps(session: Session, report: VerifyReport) -> None:
    counters = {
        (counter.hospital_id, counter.series): counter.last
        for counter in session.scalars(select(InvoiceCounter))
    }
    unnumbered = select(Invoice.id, Invoice.state).where(
        Invoice.state.in_(_PAID_STATES), Invoice.ordinal.is_(None)
    )
    for invoice_id, state in session.execute(unnumbered):
        report.problem(f"invoice {invoice_id} is {state.value} and has no number")
    for what, model in (("invoice", Invoice), ("receipt", Receipt)):
        series = (
            select(
                model.hospital_id,
                model.series,
                func.count(),
                func.min(model.ordinal),
                func.max(model.ordinal),
            )
            .where(model.ordinal.is_not(None))
            .group_by(model.hospital_id, model.series)
        )
        for hospital_id, name, number, first, last in session.execute(series):
            counter = counters.pop((hospital_id, name), 0)
            if (first, last, counter) != (1, number, number):
                report.problem(
                    f"{what} series {name} of hospital {hospital_id} has {number} {what}s"
                    f" from {first} to {last}, its counter says {counter}"
                )
    for (hospital_id, name), last in counters.items():
        report.problem(
            f"invoice series {name} of hospital {hospital_id} has no invoice, its counter says {last}"
        )
