"""The kiosk's own memory of what it began: prints and payments, in SQLite, fsynced.

A row is written before the act and closed after its outcome has reached the backend, so a power
cut at any byte leaves an open row. On restart an open print is never sent again: one that had
not reached the printer is *failed* (safe to order anew), one that had is *ambiguous* (a person
must look at the paper). Rows hold ids only: no name, no number of a person, no document.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS print (
    print_id TEXT PRIMARY KEY,
    job_no INTEGER NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('ordered', 'sending', 'ended', 'reported')),
    outcome TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS payment (
    payment_id TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    appointment_id TEXT NOT NULL DEFAULT '',
    stage TEXT NOT NULL CHECK (stage IN ('open', 'leaving', 'ended')),
    outcome TEXT NOT NULL DEFAULT ''
);
"""


@dataclass(frozen=True, slots=True)
class PrintRow:
    """One print: `stage` ordered → sending → ended → reported."""

    print_id: str
    job_no: int
    stage: str
    outcome: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One payment whose code was shown: open → leaving (nobody watches it) → ended."""

    payment_id: str
    session: str
    appointment_id: str
    stage: str
    outcome: str


class Journal:
    """The journal file; each method is one durable transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")  # a power cut must not lose the last row
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file; the journal is of no use afterwards."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    # -- prints -----------------------------------------------------------------------------
    def order_print(self, print_id: str, job_no: int) -> None:
        """A print is ordered; nothing has gone to the printer. The same order again is one row."""
        with self._write() as db:
            db.execute(
                "INSERT INTO print (print_id, job_no, stage) VALUES (?, ?, 'ordered')"
                " ON CONFLICT (print_id) DO NOTHING",
                (print_id, job_no),
            )

    def claim_print(self, print_id: str) -> bool:
        """Mark that bytes are about to go out; False when they already may have, once."""
        with self._write() as db:
            cursor = db.execute(
                "UPDATE print SET stage = 'sending' WHERE print_id = ? AND stage = 'ordered'",
                (print_id,),
            )
            return cursor.rowcount == 1

    def end_print(self, print_id: str, outcome: str, code: str, detail: str) -> None:
        """Write how the print ended, before the backend is told."""
        with self._write() as db:
            db.execute(
                "UPDATE print SET stage = 'ended', outcome = ?, code = ?, detail = ?"
                " WHERE print_id = ? AND stage IN ('ordered', 'sending')",
                (outcome, code, detail, print_id),
            )

    def mark_print_reported(self, print_id: str) -> None:
        """The backend knows: the row is closed."""
        with self._write() as db:
            db.execute("UPDATE print SET stage = 'reported' WHERE print_id = ?", (print_id,))

    def get_print(self, print_id: str) -> PrintRow | None:
        """One print, or None."""
        rows = self._prints("WHERE print_id = ?", (print_id,))
        return rows[0] if rows else None

    def unreported_prints(self) -> list[PrintRow]:
        """Prints whose outcome is known here and not yet at the backend."""
        return self._prints("WHERE stage = 'ended'")

    def recover_prints(self) -> list[PrintRow]:
        """After a restart: give every print that was under way its outcome; returns those rows."""
        cut = self._prints("WHERE stage IN ('ordered', 'sending')")
        for row in cut:
            if row.stage == "ordered":
                self.end_print(row.print_id, "failed", "restarted_before_print", "")
            else:
                self.end_print(row.print_id, "ambiguous", "restarted_during_print", "")
        return cut

    def _prints(self, where: str, values: tuple[object, ...] = ()) -> list[PrintRow]:
        # `where` is one of this class's own literals; values are bound.
        query = f"SELECT print_id, job_no, stage, outcome, code, detail FROM print {where}"  # noqa: S608
        return [
            PrintRow(str(row[0]), int(str(row[1])), *(str(cell) for cell in row[2:]))
            for row in self._rows(query, values)
        ]

    # -- payments ---------------------------------------------------------------------------
    def open_payment(self, payment_id: str, session: str, appointment_id: str = "") -> None:
        """A code may be shown from now on."""
        with self._write() as db:
            db.execute(
                "INSERT INTO payment (payment_id, session, appointment_id, stage)"
                " VALUES (?, ?, ?, 'open') ON CONFLICT (payment_id) DO NOTHING",
                (payment_id, session, appointment_id),
            )

    def leave_payment(self, payment_id: str) -> None:
        """The person has gone (or the power had): it must be closed without them."""
        with self._write() as db:
            db.execute(
                "UPDATE payment SET stage = 'leaving' WHERE payment_id = ? AND stage = 'open'",
                (payment_id,),
            )

    def end_payment(self, payment_id: str, outcome: str) -> None:
        """How it ended; the patient's session is forgotten with it."""
        with self._write() as db:
            db.execute(
                "UPDATE payment SET stage = 'ended', outcome = ?, session = ''"
                " WHERE payment_id = ? AND stage <> 'ended'",
                (outcome, payment_id),
            )

    def recover_payments(self) -> None:
        """After a restart nobody stands before an open code: all are being left."""
        with self._write() as db:
            db.execute("UPDATE payment SET stage = 'leaving' WHERE stage = 'open'")

    def left_payments(self) -> list[PaymentRow]:
        """Payments to be closed without their patient."""
        return self._payments("WHERE stage = 'leaving'")

    def get_payment(self, payment_id: str) -> PaymentRow | None:
        """One payment, or None."""
        rows = self._payments("WHERE payment_id = ?", (payment_id,))
        return rows[0] if rows else None

    def _payments(self, where: str, values: tuple[object, ...] = ()) -> list[PaymentRow]:
        columns = "payment_id, session, appointment_id, stage, outcome"
        query = f"SELECT {columns} FROM payment {where}"  # noqa: S608 (own literals)
        return [PaymentRow(*(str(cell) for cell in row)) for row in self._rows(query, values)]

    def count_open(self) -> int:
        """Rows not yet settled with the backend: the heartbeat's `journal.open`."""
        (prints,) = self._rows("SELECT count(*) FROM print WHERE stage <> 'reported'")
        (payments,) = self._rows("SELECT count(*) FROM payment WHERE stage <> 'ended'")
        return int(str(prints[0])) + int(str(payments[0]))
