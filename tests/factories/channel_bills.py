"""A channel that publishes bills written by a test."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import deque
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from backend.billing import service, tasks
from backend.billing.ports import Bill, BillRow, BillRowKind
from backend.billing.queries import RunView, get_run
from backend.kernel.clock import at_local
from tests.factories.billing import MoneyWorld
from tests.factories.databases import SYSTEM


def line(number: str, fen: int, at: dt.datetime) -> BillRow:
    """A payment on the bill."""
    return BillRow(BillRowKind.PAYMENT, number, number, fen, f"tx-{number[:8]}", at)


def back(number: str, order: str, fen: int, at: dt.datetime, *, is_final: bool = True) -> BillRow:
    """A refund on the bill."""
    return BillRow(BillRowKind.REFUND, number, order, fen, f"rf-{number[:8]}", at, is_final)


@dataclass
class ScriptedBills:
    """`BillSource` whose bills are lists; ``fail_next`` queues what the next fetches raise instead."""

    channel: str = "wechat"
    bills: dict[dt.date, list[BillRow]] = field(default_factory=dict)
    fail_next: deque[Exception] = field(default_factory=deque)
    fetched: list[dt.date] = field(default_factory=list)

    def published_from(self, day: dt.date) -> dt.datetime:
        return at_local(day + dt.timedelta(days=1), dt.time(10))

    def fetch_bill(self, day: dt.date) -> Bill:
        self.fetched.append(day)
        if self.fail_next:
            raise self.fail_next.popleft()
        rows = self.bills.get(day, [])
        return Bill(hashlib.sha1(repr(rows).encode()).hexdigest(), iter(rows))  # noqa: S324

    def add(self, day: dt.date, *rows: BillRow) -> None:
        """Write lines on a day's bill."""
        self.bills.setdefault(day, []).extend(rows)


def settle(session: Session, status: object) -> object:
    """What the journeys' settlement does to the books alone."""
    return service.apply_trade_status(session, status)  # type: ignore[arg-type]


def reconcile(world: MoneyWorld, source: ScriptedBills, day: dt.date) -> RunView:
    """Reconcile a day; how the run stands."""
    run_id = tasks.reconcile(world.database, source, day, settle)
    with world.database.read(SYSTEM) as session:
        return get_run(session, run_id)
