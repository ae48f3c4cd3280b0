"""Databases for tests: the real engines with the whole schema, empty, with fixed clock and keys."""

from __future__ import annotations

import datetime as dt

from backend.bootstrap import import_models
from backend.kernel.clock import Clock
from backend.kernel.crypto import KeyRing
from backend.kernel.outbox import Subscriptions
from backend.kernel.permissions import Actor, system_actor
from backend.kernel.schema import create_schema
from backend.kernel.uow import Database

#: A Monday, 08:30 in Shanghai.
MONDAY_MORNING = dt.datetime(2026, 11, 23, 0, 30, tzinfo=dt.UTC)
KEYS = KeyRing({"t1": bytes(range(32))}, bytes(range(32, 64)))
SYSTEM: Actor = system_actor("test")


def make_database(url: str, clock: Clock, subscriptions: Subscriptions | None = None) -> Database:
    """A database object over ``url``, without a schema of its own making."""
    import_models()
    return Database(url, keys=KEYS, subscriptions=subscriptions or Subscriptions(), clock=clock)


def make_empty_database(
    url: str, clock: Clock, subscriptions: Subscriptions | None = None
) -> Database:
    """A database object over ``url`` with the whole schema created in it."""
    database = make_database(url, clock, subscriptions)
    create_schema(database.engine)
    return database
