"""A large day's bill against the books: fetched from a running platform, parsed, stored, matched.

The measured part is a process of its own, so that its peak memory is its own. Floor of the same run: the
same lines by bare COPY into a table, and one join that counts what agrees.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from backend.billing import queries, service, tasks
from backend.billing.ports import Bill, BillRow, BillRowKind
from backend.billing.rules import BillChannel, RunState
from backend.billing.verify import verify_ledger
from backend.journeys.settlement import record_trade_status
from backend.kernel.clock import FixedClock, at_local
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import Database
from backend.wechat.bills import WeChatBillSource
from backend.wechat.pay import WeChatPayGateway, load_merchant_file
from tests.contract.wechat.sandbox_process import running_sandbox
from tests.factories.billing import make_world
from tests.factories.databases import make_database, make_empty_database
from tests.services.postgres import running_postgres

MOST_SECONDS = 60.0
MOST_MEGABYTES = 500.0
DAY = dt.date(2026, 11, 23)
#: Of each ten thousand: payments the platform does not know, orders we do not know, other amounts.
ODD = 5
CLOCK = at_local(DAY + dt.timedelta(days=1), dt.time(10, 30))
HALF_DAY = 12 * 3600


def run(console: Console, *, payments: int) -> int:
    """Measure and print; non-zero beyond a limit or when the differences are not those that were made."""
    with running_postgres() as server, tempfile.TemporaryDirectory() as folder:
        url = server.url(server.create_database())
        directory = Path(folder) / "sandbox"
        with running_sandbox(directory):
            pass  # it has made its keys and its tables
        odd = _fill(url, directory / "sandbox.sqlite3", payments)
        with running_sandbox(directory) as sandbox:
            # The bill is asked for in the present, about the day before it.
            offset = CLOCK.timestamp() - time.time()
            sandbox.put("/sandbox/clock", offset_seconds=offset)
            answer = subprocess.run(
                [sys.executable, "-m", "tests.bench.reconcile", url, str(directory)],
                capture_output=True,
                text=True,
                check=False,
            )
        if answer.returncode:
            console.print(answer.stderr)
            return 1
        figures = json.loads(answer.stdout.splitlines()[-1])
    return _report(console, figures, payments, odd)


def _report(console: Console, figures: dict[str, Any], payments: int, odd: int) -> int:
    table = Table(title=f"{payments:,} payments of one day, PostgreSQL", title_justify="left")
    for column in ("step", "seconds"):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    for step in (
        "fetch",
        "parse",
        "store",
        "match",
        "whole run",
        "run again",
        "floor: COPY + join",
    ):
        table.add_row(step, f"{figures[step]:.2f}")
    console.print(table)
    work = figures["whole run"] - figures["fetch"]
    console.print(
        f"peak memory {figures['megabytes']:.0f} MB; floor / (run without fetch) ="
        f" {figures['floor: COPY + join'] / work:.2f}; {figures['differences']} differences"
    )
    wrong = [
        words
        for is_wrong, words in (
            (figures["whole run"] > MOST_SECONDS, f"slower than {MOST_SECONDS:.0f} s"),
            (figures["megabytes"] > MOST_MEGABYTES, f"more than {MOST_MEGABYTES:.0f} MB"),
            (figures["differences"] != 3 * odd, f"{3 * odd} differences were made"),
            (figures["again"] != figures["differences"], "a run again changed something"),
            (bool(figures["problems"]), "the ledger's verifier found problems"),
        )
        if is_wrong
    ]
    for words in wrong:
        console.print(f"wrong: {words}", style="red")
    return 1 if wrong else 0


# --- the day ------------------------------------------------------------------------------------


def _fill(url: str, platform: Path, payments: int) -> int:
    """Write the day into our books and the platform's memory; how many of each kind of oddity."""
    database = make_empty_database(url, FixedClock(at_local(DAY, dt.time(8))))
    world = make_world(database)
    database.engine.dispose()
    odd = max(1, payments * ODD // 10_000)
    with psycopg.connect(url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        numbers = [new_id() for _ in range(payments)]
        with cursor.copy(
            "COPY billing_invoice (id, hospital_id, patient_id, series, ordinal, number, total_fen, paid_fen,"
            " state, opened_at, void_reason, void_cancels_charges) FROM STDIN"
        ) as copy:
            for place, number in enumerate(numbers, start=1):
                at = _moment(place, payments)
                copy.write_row(
                    (
                        *(
                            number,
                            world.hospital_id,
                            world.patient_id,
                            "2026",
                            place,
                            f"B{place:011d}",
                        ),
                        *(_fen(place), _fen(place), "paid", at, "", True),
                    )
                )
        _copy_payments(cursor, world.hospital_id, world.patient_id, numbers)
        _copy_ledger(cursor, world.hospital_id)
        cursor.execute("ANALYZE")
    with sqlite3.connect(platform) as memory:
        memory.executemany(
            "INSERT INTO orders (out_trade_no, description, total, notify_url, code_token, state,"
            " created_at, transaction_id, paid_at) VALUES (?, '门诊费用', ?, 'http://127.0.0.1:9/x', ?,"
            " 'SUCCESS', ?, ?, ?)",
            _orders(numbers, odd),
        )
    return odd


def _copy_payments(cursor: Any, hospital_id: Id, patient_id: Id, numbers: list[Id]) -> None:
    with cursor.copy(
        "COPY billing_payment (id, hospital_id, invoice_id, patient_id, tender, state, amount_fen,"
        " received_fen, refunded_fen, is_suspended, out_trade_no, transaction_id, failure_code, created_at,"
        " paid_at, ended_at, channel, actor_kind, actor_label) FROM STDIN"
    ) as copy:
        for place, number in enumerate(numbers, start=1):
            at, fen = _moment(place, len(numbers)), _fen(place)
            copy.write_row(
                (
                    *(
                        number,
                        hospital_id,
                        number,
                        patient_id,
                        "wechat_native",
                        "succeeded",
                        fen,
                        fen,
                        0,
                    ),
                    *(
                        False,
                        number.hex,
                        f"42{place:026d}",
                        "",
                        at,
                        at,
                        at,
                        "kiosk",
                        "device",
                        "K01",
                    ),
                )
            )


def _copy_ledger(cursor: Any, hospital_id: Id) -> None:
    """What the rules post for these documents: each bill has one charge, paid."""
    cursor.execute(
        "INSERT INTO billing_charge (id, hospital_id, patient_id, source_kind, source_id, price_item_code,"
        " category, name, unit, quantity, unit_price_fen, amount_fen, refunded_fen, state, invoice_id,"
        " raised_at) SELECT gen_random_uuid(), hospital_id, patient_id, 'order', id, 'LAB-CBC',"
        " 'laboratory', '血常规', '次', 1, total_fen, total_fen, 0, 'paid', id, opened_at FROM billing_invoice"
    )
    cursor.execute(
        "INSERT INTO billing_invoice_counter SELECT hospital_id, series, max(ordinal) FROM billing_invoice"
        " GROUP BY 1, 2"
    )
    for kind, table, fen, debit, credit in (
        (
            "charge_raised",
            "billing_charge",
            "amount_fen",
            "receivable:patient",
            "revenue:laboratory",
        ),
        (
            "payment_received",
            "billing_payment",
            "received_fen",
            "wechat:clearing",
            "receivable:patient",
        ),
    ):
        cursor.execute(
            "INSERT INTO billing_journal_entry (id, hospital_id, kind, source_id, posted_at, business_date)"
            f" SELECT gen_random_uuid(), hospital_id, '{kind}', id, now(), %s FROM {table}",
            (DAY,),
        )
        for line, account, sign in ((1, debit, ""), (2, credit, "-")):
            cursor.execute(
                "INSERT INTO billing_posting (entry_id, line, account, amount_fen)"
                f" SELECT e.id, {line}, '{account}', {sign}d.{fen}"
                f" FROM billing_journal_entry e JOIN {table} d ON d.id = e.source_id"
                f" WHERE e.kind = '{kind}'"
            )
    del hospital_id


def _orders(numbers: list[Id], odd: int) -> Iterator[tuple[object, ...]]:
    """The platform's memory: without the first ``odd`` of ours, another amount for the next, some of its own."""
    total = len(numbers)
    for place, number in enumerate(numbers, start=1):
        at = _moment(place, total).timestamp()
        fen = _fen(place) + (1 if odd < place <= 2 * odd else 0)
        if place > odd:
            yield number.hex, fen, f"t{place}", at, f"42{place:026d}", at
    for place in range(odd):
        at = _moment(total // 2, total).timestamp()
        yield f"STRANGER{place:08d}", 8800, f"s{place}", at, f"43{place:026d}", at


def _moment(place: int, total: int) -> dt.datetime:
    """Spread over twelve hours from six in the morning."""
    return at_local(DAY, dt.time(6)) + dt.timedelta(seconds=HALF_DAY * place // total)


def _fen(place: int) -> int:
    return 100 + place * 37 % 99_900


# --- the measured process -----------------------------------------------------------------------


class _Timed:
    """The source of bills, with a watch on its fetching and its reading."""

    channel = WeChatBillSource.channel

    def __init__(self, source: WeChatBillSource, seconds: dict[str, float]) -> None:
        self._source, self._seconds = source, seconds

    def published_from(self, day: dt.date) -> dt.datetime:
        return self._source.published_from(day)

    def fetch_bill(self, day: dt.date) -> Bill:
        bill = _watch(self._seconds, "fetch", self._source.fetch_bill)(day)
        return Bill(bill.digest, self._read(bill.rows))

    def _read(self, rows: Iterator[BillRow]) -> Iterator[BillRow]:
        while True:
            begun = time.perf_counter()
            row = next(rows, None)
            self._seconds["parse"] += time.perf_counter() - begun
            if row is None:
                return
            yield row


def _watch(seconds: dict[str, float], step: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        try:
            return act(*given, **named)
        finally:
            seconds[step] += time.perf_counter() - begun

    return timed


def measure(url: str, directory: Path) -> dict[str, Any]:
    """One run, and once more; seconds by step, peak memory, what was found."""
    seconds = dict.fromkeys(("fetch", "parse", "store", "match", "whole run", "run again"), 0.0)
    config = load_merchant_file(directory / "merchant.json", notify_url="http://127.0.0.1:9/x")
    # The sandbox writes the file while it is asked for it; the real platform has done so by then.
    patient = replace(config, timeout_seconds=MOST_SECONDS)
    source = WeChatBillSource(WeChatPayGateway(patient))
    database = make_database(url, FixedClock(CLOCK))
    service.store_bill = _watch(seconds, "store", service.store_bill)
    service.match_run = _watch(seconds, "match", service.match_run)
    timed = _Timed(source, seconds)
    reconcile = _watch(seconds, "whole run", tasks.reconcile)
    run_id = reconcile(database, timed, DAY, record_trade_status)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    first = dict(seconds)
    again = _watch(seconds, "run again", tasks.reconcile)
    before = _found(database, run_id)
    again(database, source, DAY, record_trade_status)
    first["run again"] = seconds["run again"]
    first["store"] -= first["parse"]
    with database.read(tasks.ACTOR) as session:
        problems = verify_ledger(session).problems[:5]
    return {
        **first,
        "floor: COPY + join": _floor(url, list(source.fetch_bill(DAY).rows)),
        "megabytes": megabytes,
        "differences": before,
        "again": _found(database, run_id),
        "problems": problems,
    }


def _found(database: Database, run_id: Id) -> int:
    with database.read(tasks.ACTOR) as session:
        run = queries.get_run(session, run_id)
        if run.state is not RunState.MATCHED or run.channel is not BillChannel.WECHAT:
            raise RuntimeError(f"the run ended {run.state}: {run.failure}")
        cases = session.scalar(text("SELECT count(*) FROM billing_money_case")) or 0
    if int(cases) != run.differences:
        raise RuntimeError(f"{cases} cases for {run.differences} differences")
    return run.differences


def _floor(url: str, rows: list[BillRow]) -> float:
    """The same lines, read already, by bare COPY, and one join."""
    begun = time.perf_counter()
    with psycopg.connect(url.replace("+psycopg", "")) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE floor (number text, amount_fen bigint)")
        with cursor.copy("COPY floor FROM STDIN") as copy:
            for row in rows:
                if row.kind is BillRowKind.PAYMENT:
                    copy.write_row((row.number, row.amount_fen))
        cursor.execute(
            "SELECT count(*) FILTER (WHERE p.received_fen = f.amount_fen), count(*) FROM floor f"
            " FULL JOIN billing_payment p ON p.out_trade_no = f.number"
        )
        cursor.fetchone()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))) + "\n")
