"""``xinglin reconcile``: fetch and match what is due, or one day; say in the terminal what is not explained."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import requests
from rich.console import Console
from rich.table import Table

from backend.billing import queries, tasks
from backend.billing.ports import BillSource
from backend.billing.queries import DifferenceView, RunView
from backend.billing.rules import BillChannel, RunState
from backend.bootstrap import Program, merchant_file
from backend.journeys.settlement import record_trade_status
from backend.kernel.clock import at_local
from backend.kernel.ids import Id
from backend.kernel.money import format_yuan

EXPLAINED, UNEXPLAINED, NO_BILL = 0, 1, 2
#: Every bill of a day is published by then on the next one.
MORNING = dt.time(10, 30)
LONGEST_LIST = 1000
WIDEST = 120


def run(
    console: Console,
    program: Program,
    day: dt.date | None,
    channel: str | None,
    *,
    is_next_morning: bool = False,
) -> int:
    """Reconcile and report; the exit status. ``is_next_morning`` moves the sandbox's clock meanwhile."""
    sources = [one for one in program.bills if channel is None or one.channel == channel]
    if not sources:
        console.print(f"no bill is fetched for {channel}", style="red")
        return NO_BILL
    if is_next_morning and program.settings.is_production:
        console.print("there is no sandbox in production", style="red")
        return NO_BILL
    with _morning_after(program, day) if is_next_morning and day else nullcontext():
        runs = _runs(program, sources, day)
    return _report(console, program, runs)


def _runs(program: Program, sources: list[BillSource], day: dt.date | None) -> list[Id]:
    """The runs asked for: of one day, or all that are due and those that were not explained before."""
    database = program.database
    if day is not None:
        return [tasks.reconcile(database, one, day, record_trade_status) for one in sources]
    tasks.plan_runs(database, sources)
    tasks.reconcile_due(database, sources, record_trade_status)
    wanted = {BillChannel(one.channel) for one in sources}
    with database.read(tasks.ACTOR) as session:
        runs = queries.list_runs(session, limit=LONGEST_LIST)
        moment = database.clock.now()
    return [
        one.id
        for one in runs
        if one.channel in wanted
        and not one.is_explained
        and (one.state is not RunState.DUE or one.next_try_at <= moment)
    ]


def _report(console: Console, program: Program, run_ids: list[Id]) -> int:
    # Whole names and figures, whatever the terminal's width: a table narrows itself to it unless told its own.
    width = None if console.width >= WIDEST else WIDEST
    table = Table(title="reconciliation", title_justify="left", width=width)
    for column in ("channel", "day", "state"):
        table.add_column(column)
    for column in ("bill", "ours", "lines", "agree", "carried", "differ", "open"):
        table.add_column(column, justify="right")
    status, open_ones = EXPLAINED, list[tuple[RunView, DifferenceView]]()
    with program.database.read(tasks.ACTOR) as session:
        runs = [queries.get_run(session, run_id) for run_id in run_ids]
        for one in runs:
            found = queries.list_differences(session, one.id, hospital_id=None, limit=LONGEST_LIST)
            open_ones += [(one, difference) for difference in found if difference.is_open]
    for one in sorted(runs, key=lambda r: (r.business_date, r.channel)):
        figures = (one.bill_payments + one.bill_refunds, one.matched, one.carried)
        table.add_row(
            *(one.channel.value, one.business_date.isoformat(), one.failure or one.state.value),
            *(format_yuan(one.bill_net_fen), format_yuan(one.our_net_fen)),
            *(f"{number:,}" for number in (*figures, one.differences, one.open_differences)),
        )
        if one.state is not RunState.MATCHED:
            status = NO_BILL
        elif one.open_differences and status is EXPLAINED:
            status = UNEXPLAINED
    if runs:
        console.print(table, crop=False, no_wrap=True)
    else:
        console.print("nothing is due, everything is explained")
    for one, difference in open_ones:
        ours, theirs = (
            "-" if fen is None else format_yuan(fen)
            for fen in (difference.our_fen, difference.their_fen)
        )
        console.print(
            f"open: {one.channel.value} {one.business_date} {difference.kind.value}"
            f" {difference.item_kind.value} {difference.number} ours {ours} theirs {theirs}",
            style="red",
            markup=False,
            soft_wrap=True,
        )
    return status


@contextmanager
def _morning_after(program: Program, day: dt.date) -> Iterator[None]:
    """The sandbox's clock stands on the morning after ``day`` during the block, and at the present afterwards."""
    base_url = json.loads(merchant_file(program.settings).read_text("utf-8"))["base_url"]
    morning = at_local(day + dt.timedelta(days=1), MORNING)
    _set_clock(base_url, (morning - program.database.clock.now()).total_seconds())
    try:
        yield
    finally:
        _set_clock(base_url, 0.0)


def _set_clock(base_url: str, offset_seconds: float) -> None:
    with requests.Session() as session:
        session.trust_env = False  # no proxy of this machine knows the sandbox
        answer = session.put(
            f"{base_url}/sandbox/clock", json={"offset_seconds": offset_seconds}, timeout=10
        )
        answer.raise_for_status()
