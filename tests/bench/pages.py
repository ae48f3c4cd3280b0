"""`python -m tests.bench pages`: the ten busiest pages and calls over a large PostgreSQL, against `/healthz`.

The real application through its own WSGI entry; real logins and a real kiosk credential. A page fails that takes
more than 12 queries, answers anything but 200, or makes PostgreSQL scan a table of more than 10,000 rows.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flask.testing import FlaskClient
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from backend.app import create_app
from backend.bootstrap import Program, audit_heads, build_program
from backend.demo import loader
from backend.kernel import audit, logging
from backend.kernel.clock import FixedClock, business_date
from backend.kernel.schema import create_schema
from backend.settings import Environment, Settings
from tests.bench.clinic import Addresses, open_clinic
from tests.bench.crowd import multiply
from tests.bench.probes import Planner, watching
from tests.factories.databases import MONDAY_MORNING
from tests.services.postgres import running_postgres

MOST_QUERIES = 12
FLOOR = "/healthz (floor)"


@dataclass
class Measured:
    """One page's figures; milliseconds."""

    name: str
    times: list[float] = field(default_factory=list)
    queries: int = 0
    scans: list[str] = field(default_factory=list)
    status: int = 0

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.times)

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return statistics.quantiles(self.times, n=100, method="inclusive")[98]

    @property
    def problems(self) -> list[str]:
        """Why this page fails; empty when it does not."""
        found = [] if self.status == 200 else [f"answered {self.status}"]
        if self.queries > MOST_QUERIES:
            found.append(f"{self.queries} queries")
        return found + [f"scans {scan}" for scan in self.scans]


def run(console: Console, *, patients: int, charges: int, rounds: int) -> int:
    """Build the data, measure, print; 0 when no page fails."""
    logging.configure("ERROR")
    with running_postgres() as server, tempfile.TemporaryDirectory() as folder:
        program = make_program(server.url(server.create_database()), Path(folder))
        try:
            fill(console, program, patients=patients, charges=charges)
            found = measure(program, rounds=rounds)
        finally:
            program.database.engine.dispose()
    return show(console, found)


def make_program(url: str, folder: Path) -> Program:
    """The program as production joins it, standing at a Monday morning."""
    settings = Settings(env=Environment.TEST, data_dir=folder, database_url=url, log_level="ERROR")
    return build_program(settings, FixedClock(MONDAY_MORNING))


def fill(console: Console, program: Program, *, patients: int, charges: int) -> None:
    """Load the demo hospital and multiply its month."""
    database = program.database
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console,
    ) as bars:  # fmt: skip
        tasks: dict[str, object] = {}

        def progress(what: str, done: int, total: int) -> None:
            task = tasks.setdefault(
                what, bars.add_task(what, total=total) if what not in tasks else None
            )
            bars.update(task, completed=done)  # type: ignore[arg-type]  # rich's TaskID

        create_schema(database.engine)
        loader.load(database, business_date(database.clock.now()), progress)
        audit.seal(database, audit_heads(program.settings))
        rows = multiply(database.engine, patients=patients, charges=charges, progress=progress)
    console.print("  ".join(f"{name} {count:,}" for name, count in rows.items()), style="dim")


def measure(program: Program, *, rounds: int) -> list[Measured]:
    """Ask for every page ``rounds`` times, in turns, so that the floor is measured under the same weather."""
    app = create_app(program)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    addresses = open_clinic(program, app.test_client)
    planner = Planner(program.database.engine)
    pages = _pages(addresses)
    found = {name: Measured(name) for name in pages}
    for name, ask in pages.items():
        ask()  # templates compiled, connections open
        with watching(program.database.engine) as sent:
            found[name].status = ask()
        found[name].queries = sent.count
        found[name].scans = planner.large_scans(sent)
    for _round in range(rounds):
        for name, ask in pages.items():
            began = time.perf_counter()
            ask()
            found[name].times.append((time.perf_counter() - began) * 1000)
    return list(found.values())


def _pages(at: Addresses) -> dict[str, Callable[[], int]]:
    def get(client: FlaskClient, path: str, **headers: str) -> Callable[[], int]:
        return lambda: client.get(path, headers=headers).status_code

    def find(client: FlaskClient, words: str) -> Callable[[], int]:
        """What each letter typed into the search box asks for."""
        asked = {"data": {"q": words}, "headers": {"HX-Request": "true"}}
        return lambda: client.post("/backoffice/front-desk", **asked).status_code

    kiosk = {"Authorization": at.kiosk_bearer, "X-Patient-Session": at.kiosk_session}
    return {
        FLOOR: get(at.anyone, "/healthz"),
        "front desk: search by name": find(at.registrar, at.name),
        "front desk: a patient": get(
            at.registrar, f"/backoffice/front-desk/patients/{at.patient_id}"
        ),
        "doctor workstation": get(at.doctor, "/backoffice/workstation"),
        "schedules: week grid": get(at.scheduler, "/backoffice/schedules"),
        "prices: search": get(at.registrar, "/backoffice/prices?q=CT"),
        "audit log: today": get(at.auditor, "/backoffice/audit"),
        "kiosk: home": get(at.anyone, "/api/kiosk/v1/home", **kiosk),
        "kiosk: doctors of a department": get(
            at.anyone,
            f"/api/kiosk/v1/departments/{at.department_id}/schedules?day=today",
            **kiosk,
        ),
        "hall screen: board": get(at.anyone, f"/screens/{at.screen_key}/board"),
        "phone: ticket": get(at.anyone, f"/t/{at.ticket_token}"),
    }


def show(console: Console, found: list[Measured]) -> int:
    """The table and the verdict."""
    floor = found[0].p50
    table = Table(title="pages", title_justify="left")
    table.add_column("page")
    for column in ("p50 ms", "p99 ms", "× floor", "queries"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for page in found:
        table.add_row(
            page.name,
            f"{page.p50:.1f}",
            f"{page.p99:.1f}",
            f"{page.p50 / floor:.1f}",
            str(page.queries),
            "ok" if not page.problems else "[red]" + "; ".join(page.problems) + "[/red]",
        )
    console.print(table)
    failed = [page.name for page in found if page.problems]
    console.print(f"{len(found) - len(failed)} of {len(found)} within the limits")
    return 1 if failed else 0
