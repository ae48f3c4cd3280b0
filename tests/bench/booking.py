"""`python -m tests.bench booking`: bookings a second against the same statements in bare psycopg.

A booking is one ``hold_slot`` in a unit of work of its own: appointment, slot, life, events, timer, audit row. The
floor sends the statements of such a booking, recorded from the wire, through bare psycopg: same server, same sixteen
threads, same seconds. Spread is fifty doctors; hot is one doctor with five thousand places. Every run has a fresh day.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backend.kernel import logging
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.scheduling import service
from backend.scheduling.verify import verify_slots
from tests.bench import bare
from tests.bench.places import Town, subscriptions
from tests.factories.databases import MONDAY_MORNING, SYSTEM, make_empty_database
from tests.services.postgres import running_postgres

DOCTORS, HOT_PLACES = 50, 5_000
LEAST_RATIO, MOST_HOT_LOSS = 0.4, 0.15
Job = tuple[Id, Id]
Act = Callable[[Id, Id], object]


@dataclass
class Figures:
    """Bookings a second of one way of booking, a repeat each."""

    name: str
    rates: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle repeat."""
        return statistics.median(self.rates)


def run(console: Console, *, bookings: int, repeats: int, clients: int) -> int:
    """Measure on PostgreSQL and SQLite, print; 0 when both limits are kept."""
    logging.configure("ERROR")
    with running_postgres() as server, tempfile.TemporaryDirectory() as folder:
        database = _open(server.url(server.create_database()))
        found = _measure(database, bookings, repeats, clients)
        small = _open(f"sqlite:///{Path(folder) / 'bench.db'}")
        beside = _measure_small(small, bookings // 4, repeats, clients)
    return show(console, found, beside, clients)


def _open(url: str) -> Database:
    return make_empty_database(url, FixedClock(MONDAY_MORNING), subscriptions())


def _measure(database: Database, bookings: int, repeats: int, clients: int) -> dict[str, Figures]:
    runs = 4 * (repeats + 1)
    town = Town(database, doctors=DOCTORS, patients=runs * bookings + 1)
    people = iter(town.patient_ids)
    book = booker(database)
    first, (warm, *_) = next(people), town.open_day(sessions=1, places=50)
    recorded = bare.record(database, first, warm, lambda: book(first, warm))
    url = database.engine.url.render_as_string(hide_password=False)

    def replay() -> Act:
        return bare.Replay(recorded, url).book

    names = ("bare spread", "bare hot", "service spread", "service hot")
    found = {name: Figures(name) for name in names}
    for repeat in range(repeats + 1):  # the first warms up: caches, plans, connections
        for name in names:
            jobs = _jobs(town, people, bookings, is_hot=name.endswith("hot"))
            rate = timed(replay if name.startswith("bare") else lambda: book, jobs, clients)
            if repeat:
                found[name].rates.append(rate)
    _assert_sound(database)
    return found


def _jobs(town: Town, people: Iterator[Id], bookings: int, *, is_hot: bool) -> list[Job]:
    """Who books where, on a fresh day: all with one doctor, or in turn with fifty."""
    sessions = 1 if is_hot else DOCTORS
    places = HOT_PLACES if is_hot else -(-bookings // DOCTORS) + 5
    day = town.open_day(sessions=sessions, places=places)
    return [(next(people), day[number % sessions]) for number in range(bookings)]


def _measure_small(
    database: Database, bookings: int, repeats: int, clients: int
) -> dict[str, Figures]:
    town = Town(database, doctors=DOCTORS, patients=2 * (repeats + 1) * bookings)
    people = iter(town.patient_ids)
    book = booker(database)
    found = {name: Figures(name) for name in ("sqlite spread", "sqlite hot")}
    for repeat in range(repeats + 1):
        for name, figures in found.items():
            jobs = _jobs(town, people, bookings, is_hot=name.endswith("hot"))
            rate = timed(lambda: book, jobs, clients)
            if repeat:
                figures.rates.append(rate)
    _assert_sound(database)
    return found


def booker(database: Database) -> Act:
    """One booking through the service."""

    def book(patient_id: Id, schedule_id: Id) -> None:
        with database.write(SYSTEM) as session:
            service.hold_slot(
                session, patient_id=patient_id, schedule_id=schedule_id, channel="wechat"
            )

    return book


def timed(open_client: Callable[[], Act], jobs: Iterable[Job], clients: int) -> float:
    """Jobs a second with so many clients at once; each client opens what it needs before the clock starts."""
    wanted = list(jobs)
    queue: Iterator[Job] = iter(wanted)
    lock, ready = threading.Lock(), threading.Barrier(clients + 1)

    def client() -> None:
        act = open_client()
        ready.wait()
        while True:
            with lock:
                job = next(queue, None)
            if job is None:
                return
            act(*job)

    with ThreadPoolExecutor(clients) as pool:
        futures = [pool.submit(client) for _ in range(clients)]
        ready.wait()
        began = time.perf_counter()
        for future in futures:
            future.result()
        return len(wanted) / (time.perf_counter() - began)


def _assert_sound(database: Database) -> None:
    with database.read(SYSTEM) as session:
        problems = verify_slots(session).problems
    assert problems == [], problems[:3]


def show(
    console: Console, found: dict[str, Figures], beside: dict[str, Figures], clients: int
) -> int:
    """The table and the verdict."""
    floor = found["bare spread"].median
    table = Table(title=f"bookings a second, {clients} clients", title_justify="left")
    table.add_column("way")
    for column in ("median", "repeats", "× floor"):
        table.add_column(column, justify="right")
    for figures in (*found.values(), *beside.values()):
        table.add_row(
            figures.name,
            f"{figures.median:,.0f}",
            " ".join(f"{rate:,.0f}" for rate in figures.rates),
            f"{figures.median / floor:.2f}",
        )
    console.print(table)
    ratio = found["service spread"].median / floor
    loss = 1 - found["service hot"].median / found["service spread"].median
    console.print(f"service against bare psycopg {ratio:.2f} (least {LEAST_RATIO})")
    console.print(f"one doctor against fifty: {loss:+.0%} lost (most {MOST_HOT_LOSS:.0%})")
    return 0 if ratio >= LEAST_RATIO and loss <= MOST_HOT_LOSS else 1
