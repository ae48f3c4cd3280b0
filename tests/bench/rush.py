"""`python -m tests.bench rush`: 5,000 people at once for 1,000 places, through real web processes.

PostgreSQL with two gevent processes, then SQLite with its one process of threads. The crowd is a process of its own on
loopback; each person draws a number, asks as often as told, books when it is their turn, and is done once they hold a
place or were told that none is left. Fails unless exactly the places were sold, nobody saw a 5xx, and the order of
arrival was kept within a second.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from backend.billing import service as billing
from backend.billing.rules import PriceCategory
from backend.kernel.clock import HalfDay, SystemClock, business_date
from backend.kernel.ids import Id
from backend.kernel.links import RushLink, rush_token
from backend.kernel.uow import Database
from backend.scheduling import service as scheduling
from backend.scheduling.models import Appointment
from backend.scheduling.rules import OCCUPYING, VisitType, last_bookable_day
from backend.scheduling.verify import verify_slots
from backend.settings import Settings, load_secrets
from tests.factories.clinic import FEE_FEN, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM, make_empty_database
from tests.services.ports import free_port
from tests.services.postgres import running_postgres
from tests.services.processes import start_server, stop_server
from tests.services.redis import running_redis

DOCTORS = 25
MOST_SECONDS = 240
KEPT_WITHIN_SECONDS = 1.0


@dataclass(frozen=True)
class Result:
    """What one run gave."""

    name: str
    crowd: dict[str, Any]
    sold: int
    problems: int
    server_mb: float
    cpu: dict[str, float]


def run(console: Console, *, people: int, places: int, repeats: int, sqlite: bool) -> int:
    """Measure and print; 0 when every run sold exactly the places, without a 5xx, in order."""
    results = [_on_postgres(people, places) for _ in range(repeats)]
    if sqlite:
        results.append(_on_sqlite(people, places))
    _show(console, results, people, places)
    return 0 if all(_is_good(one, places) for one in results) else 1


def _on_postgres(people: int, places: int) -> Result:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xinglin-rush-")))
        server = stack.enter_context(running_postgres())
        redis = stack.enter_context(running_redis())
        environment = {
            "XINGLIN_DATABASE_URL": server.url(server.create_database()),
            "XINGLIN_REDIS_URL": redis.url,
            "XINGLIN_WEB_PROCESSES": "2",
        }
        return _measure("PostgreSQL, 2 gevent processes", folder, environment, people, places)


def _on_sqlite(people: int, places: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="xinglin-rush-") as folder:
        return _measure("SQLite, 1 process of threads", Path(folder), {}, people, places)


def _measure(
    name: str, folder: Path, environment: dict[str, str], people: int, places: int
) -> Result:
    for key in [key for key in os.environ if key.startswith("XINGLIN_")]:
        del os.environ[key]
    os.environ.update(
        environment,
        XINGLIN_ENV="test",
        XINGLIN_DATA_DIR=str(folder),
        XINGLIN_LOG_LEVEL="WARNING",
    )
    settings = Settings()
    database = make_empty_database(settings.url, SystemClock())
    try:
        links = _prepare(database, load_secrets(settings).secret_key, people, places)
        if not settings.is_sqlite:
            with database.engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                connection.exec_driver_sql("VACUUM (ANALYZE)")
        with _serving(folder) as (url, pid):
            before = _cpu_seconds(pid)
            with _watching_memory(pid) as peak:
                crowd = _crowd(url, links, folder)
            cpu = {"server": _cpu_seconds(pid) - before, "crowd": crowd.pop("cpu")}
        with database.read(SYSTEM) as session:
            sold = session.scalar(
                select(func.count())
                .select_from(Appointment)
                .where(Appointment.state.in_(OCCUPYING))
            )
            problems = len(verify_slots(session).problems)
    finally:
        database.engine.dispose()
    return Result(name, crowd, sold or 0, problems, peak[0], cpu)


def _prepare(database: Database, secret: str, people: int, places: int) -> list[str]:
    """One department whose newest day has ``places`` places, and everybody's link."""
    day = last_bookable_day(database.clock.now())
    clinic = make_clinic(
        database,
        practitioners=DOCTORS,
        patients=people,
        capacity=places // DOCTORS,
        slot_minutes=240 // (places // DOCTORS),
    )
    with database.write(SYSTEM) as session:
        billing.set_price(
            session,
            hospital_id=clinic.hospital_id,
            code="REG-CHIEF",
            name="主任医师挂号费",
            unit="次",
            category=PriceCategory.REGISTRATION,
            price_fen=FEE_FEN,
            effective_from=dt.date(2026, 1, 1),
        )
        if day.isoweekday() != 1:
            for practitioner_id in clinic.practitioner_ids:
                _sit(database, session, clinic, practitioner_id, day, places // DOCTORS)
    open_schedules(database, clinic, day)
    return [
        rush_token(secret, RushLink(clinic.hospital_id, clinic.department_id, day, patient))
        for patient in clinic.patient_ids
    ]


def _sit(
    database: Database,
    session: Any,
    clinic: Clinic,
    practitioner_id: Id,
    day: dt.date,
    capacity: int,
) -> None:
    scheduling.add_template_entry(
        session,
        hospital_id=clinic.hospital_id,
        practitioner_id=practitioner_id,
        department_id=clinic.department_id,
        location_id=clinic.room_id,
        weekday=day.isoweekday(),
        half_day=HalfDay.AM,
        visit_type=VisitType.CHIEF,
        price_item_code="REG-CHIEF",
        fee_fen=FEE_FEN,
        capacity=capacity,
        slot_minutes=240 // capacity,
        effective_from=business_date(database.clock.now()),
    )


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[str, int]]:
    """`xinglin web` as an operator starts it; its address and process id."""
    port = free_port()
    argv = [sys.executable, "-m", "backend.cli", "web", "--port", str(port)]
    server = start_server(argv, log=folder / "web.log")
    url = f"http://127.0.0.1:{port}"
    try:
        ends = time.monotonic() + 60
        while True:
            try:
                if requests.get(url + "/healthz", timeout=5).status_code == 200:
                    break
            except requests.RequestException:
                pass
            if server.poll() is not None or time.monotonic() > ends:
                raise LookupError(f"no server: {(folder / 'web.log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield url, server.pid
    finally:
        stop_server(server, timeout_seconds=15)


def _crowd(url: str, links: list[str], folder: Path) -> dict[str, Any]:
    """Let the crowd loose and wait for the last answer."""
    people = folder / "links.json"
    people.write_text(json.dumps(links))
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.rush_crowd", url, str(people)],
        capture_output=True,
        text=True,
        check=False,
        timeout=MOST_SECONDS + 60,
    )
    if done.returncode:
        raise LookupError(done.stderr[-3000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *map(int, children.read_text().split())] if children.exists() else [pid]


def _cpu_seconds(pid: int) -> float:
    ticks = 0
    for one in _family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    total = 0
    for one in _family(pid):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


@contextmanager
def _watching_memory(pid: int) -> Iterator[list[float]]:
    """The peak of the server's memory during the block, shared pages counted once, in MB."""
    peak, is_over = [_memory_mb(pid)], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.5):
            peak[0] = max(peak[0], _memory_mb(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        is_over.set()
        watcher.join()


def _is_good(one: Result, places: int) -> bool:
    crowd = one.crowd
    return (
        one.sold == crowd["sold"] == places
        and one.problems == 0
        and crowd["server_errors"] == 0
        and crowd["unanswered"] == 0
        and crowd["disorder_seconds"] <= KEPT_WITHIN_SECONDS
        and crowd["sold_numbers_last"] == places
    )


def _show(console: Console, results: list[Result], people: int, places: int) -> None:
    table = Table(title=f"rush: {people:,} at once for {places:,} places", title_justify="left")
    rows: dict[str, Callable[[Result], str]] = {
        "sold": lambda r: f"{r.sold:,}",
        "told that none is left": lambda r: f"{r.crowd['told']:,}",
        "without an answer": lambda r: str(r.crowd["unanswered"]),
        "answers 5xx": lambda r: str(r.crowd["server_errors"]),
        "answers 4xx": lambda r: str(r.crowd["refusals"]),
        "connections tried again": lambda r: str(r.crowd["reconnected"]),
        "order kept within, s": lambda r: f"{r.crowd['disorder_seconds']:.2f}",
        "last number that got a place": lambda r: f"{r.crowd['sold_numbers_last']:,}",
        "everybody has a number after, s": lambda r: f"{r.crowd['numbered_seconds']:.1f}",
        "last place sold after, s": lambda r: f"{r.crowd['sold_seconds']:.1f}",
        "last answer after, s": lambda r: f"{r.crowd['last_seconds']:.1f}",
        "requests": lambda r: f"{r.crowd['requests']:,}",
        "answer p50 / p99, ms": lambda r: f"{r.crowd['p50_ms']:.0f} / {r.crowd['p99_ms']:.0f}",
        "server memory at its peak, MB": lambda r: f"{r.server_mb:.0f}",
        "CPU seconds: server / crowd": lambda r: f"{r.cpu['server']:.1f} / {r.cpu['crowd']:.1f}",
        "slots verify": lambda r: "ok" if r.problems == 0 else f"{r.problems} problems",
        "verdict": lambda r: "ok" if _is_good(r, places) else "[red]failed[/red]",
    }
    table.add_column("")
    for one in results:
        table.add_column(one.name, justify="right")
    for name, show in rows.items():
        table.add_row(name, *(show(one) for one in results))
    console.print(table)
    for one in results:
        used = sum(one.cpu.values()) / max(one.crowd["last_seconds"], 0.1)
        console.print(
            f"{one.name}: server and crowd together used {used:.1f} of {os.cpu_count()} cores until the last answer; "
            "the rest is the database and waiting. No worker ran: deliveries wait in the outbox."
        )
