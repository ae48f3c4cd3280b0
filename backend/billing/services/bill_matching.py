"""A bill's lines against our books, set by set: what agrees, what is missing on which side, what differs.

Pure reading, in a fixed number of statements however long the day was; who acts on the answers is
``services.reconciliation``. Lines and documents meet by number, whatever day either side dates them to.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from backend.billing.models import BillItem, Payment, ReconciliationRun, Refund
from backend.billing.ports import BillRowKind
from backend.billing.rules import (
    CHANNEL_TENDERS,
    DifferenceKind,
    RefundState,
    judged_bounds,
)
from backend.kernel.clock import day_bounds
from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class Finding:
    """One number about which both sides disagree, with our document if there is one."""

    kind: DifferenceKind
    item_kind: BillRowKind
    number: str
    our_fen: int | None
    their_fen: int | None
    happened_at: dt.datetime
    hospital_id: Id | None
    payment_id: Id | None
    refund_id: Id | None
    channel_number: str = ""
    out_trade_no: str = ""

    @property
    def key(self) -> tuple[DifferenceKind, BillRowKind, str]:
        """What a difference is recognised by within its run."""
        return self.kind, self.item_kind, self.number


def _is_ours(run: ReconciliationRun) -> ColumnElement[bool]:
    """Payments of the channel that brought money."""
    return and_(Payment.tender.in_(CHANNEL_TENDERS[run.channel]), Payment.received_fen > 0)


def _items(run: ReconciliationRun, kind: BillRowKind) -> ColumnElement[bool]:
    return and_(BillItem.run_id == run.id, BillItem.kind == kind)


def count_ours(session: Session, run: ReconciliationRun) -> int:
    """How many documents our books date to the run's day."""
    figures = our_figures(session, run)
    return figures[0] + figures[2]


def our_figures(session: Session, run: ReconciliationRun) -> tuple[int, int, int, int]:
    """Payments and their fen, refunds and their fen, as our books date them to the run's day.

    A refund is dated by when it was asked for, as the channels do.
    """
    first, after = day_bounds(run.business_date)
    payments = select(func.count(), func.coalesce(func.sum(Payment.received_fen), 0)).where(
        _is_ours(run), Payment.paid_at >= first, Payment.paid_at < after
    )
    refunds = (
        select(func.count(), func.coalesce(func.sum(Refund.amount_fen), 0))
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            _is_ours(run),
            Refund.state == RefundState.SUCCEEDED,
            Refund.requested_at >= first,
            Refund.requested_at < after,
        )
    )
    paid, back = session.execute(payments).one(), session.execute(refunds).one()
    return int(paid[0]), int(paid[1]), int(back[0]), int(back[1])


def bill_figures(session: Session, run: ReconciliationRun) -> tuple[int, int, int, int]:
    """The same of the bill's lines."""
    found = {
        row[0]: (int(row[1]), int(row[2]))
        for row in session.execute(
            select(BillItem.kind, func.count(), func.sum(BillItem.amount_fen))
            .where(BillItem.run_id == run.id)
            .group_by(BillItem.kind)
        )
    }
    none = (0, 0)
    return *found.get(BillRowKind.PAYMENT, none), *found.get(BillRowKind.REFUND, none)


def has_doubled_lines(session: Session, run: ReconciliationRun) -> bool:
    """True when the bill lists a number twice: then it is no bill to reconcile with."""
    doubled = (
        select(BillItem.number)
        .where(BillItem.run_id == run.id)
        .group_by(BillItem.kind, BillItem.number)
        .having(func.count() > 1)
    )
    return session.execute(doubled.limit(1)).first() is not None


# --- lines of the bill ------------------------------------------------------------------------


def _payment_lines(run: ReconciliationRun, *columns: Any) -> Select[Any]:
    ours = and_(Payment.out_trade_no == BillItem.number, _is_ours(run))
    return (
        select(*columns)
        .select_from(BillItem)
        .outerjoin(Payment, ours)
        .where(_items(run, BillRowKind.PAYMENT))
    )


def _refund_lines(run: ReconciliationRun, *columns: Any) -> Select[Any]:
    """A refund the channel still works on agrees with ours in whatever state it is."""
    ours = and_(
        Refund.out_refund_no == BillItem.number,
        or_(~BillItem.is_final, Refund.state == RefundState.SUCCEEDED),
    )
    return (
        select(*columns)
        .select_from(BillItem)
        .outerjoin(Refund, ours)
        .where(_items(run, BillRowKind.REFUND))
    )


def count_matched(session: Session, run: ReconciliationRun) -> tuple[int, int]:
    """Lines that agree, and those of them that our books date to another day."""
    first, after = day_bounds(run.business_date)
    matched = cross_day = 0
    for statement, fen, at in (
        (_payment_lines, Payment.received_fen, Payment.paid_at),
        (_refund_lines, Refund.amount_fen, Refund.requested_at),
    ):
        is_other_day = case((and_(at >= first, at < after), 0), else_=1)
        counted = statement(run, func.count(), func.coalesce(func.sum(is_other_day), 0))
        number, others = session.execute(counted.where(fen == BillItem.amount_fen)).one()
        matched, cross_day = matched + int(number), cross_day + int(others)
    return matched, cross_day


