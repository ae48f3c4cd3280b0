"""Reads of reconciliation: runs, their differences, what is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import Session

from backend.billing.errors import RunUnknown
from backend.billing.models import (
    Difference,
    Invoice,
    MoneyCase,
    Payment,
    ReconciliationRun,
    Refund,
)
from backend.billing.ports import BillRowKind
from backend.billing.queries.bills import is_foreign
from backend.billing.rules import BillChannel, CaseState, DifferenceKind, RunState
from backend.kernel.ids import Id
from backend.kernel.uow import now


@dataclass(frozen=True, slots=True)
class RunView:
    """One channel's day: both sides' figures, and how many of its differences wait for somebody."""

    id: Id
    channel: BillChannel
    business_date: dt.date
    state: RunState
    next_try_at: dt.datetime
    tries: int
    failure: str
    matched_at: dt.datetime | None
    bill_payments: int
    bill_payments_fen: int
    bill_refunds: int
    bill_refunds_fen: int
    our_payments: int
    our_payments_fen: int
    our_refunds: int
    our_refunds_fen: int
    matched: int
    cross_day: int
    carried: int
    differences: int
    open_differences: int

    @property
    def is_explained(self) -> bool:
        """Matched, and nothing waits for a person."""
        return self.state is RunState.MATCHED and not self.open_differences

    @property
    def bill_net_fen(self) -> int:
        """What the channel owes us for the day, by its bill."""
        return self.bill_payments_fen - self.bill_refunds_fen

    @property
    def our_net_fen(self) -> int:
        """The same by our books."""
        return self.our_payments_fen - self.our_refunds_fen


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """One difference with its case."""

    id: Id
    kind: DifferenceKind
    item_kind: BillRowKind
    number: str
    our_fen: int | None
    their_fen: int | None
    happened_at: dt.datetime | None
    case_id: Id
    is_open: bool
    is_settled: bool
    reason: str
    closed_by: str
    closed_at: dt.datetime | None
    invoice_number: str


_FIGURES = tuple(
    name for name in RunView.__annotations__ if name not in ("differences", "open_differences")
)


def _runs() -> Select[ReconciliationRun, int, int]:
    """Runs with how many differences they have, and how many of those are open."""
    counted = (
        select(
            Difference.run_id,
            func.count().label("total"),
            func.sum(case((MoneyCase.state == CaseState.OPEN, 1), else_=0)).label("open"),
        )
        .join(MoneyCase, MoneyCase.id == Difference.case_id)
        .group_by(Difference.run_id)
        .subquery()
    )
    return select(
        ReconciliationRun,
        func.coalesce(counted.c.total, 0),
        func.coalesce(counted.c.open, 0),
    ).outerjoin(counted, counted.c.run_id == ReconciliationRun.id)


def _view(run: ReconciliationRun, total: int, still_open: int) -> RunView:
    values = {name: getattr(run, name) for name in _FIGURES}
    return RunView(**values, differences=int(total), open_differences=int(still_open))


def get_run(session: Session, run_id: Id) -> RunView:
    """One run; RunUnknown (404)."""
    row = session.execute(_runs().where(ReconciliationRun.id == run_id)).first()
    if row is None:
        raise RunUnknown
    return _view(*row)


def list_runs(
    session: Session,
    *,
    channel: BillChannel | None = None,
    before: dt.date | None = None,
    limit: int = 30,
) -> list[RunView]:
    """Runs, the newest day first, of one channel or all; ``before`` a day continues the list."""
    statement = _runs().order_by(ReconciliationRun.business_date.desc(), ReconciliationRun.channel)
    if channel is not None:
        statement = statement.where(ReconciliationRun.channel == channel)
    if before is not None:
        statement = statement.where(ReconciliationRun.business_date < before)
    return [_view(*row) for row in session.execute(statement.limit(limit))]


def list_due_runs(session: Session, channels: Iterable[BillChannel]) -> list[RunView]:
    """Runs that may be fetched now, oldest first: due, failed a while ago, or left behind in the middle.

    One that was matched before its time (by hand, while the day still ran) is due once more.
    """
    statement = _runs().where(
        ReconciliationRun.channel.in_(list(channels)),
        or_(
            ReconciliationRun.state != RunState.MATCHED,
            ReconciliationRun.matched_at < ReconciliationRun.next_try_at,
        ),
        ReconciliationRun.next_try_at <= now(session),
    )
    rows = session.execute(statement.order_by(ReconciliationRun.business_date))
    return [_view(*row) for row in rows]


def count_open_differences(session: Session) -> int:
    """Differences of all runs that wait for somebody."""
    waiting = (
        select(func.count())
        .select_from(Difference)
        .join(MoneyCase, MoneyCase.id == Difference.case_id)
        .where(MoneyCase.state == CaseState.OPEN)
    )
    return session.scalar(waiting) or 0


def last_run_days(session: Session) -> dict[BillChannel, dt.date]:
    """The newest day each channel has a run for."""
    rows = session.execute(
        select(ReconciliationRun.channel, func.max(ReconciliationRun.business_date)).group_by(
            ReconciliationRun.channel
        )
    )
    return {row[0]: row[1] for row in rows}


def list_differences(
    session: Session, run_id: Id, *, hospital_id: Id | None, limit: int = 200
) -> list[DifferenceView]:
    """What a run found, open ones first: those of a hospital (None: of all) and those of nobody's documents."""
    statement = (
        select(Difference, MoneyCase, Invoice.number)
        .join(MoneyCase, MoneyCase.id == Difference.case_id)
        .outerjoin(Refund, Refund.id == MoneyCase.refund_id)
        .outerjoin(Payment, Payment.id == func.coalesce(MoneyCase.payment_id, Refund.payment_id))
        .outerjoin(Invoice, Invoice.id == Payment.invoice_id)
        .where(Difference.run_id == run_id)
        .order_by(MoneyCase.state.desc(), Difference.kind, Difference.happened_at, Difference.id)
        .limit(limit)
    )
    if hospital_id is not None:
        mine = or_(MoneyCase.hospital_id == hospital_id, MoneyCase.hospital_id.is_(None))
        statement = statement.where(mine)
    return [_difference(*row) for row in session.execute(statement)]


def get_difference_case(session: Session, run_id: Id, difference_id: Id) -> Id:
    """The money case of one difference of a run; RunUnknown (404), also when it is another hospital's."""
    row = session.execute(
        select(MoneyCase.id, MoneyCase.hospital_id)
        .join(Difference, Difference.case_id == MoneyCase.id)
        .where(Difference.id == difference_id, Difference.run_id == run_id)
    ).first()
    if row is None or (row.hospital_id is not None and is_foreign(session, row.hospital_id)):
        raise RunUnknown
    case_id: Id = row.id
    return case_id


def _difference(
    row: Difference, money_case: MoneyCase, invoice_number: str | None
) -> DifferenceView:
    return DifferenceView(
        id=row.id,
        kind=row.kind,
        item_kind=row.item_kind,
        number=row.number,
        our_fen=row.our_fen,
        their_fen=row.their_fen,
        happened_at=row.happened_at,
        case_id=money_case.id,
        is_open=money_case.state is CaseState.OPEN,
        is_settled=row.settled_at is not None,
        reason=money_case.reason,
        closed_by=money_case.closed_by,
        closed_at=money_case.closed_at,
        invoice_number=invoice_number or "",
    )
