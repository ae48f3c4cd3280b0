"""Reconciliation on the clock: plan each day's runs, fetch what is due, match it, come back for what failed.

The bill is fetched between two transactions; what it proves (an order paid, a refund gone) is applied one
document at a time, as a notification would be, before the lines are held against the books.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import closing

import structlog
from sqlalchemy.orm import Session

from backend.billing import ports, queries, service
from backend.billing.ports import (
    BillNotPublished,
    BillRowKind,
    BillSource,
    GatewayError,
    RefundStatus,
    TradeState,
    TradeStatus,
)
from backend.billing.ports.insurance import InsuredDocument
from backend.billing.rules import BillChannel
from backend.billing.service import Evidence
from backend.kernel.errors import XinglinError
from backend.kernel.ids import Id
from backend.kernel.jobs import PeriodicJob
from backend.kernel.permissions import system_actor
from backend.kernel.uow import Database, today

log = structlog.get_logger(__name__)


ACTOR = system_actor("billing.reconcile")
EVERY_MINUTES = 5
NOT_PUBLISHED = "not_published"


def jobs(sources: Sequence[BillSource], record: service.RecordTradeStatus) -> list[PeriodicJob]:
    """The periodic work over these channels; ``record`` is the journeys' settlement."""

    def run(database: Database) -> None:
        plan_runs(database, sources)
        reconcile_due(database, sources, record)

    return [PeriodicJob("billing.reconcile", run, minutes=EVERY_MINUTES)]


def plan_runs(database: Database, sources: Sequence[BillSource]) -> None:
    """See that every channel has a run for today and for each day since its last one.

    A channel's first run is that of the day it is first seen: what came before this program is not its to prove.
    """
    with database.read(ACTOR) as session:
        day, last = today(session), queries.last_run_days(session)
    for source in sources:
        channel = BillChannel(source.channel)
        first = min(last.get(channel, day - dt.timedelta(days=1)) + dt.timedelta(days=1), day)
        if last.get(channel) == day:
            continue
        with database.write(ACTOR) as session:
            for offset in range((day - first).days + 1):
                wanted = first + dt.timedelta(days=offset)
                service.plan_run(session, channel, wanted, source.published_from(wanted))


def reconcile_due(
    database: Database, sources: Sequence[BillSource], record: service.RecordTradeStatus
) -> None:
    """Fetch and match every run whose time has come."""
    by_channel = {BillChannel(source.channel): source for source in sources}
    with database.read(ACTOR) as session:
        due = queries.list_due_runs(session, by_channel)
    for run in due:
        try:
            reconcile(database, by_channel[run.channel], run.business_date, record)
        except Exception:
            # One channel's trouble keeps no other from its bill; the next tick takes this one again.
            log.exception("reconciliation_failed", bill_channel=run.channel, run=str(run.id))


def reconcile(
    database: Database, source: BillSource, day: dt.date, record: service.RecordTradeStatus
) -> Id:
    """Reconcile one channel's day now, whatever its state; the run, matched or failed.

    Leaves a run alone that somebody else fetches at this moment.
    """
    due_at = source.published_from(day)
    with database.write(ACTOR) as session:
        run_id = service.plan_run(session, BillChannel(source.channel), day, due_at).id
        if not service.begin_run(session, run_id):
            return run_id
    try:
        bill = source.fetch_bill(day)
        with closing(bill), database.write(ACTOR) as session:
            service.store_bill(session, run_id, bill, due_at)
    except GatewayError as error:
        why = NOT_PUBLISHED if isinstance(error, BillNotPublished) else str(error)
        log.warning("bill_not_had", bill_channel=source.channel, day=day.isoformat(), why=why)
        with database.write(ACTOR) as session:
            service.fail_run(session, run_id, why)
        return run_id
    _apply_evidence(database, run_id, record)
    with database.write(ACTOR) as session:
        service.match_run(session, run_id)
    return run_id


def list_insured(database: Database, day: dt.date) -> list[InsuredDocument]:
    """What the insurance settled and took back around a day, read for its statement."""
    with database.read(ACTOR) as session:
        return service.list_insured(session, day)


def _apply_evidence(database: Database, run_id: Id, record: service.RecordTradeStatus) -> None:
    """Tell the books what the bill knows better, as if the platform had notified us."""
    with database.read(ACTOR) as session:
        evidence = service.list_evidence(session, run_id)
    for one in evidence:
        try:
            with database.write(ACTOR) as session:
                _apply(session, one, record)
        except XinglinError:
            # It stays a difference, with a case for a person.
            log.warning("evidence_refused", number=one.number, exc_info=True)


def _apply(session: Session, one: Evidence, record: service.RecordTradeStatus) -> None:
    if one.item_kind is BillRowKind.PAYMENT:
        record(
            session,
            TradeStatus(
                one.number, TradeState.SUCCESS, one.amount_fen, one.channel_number, one.happened_at
            ),
        )
        return
    service.apply_refund_status(
        session,
        RefundStatus(
            one.number,
            one.out_trade_no,
            ports.RefundState.SUCCESS,
            one.amount_fen,
            one.channel_number,
            one.happened_at,
        ),
    )