def find_line_differences(session: Session, run: ReconciliationRun) -> Iterator[Finding]:
    """Lines without a document, and lines over another amount than their document."""
    for item_kind, statement, model, fen in (
        (BillRowKind.PAYMENT, _payment_lines, Payment, Payment.received_fen),
        (BillRowKind.REFUND, _refund_lines, Refund, Refund.amount_fen),
    ):
        columns = (
            BillItem.number,
            BillItem.amount_fen,
            BillItem.happened_at,
            BillItem.channel_number,
            BillItem.out_trade_no,
            model.id,
            model.hospital_id,
            fen,
        )
        wrong = statement(run, *columns).where(or_(model.id.is_(None), fen != BillItem.amount_fen))
        for (
            number,
            theirs,
            at,
            channel_number,
            order,
            ours_id,
            hospital_id,
            ours,
        ) in session.execute(wrong.order_by(BillItem.line)):
            is_payment = item_kind is BillRowKind.PAYMENT
            yield Finding(
                kind=DifferenceKind.AMOUNT_DIFFERS if ours_id else DifferenceKind.THEIRS_ONLY,
                item_kind=item_kind,
                number=number,
                our_fen=ours,
                their_fen=theirs,
                happened_at=at,
                hospital_id=hospital_id,
                payment_id=ours_id if is_payment else None,
                refund_id=None if is_payment else ours_id,
                channel_number=channel_number,
                out_trade_no=order,
            )


# --- documents without a line -----------------------------------------------------------------


def _is_listed(number: Any, kind: BillRowKind, run_id: Id | None) -> ColumnElement[bool]:
    listed = exists().where(BillItem.number == number, BillItem.kind == kind)
    return listed.where(BillItem.run_id == run_id) if run_id is not None else listed


def _unlisted_payments(
    run: ReconciliationRun, first: dt.datetime, after: dt.datetime
) -> Select[Any]:
    """Payments of that time on no bill at all; the day's own bill is asked first, it explains nearly all."""
    rest = (
        select(
            Payment.id,
            Payment.hospital_id,
            Payment.out_trade_no,
            Payment.received_fen,
            Payment.paid_at,
        )
        .where(
            _is_ours(run),
            Payment.paid_at >= first,
            Payment.paid_at < after,
            ~_is_listed(Payment.out_trade_no, BillRowKind.PAYMENT, run.id),
        )
        .cte("rest")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return select(rest).where(~_is_listed(rest.c.out_trade_no, BillRowKind.PAYMENT, None))


def _unlisted_refunds(
    run: ReconciliationRun, first: dt.datetime, after: dt.datetime
) -> Select[Any]:
    rest = (
        select(
            Refund.id,
            Refund.hospital_id,
            Refund.out_refund_no,
            Refund.amount_fen,
            Refund.succeeded_at,
        )
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            _is_ours(run),
            Refund.state == RefundState.SUCCEEDED,
            Refund.succeeded_at >= first,
            Refund.succeeded_at < after,
            ~_is_listed(Refund.out_refund_no, BillRowKind.REFUND, run.id),
        )
        .cte("rest")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return select(rest).where(~_is_listed(rest.c.out_refund_no, BillRowKind.REFUND, None))


def find_unlisted(session: Session, run: ReconciliationRun) -> Iterator[Finding]:
    """Documents for which this bill was the last that could list them, and none does."""
    first, after = judged_bounds(run.business_date)
    for row_id, hospital_id, number, fen, at in session.execute(
        _unlisted_payments(run, first, after)
    ):
        yield Finding(
            kind=DifferenceKind.OURS_ONLY,
            item_kind=BillRowKind.PAYMENT,
            number=number,
            our_fen=fen,
            their_fen=None,
            happened_at=at,
            hospital_id=hospital_id,
            payment_id=row_id,
            refund_id=None,
        )
    for row_id, hospital_id, number, fen, at in session.execute(
        _unlisted_refunds(run, first, after)
    ):
        yield Finding(
            kind=DifferenceKind.OURS_ONLY,
            item_kind=BillRowKind.REFUND,
            number=number,
            our_fen=fen,
            their_fen=None,
            happened_at=at,
            hospital_id=hospital_id,
            payment_id=None,
            refund_id=row_id,
        )


def count_carried(session: Session, run: ReconciliationRun) -> int:
    """Documents at the end of the day that are on no bill yet: the next day's may list them."""
    _first, after_judged = judged_bounds(run.business_date)
    _start, end = day_bounds(run.business_date)
    total = 0
    for unlisted in (_unlisted_payments, _unlisted_refunds):
        rows = unlisted(run, after_judged, end).subquery()
        total += session.scalar(select(func.count()).select_from(rows)) or 0
    return total


# --- money we have not heard of ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line that says more than our document knows: it was paid, or has gone back."""

    item_kind: BillRowKind
    number: str
    out_trade_no: str
    amount_fen: int
    channel_number: str
    happened_at: dt.datetime


def find_evidence(session: Session, run: ReconciliationRun) -> list[Evidence]:
    """Lines about documents of ours that have not been paid, or not gone back, as far as we know."""
    unpaid = (
        select(BillItem)
        .join(Payment, Payment.out_trade_no == BillItem.number)
        .where(_items(run, BillRowKind.PAYMENT), Payment.received_fen == 0)
    )
    unfinished = (
        select(BillItem)
        .join(Refund, Refund.out_refund_no == BillItem.number)
        .where(
            _items(run, BillRowKind.REFUND),
            BillItem.is_final,
            Refund.state != RefundState.SUCCEEDED,
        )
    )
    return [
        Evidence(
            item.kind,
            item.number,
            item.out_trade_no,
            item.amount_fen,
            item.channel_number,
            item.happened_at,
        )
        for statement in (unpaid, unfinished)
        for item in session.scalars(statement.order_by(BillItem.line))
    ]
