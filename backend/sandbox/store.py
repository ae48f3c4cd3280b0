"""The platform's memory: one SQLite file, one connection, one lock.

A single process owns the file, so a lock around one connection is all the concurrency control
there is. Every write is committed before it is answered, so a killed sandbox forgets nothing.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.sandbox.alipay.tables import SCHEMA as ALIPAY_SCHEMA
from backend.sandbox.bank.tables import SCHEMA as BANK_SCHEMA
from backend.sandbox.einvoice.tables import SCHEMA as EINVOICE_SCHEMA
from backend.sandbox.insurance.tables import SCHEMA as INSURANCE_SCHEMA

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    out_trade_no TEXT PRIMARY KEY,
    description TEXT NOT NULL,
    total INTEGER NOT NULL CHECK (total > 0),
    attach TEXT,
    notify_url TEXT NOT NULL,
    time_expire TEXT,
    expires_at REAL,
    code_token TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('NOTPAY', 'SUCCESS', 'CLOSED', 'REFUND')),
    created_at REAL NOT NULL,
    transaction_id TEXT UNIQUE,
    paid_at REAL
);
CREATE TABLE IF NOT EXISTS refunds (
    out_refund_no TEXT PRIMARY KEY,
    refund_id TEXT NOT NULL UNIQUE,
    out_trade_no TEXT NOT NULL REFERENCES orders,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT,
    notify_url TEXT,
    status TEXT NOT NULL CHECK (status IN ('PROCESSING', 'SUCCESS', 'CLOSED', 'ABNORMAL')),
    outcome TEXT NOT NULL,
    created_at REAL NOT NULL,
    settle_at REAL NOT NULL,
    success_at REAL
);
CREATE TABLE IF NOT EXISTS notifications (
    -- never used twice: a delivery may end after a reset
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    url TEXT NOT NULL,
    event_type TEXT NOT NULL,
    summary TEXT NOT NULL,
    original_type TEXT NOT NULL,
    resource TEXT NOT NULL,
    forgery TEXT,
    created_at REAL NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('held', 'pending', 'sending', 'delivered', 'dropped', 'given_up')),
    deliveries_left INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL,
    last_result TEXT
);
CREATE INDEX IF NOT EXISTS notifications_due ON notifications (state, next_at);
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Store:
    """The open database file; `write()` is the only way to change anything."""

    def __init__(self, path: Path) -> None:
        #: Where files beside the database go.
        self.directory = path.parent
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        for schema in (SCHEMA, ALIPAY_SCHEMA, BANK_SCHEMA, INSURANCE_SCHEMA, EINVOICE_SCHEMA):
            self._db.executescript(schema)
        path.chmod(0o600)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end, rolled back by any exception."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A moment of quiet in which nobody writes."""
        with self._lock:
            yield self._db

    def close(self) -> None:
        """Close the file; no call may follow."""
        with self._lock:
            self._db.close()


def find_one(db: sqlite3.Connection, statement: str, *values: object) -> sqlite3.Row | None:
    """The first row of a query, or None."""
    row: sqlite3.Row | None = db.execute(statement, values).fetchone()
    return row


def get_setting(db: sqlite3.Connection, key: str, default: Any) -> Any:
    """Read one JSON setting, or `default` when it was never stored."""
    row = db.execute("SELECT value FROM settings WHERE key = ?", (key,)).fetchone()
    return default if row is None else json.loads(row["value"])


def put_setting(db: sqlite3.Connection, key: str, value: Any) -> None:
    """Store one JSON setting."""
    db.execute(
        "INSERT INTO settings (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, json.dumps(value)),
    )
