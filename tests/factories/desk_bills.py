"""The daily bill of a desk's far end, which lives in the desk's present."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from backend.billing import queries, service, tasks
from backend.billing.ports import BillSource
from backend.billing.queries import DifferenceView, RunView
from tests.factories.card_desk import CardDesk
from tests.factories.databases import SYSTEM
from tests.factories.insurance_desk import Desk

#: The desks' day.
DAY = dt.date(2026, 11, 23)


@contextmanager
def in_its_present(desk: CardDesk | Desk) -> Iterator[None]:
    """The far end's clock shows the desk's time during the block, and the real one afterwards."""
    _set_clock(desk)
    try:
        yield
    finally:
        desk.sandbox.put("/sandbox/clock", offset_seconds=0)


def reconcile(desk: CardDesk | Desk, source: BillSource) -> RunView:
    """Reconcile the day as on its next morning."""
    _set_clock(desk, dt.timedelta(days=1))
    run_id = tasks.reconcile(desk.database, source, DAY, service.apply_trade_status)
    _set_clock(desk)
    with desk.database.read(SYSTEM) as session:
        return queries.get_run(session, run_id)


def differences(desk: CardDesk | Desk, run: RunView) -> list[DifferenceView]:
    """All that a run found."""
    with desk.database.read(SYSTEM) as session:
        return queries.list_differences(session, run.id, hospital_id=None)


def _set_clock(desk: CardDesk | Desk, later: dt.timedelta = dt.timedelta(0)) -> None:
    offset = desk.clock.now() + later - dt.datetime.now(dt.UTC)
    desk.sandbox.put("/sandbox/clock", offset_seconds=offset.total_seconds())
