"""The HTTP half of `python -m tests.bench booking`: bookings a second through the real server.

Kiosks book visits (place, charge, bill, events, audit row) over the kiosk API, each client a kiosk with a connection
of its own, each booking for another patient who stands before it, in turn with fifty doctors. The floor is
`GET /healthz` by the same clients of the same server, in turns with the bookings.
"""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

from backend.billing import service as billing
from backend.billing.rules import PriceCategory
from backend.devices import rules as device_rules
from backend.devices import service as devices
from backend.devices.models import PatientSession
from backend.kernel.clock import business_date
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import WRITE
from backend.scheduling.verify import verify_slots
from tests.bench.callers import Call, Seen, call_all
from tests.bench.places import Town
from tests.bench.served import Web, postgres_web, sqlite_web
from tests.factories.databases import SYSTEM

DOCTORS, PROCESSES = 50, 2
LEAST_RATE, MOST_P99_MS = 150.0, 400.0
#: A patient stays before a kiosk three minutes; these stand there for the whole run.
STAY = dt.timedelta(hours=2)


@dataclass
class Way:
    """The repeats of one way of calling."""

    name: str
    repeats: list[Seen] = field(default_factory=list)

    def median(self, figure: Callable[[Seen], float]) -> float:
        """The middle repeat of a figure."""
        return statistics.median(figure(seen) for seen in self.repeats)


def run(console: Console, *, bookings: int, repeats: int, clients: int) -> int:
    """Measure over PostgreSQL and SQLite, print; 0 when rate, p99 and answers are within the limits."""
    with tempfile.TemporaryDirectory() as folder:
        found = [
            *_measure(
                "postgres", postgres_web(Path(folder) / "pg", processes=PROCESSES),
                bookings, repeats, clients,
            ),
            *_measure(
                "sqlite", sqlite_web(Path(folder) / "sqlite"), bookings // 4, repeats, clients
            ),
        ]  # fmt: skip
    return show(console, found, clients)


def _measure(
    name: str, server: AbstractContextManager[Web], bookings: int, repeats: int, clients: int
) -> list[Way]:
    floor, booked = Way(f"{name} healthz"), Way(f"{name} books")
    with server as web:
        hall = Hall(web, kiosks=clients, patients=(repeats + 1) * bookings)
        asks = [[Call("GET", "/healthz", {})] * (bookings // clients)] * clients
        for repeat in range(repeats + 1):  # the first warms up: connections, plans, templates
            for way, calls in ((floor, asks), (booked, hall.bookings(bookings))):
                seen = call_all(web.port, calls)
                if repeat:
                    way.repeats.append(seen)
        with web.program.database.read(SYSTEM) as session:
            problems = verify_slots(session).problems
    assert problems == [], problems[:3]
    return [floor, booked]


class Hall:
    """Enrolled kiosks in a town whose visits cost money, and its patients before them."""

    def __init__(self, web: Web, *, kiosks: int, patients: int) -> None:
        self._database = web.program.database
        self._today = business_date(self._database.clock.now())
        self._town = Town(
            self._database, doctors=DOCTORS, patients=patients,
            first_day=self._today + dt.timedelta(days=1),
        )  # fmt: skip
        self._people = iter(self._town.patient_ids)
        self._kiosks = [self._enrol(number) for number in range(kiosks)]
        with self._database.write(SYSTEM) as session:
            billing.set_price(
                session, hospital_id=self._town.hospital_id, code="REG-CHIEF", name="主任医师挂号费",
                unit="次", category=PriceCategory.REGISTRATION, price_fen=2500,
                effective_from=self._today - dt.timedelta(days=300),
            )  # fmt: skip

    def bookings(self, count: int) -> list[list[Call]]:
        """Each kiosk's calls: ``count`` bookings in all, on a fresh day, in turn with every doctor."""
        day = self._town.open_day(sessions=DOCTORS, places=-(-count // DOCTORS) + 5)
        schedules = (day[number % DOCTORS] for number in range(count))
        shares = [
            count // len(self._kiosks) + (n < count % len(self._kiosks))
            for n in range(len(self._kiosks))
        ]
        return [
            [self._call(kiosk, bearer, schedules) for _ in range(share)]
            for (kiosk, bearer), share in zip(self._kiosks, shares, strict=True)
        ]

    def _enrol(self, number: int) -> tuple[Id, str]:
        town = self._town
        with self._database.write(SYSTEM) as session:
            kiosk, code = devices.add_kiosk(
                session, hospital_id=town.hospital_id, code=f"K{number}", name=f"自助机{number}",
                location_id=town.room_id,
            )  # fmt: skip
            session.flush()
            return kiosk.id, devices.enrol(session, code).credential

    def _call(self, kiosk: Id, bearer: str, schedules: Iterator[Id]) -> Call:
        """One booking by the next patient, who stands before the kiosk."""
        headers = {
            "Authorization": f"Bearer {bearer}",
            "X-Patient-Session": self._stand(kiosk, next(self._people)),
            "Idempotency-Key": str(new_id()),
            "Content-Type": "application/json",
        }
        wanted = {"schedule_id": str(next(schedules))}
        return Call("POST", "/api/kiosk/v1/appointments", headers, wanted)

    def _stand(self, kiosk: Id, patient: Id) -> str:
        token, at = device_rules.new_credential(), self._database.clock.now()
        engine = self._database.engine.execution_options(**{WRITE: True})
        with engine.begin() as connection:
            connection.execute(
                insert(PatientSession.__table__),  # type: ignore[arg-type]  # a table, to mypy a clause
                {
                    "id": new_id(), "hospital_id": self._town.hospital_id, "kiosk_id": kiosk,
                    "patient_id": patient, "token_hash": device_rules.digest(token),
                    "began_at": at, "ends_at": at + STAY,
                },
            )  # fmt: skip
        return token


def show(console: Console, found: list[Way], clients: int) -> int:
    """The table and the verdict."""
    table = Table(title=f"through HTTP, {clients} clients", title_justify="left")
    table.add_column("way")
    for column in ("a second", "repeats", "p50 ms", "p99 ms", "not 2xx", "× floor"):
        table.add_column(column, justify="right")
    for floor, booked in zip(found[::2], found[1::2], strict=True):
        for way in (floor, booked):
            table.add_row(
                way.name,
                f"{way.median(lambda seen: seen.rate):,.0f}",
                " ".join(f"{seen.rate:,.0f}" for seen in way.repeats),
                f"{way.median(lambda seen: seen.p50):.1f}",
                f"{way.median(lambda seen: seen.p99):.1f}",
                str(sum(seen.failed for seen in way.repeats)),
                f"{way.median(lambda s: s.rate) / floor.median(lambda s: s.rate):.2f}",
            )
    console.print(table)
    booked = found[1]
    rate, p99 = booked.median(lambda seen: seen.rate), booked.median(lambda seen: seen.p99)
    failed = sum(seen.failed for way in found for seen in way.repeats)
    console.print(
        f"{booked.name}: {rate:,.0f} a second (least {LEAST_RATE:.0f}), p99 {p99:.0f} ms (most "
        f"{MOST_P99_MS:.0f}), {failed} answers that were not 2xx (most 0)"
    )
    return 0 if rate >= LEAST_RATE and p99 <= MOST_P99_MS and not failed else 1
