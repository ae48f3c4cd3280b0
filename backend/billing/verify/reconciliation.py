"""Runs, lines, differences and cases agree; and what lies in each clearing account is told apart by evidence."""

from __future__ import annotations

from sqlalchemy import and_, case, exists, func, select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.models import (
    BillItem,
    Difference,
    MoneyCase,
    Payment,
    Posting,
    ReconciliationRun,
    Refund,
)
from backend.billing.ports import BillRowKind
from backend.billing.rules import DifferenceKind, RefundState, RunState
from backend.kernel.money import format_yuan
from backend.kernel.verify import VerifyReport

_OF_LINES = (DifferenceKind.THEIRS_ONLY, DifferenceKind.AMOUNT_DIFFERS)


def check_reconciliation(session: Session, report: VerifyReport) -> None:
    """Add to ``report`` every run whose figures are not its lines', and every case that is not its difference's."""
    _figures_are_the_lines(session, report)
    _differences_have_their_cases(session, report)
    _explain_clearing(session, report)


def _figures_are_the_lines(session: Session, report: VerifyReport) -> None:
    is_payment = BillItem.kind == BillRowKind.PAYMENT
    lines = (
        select(
            BillItem.run_id,
            func.count().label("lines"),
            func.sum(case((is_payment, 1), else_=0)).label("payments"),
            func.sum(case((is_payment, BillItem.amount_fen), else_=0)).label("paid"),
            func.sum(case((is_payment, 0), else_=BillItem.amount_fen)).label("back"),
        )
        .group_by(BillItem.run_id)
        .subquery()
    )
    found = (
        select(Difference.run_id, func.count().label("open"))
        .where(Difference.kind.in_(_OF_LINES), Difference.settled_at.is_(None))
        .group_by(Difference.run_id)
        .subquery()
    )
    runs = select(
        ReconciliationRun,
        *(func.coalesce(lines.c[name], 0) for name in ("lines", "payments", "paid", "back")),
        func.coalesce(found.c.open, 0),
    )
    runs = runs.outerjoin(lines, lines.c.run_id == ReconciliationRun.id)
    runs = runs.outerjoin(found, found.c.run_id == ReconciliationRun.id)
    for run, number, payments, paid, back, differing in session.execute(runs):
        report.count("reconciliation runs")
        report.count("bill lines", int(number))
        name = f"reconciliation of {run.channel.value} for {run.business_date}"
        noted = (run.bill_payments, run.bill_refunds, run.bill_payments_fen, run.bill_refunds_fen)
        counted = (int(payments), int(number - payments), int(paid), int(back))
        if noted != counted:
            report.problem(f"{name} ({run.id}) notes {noted}, its lines are {counted}")
        if run.state is RunState.MATCHED and run.matched + differing != number:
            report.problem(
                f"{name} ({run.id}) has {number} lines, {run.matched} agree and {differing} differ"
            )


def _differences_have_their_cases(session: Session, report: VerifyReport) -> None:
    rows = session.execute(
        select(Difference.id, Difference.number, MoneyCase.reference).outerjoin(
            MoneyCase, MoneyCase.id == Difference.case_id
        )
    )
    for difference_id, number, reference in rows:
        report.count("differences")
        if number != reference:
            report.problem(f"difference {difference_id} over {number} has the case of {reference}")


def _explain_clearing(session: Session, report: VerifyReport) -> None:
    """A note for each clearing account: what a bill proves, and what waits for one."""
    for channel, tenders in rules.CHANNEL_TENDERS.items():
        account = rules.TENDER_ACCOUNTS[rules.STRAY_TENDERS[channel]]
        held = select(func.coalesce(func.sum(Posting.amount_fen), 0))
        balance = int(session.scalar(held.where(Posting.account == account)) or 0)
        ours = and_(Payment.tender.in_(tenders), Payment.received_fen > 0)
        unlisted = select(func.coalesce(func.sum(Payment.received_fen), 0)).where(
            ours, ~exists().where(BillItem.number == Payment.out_trade_no)
        )
        unlisted_back = (
            select(func.coalesce(func.sum(Refund.amount_fen), 0))
            .join(Payment, Payment.id == Refund.payment_id)
            .where(
                ours,
                Refund.state == RefundState.SUCCEEDED,
                ~exists().where(BillItem.number == Refund.out_refund_no),
            )
        )
        waiting = int(session.scalar(unlisted) or 0) - int(session.scalar(unlisted_back) or 0)
        if balance or waiting:
            report.notes.append(
                f"{account} holds {format_yuan(balance)}: {format_yuan(balance - waiting)} of it is on"
                f" the channel's bills, {format_yuan(waiting)} on no bill yet"
            )
