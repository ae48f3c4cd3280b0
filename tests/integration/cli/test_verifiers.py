"""`xinglin audit | ledger | slots verify` as commands, on both databases: they count on a sound history, name the row
in a tampered one, and never take an empty database for a sound one."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from backend import migrations
from backend.billing.models import Posting
from backend.bootstrap import audit_heads, import_models
from backend.kernel import audit
from backend.kernel.clock import FixedClock, utc_now
from backend.kernel.crypto import KeyRing
from backend.kernel.ids import new_id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database, make_engine
from backend.scheduling.models import Appointment
from backend.settings import Settings, load_secrets
from tests.factories.databases import SYSTEM
from tests.factories.visits import PEOPLE, make_visited_hospital, subscribe, visit

DEADLINE = 120.0
COMMANDS = ("audit", "ledger", "slots")


@dataclass(frozen=True, slots=True)
class Installation:
    """A migrated database and its data folder, as the commands find them."""

    url: str
    folder: Path

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder, database_url=self.url)

    def open(self, clock: FixedClock) -> Database:
        secrets = load_secrets(self.settings)
        return Database(
            self.url,
            keys=KeyRing(secrets.keys, secrets.blind_index_key),
            subscriptions=subscribe(Subscriptions()),
            clock=clock,
        )

    def verify(self, *names: str) -> dict[str, subprocess.CompletedProcess[str]]:
        """Run the verifiers side by side, as a person at a shell would."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("XINGLIN_")}
        environment = kept | {
            "XINGLIN_ENV": "test",
            "XINGLIN_DATA_DIR": str(self.folder),
            "XINGLIN_DATABASE_URL": self.url,
        }
        running = {
            name: subprocess.Popen(
                [sys.executable, "-m", "backend.cli", name, "verify"],
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for name in names
        }
        done = {}
        for name, process in running.items():
            out, err = process.communicate(timeout=DEADLINE)
            done[name] = subprocess.CompletedProcess(name, process.returncode, out, err)
        return done


def migrated(url: str, folder: Path) -> Installation:
    import_models()
    engine = make_engine(url)
    migrations.upgrade(engine)
    engine.dispose()
    return Installation(url, folder / "var")


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Installation:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'xinglin.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    return migrated(url, tmp_path)


@pytest.fixture
def database(installation: Installation, clock: FixedClock) -> Iterator[Database]:
    """The installation's database with the day's visits in it, sealed."""
    database = installation.open(clock)
    hospital = make_visited_hospital(database)
    for person in range(len(PEOPLE)):
        visit(hospital, person)
    audit.seal(database, audit_heads(installation.settings))
    yield database
    database.engine.dispose()


def test_a_sound_history_passes_and_says_how_much_was_checked(
    installation: Installation, database: Database
) -> None:
    done = installation.verify(*COMMANDS)
    for name, command in done.items():
        assert command.returncode == 0, (name, command.stdout, command.stderr)
        checked = re.search(r"([\d,]+) rows checked, 0 problems", command.stdout)
        assert checked is not None, command.stdout
        assert int(checked.group(1).replace(",", "")) > 20, name
        assert command.stderr == "", name
    for words in ("sealed audit rows", "unsealed audit rows"):
        assert words in done["audit"].stdout
    for words in ("charges", "payments", "invoices", "postings"):
        assert words in done["ledger"].stdout
    for words in ("slots", "slot events", "appointments"):
        assert words in done["slots"].stdout


def test_each_tampered_row_is_named(installation: Installation, database: Database) -> None:
    edited, deleted = tamper_with_audit(database)
    posting = change_a_posting(database)
    slot, buyer = sell_a_place_twice(database)
    done = installation.verify(*COMMANDS)
    assert {name: command.returncode for name, command in done.items()} == dict.fromkeys(
        COMMANDS, 1
    )
    audit_says = done["audit"].stdout
    assert f"audit row {edited[0]} (seal number {edited[1]}) was changed" in audit_says
    assert f"audit row with seal number {deleted} is missing" in audit_says
    assert "2 problems" in audit_says
    assert posting in done["ledger"].stdout
    lines = [line for line in done["slots"].stdout.splitlines() if "sold twice" in line]
    assert [line for line in lines if slot in line and buyer in line], done["slots"].stdout


@pytest.mark.parametrize(("minutes", "is_late"), [(2, False), (20, True)])
def test_rows_that_waited_for_a_sealer_are_told_before_they_are_sealed(
    installation: Installation, minutes: int, is_late: bool
) -> None:
    for age in (minutes, 1):
        database = installation.open(FixedClock(utc_now() - dt.timedelta(minutes=age)))
        with database.write(SYSTEM) as session:
            audit.record(session, "test.act", entity="thing", entity_id="1")
        database.engine.dispose()
    first, second = (installation.verify("audit")["audit"] for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert f"2 rows were not sealed yet, the oldest for 0:{minutes:02}:" in first.stdout
    assert ("is a worker running" in first.stdout) is is_late
    assert "not sealed" not in second.stdout


def test_an_empty_database_is_not_taken_for_a_sound_one(tmp_path: Path) -> None:
    for name, command in (
        migrated(f"sqlite:///{tmp_path / 'new.db'}", tmp_path).verify(*COMMANDS).items()
    ):
        assert command.returncode == 1, name
        assert "nothing to check" in command.stdout, name


def drop_audit_guards(database: Database) -> None:
    names = (
        ("kernel_audit_no_delete", "kernel_audit_seal_once")
        if database.is_sqlite
        else ("kernel_audit_guard", "kernel_audit_no_truncate")
    )
    where = "" if database.is_sqlite else " ON kernel_audit_event"
    with database.write(SYSTEM, housekeeping=True) as session:
        for name in names:
            session.execute(text(f"DROP TRIGGER {name}{where}"))


def tamper_with_audit(database: Database) -> tuple[tuple[int, int], int]:
    """Edit one row's detail and delete another; (id, seal number) of the first, seal number of the second."""
    drop_audit_guards(database)
    with database.write(SYSTEM, housekeeping=True) as session:
        row_id, number = session.execute(
            text("SELECT id, seal_no FROM kernel_audit_event WHERE seal_no = 7")
        ).one()
        session.execute(
            text("UPDATE kernel_audit_event SET entity_id = 'another' WHERE seal_no = 7")
        )
        session.execute(text("DELETE FROM kernel_audit_event WHERE seal_no = 15"))
    return (row_id, number), 15


def change_a_posting(database: Database) -> str:
    """Add one fen to one posting; the id of its entry."""
    with database.write(SYSTEM, housekeeping=True) as session:
        entry_id, line = session.execute(
            select(Posting.entry_id, Posting.line).order_by(Posting.entry_id).limit(1)
        ).one()
        session.execute(
            update(Posting)
            .where(Posting.entry_id == entry_id, Posting.line == line)
            .values(amount_fen=Posting.amount_fen + 1)
        )
        return str(entry_id)


def sell_a_place_twice(database: Database) -> tuple[str, str]:
    """Book an occupied place for another patient; the slot and the second appointment."""
    with database.write(SYSTEM, housekeeping=True) as session:
        session.execute(text("DROP INDEX uq_scheduling_appointment_occupied_slot"))
        first, other = session.scalars(select(Appointment).order_by(Appointment.created_at)).all()[
            :2
        ]
        values = {column.key: getattr(first, column.key) for column in Appointment.__table__.c}
        session.execute(text("DROP INDEX uq_scheduling_appointment_active_visit"))
        second = values | {"id": new_id(), "patient_id": other.patient_id}
        session.add(Appointment(**second))
        return str(first.slot_id), str(second["id"])
