"""Runs acts at the same moment, from one barrier."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import text

from backend.kernel.uow import Database

DEADLINE = 60.0


def at_once(acts: Iterable[Callable[[], Any]]) -> list[Any]:
    """What each act gave, in their order; an exception an act raised is given as it is."""
    work = list(acts)
    barrier = threading.Barrier(len(work))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait(DEADLINE)
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - what came of it is the caller's to judge
            return error

    with ThreadPoolExecutor(len(work)) as pool:
        futures = [pool.submit(run, act) for act in work]
        return [future.result(DEADLINE) for future in futures]


def wait_until_somebody_waits(database: Database) -> None:
    """Until one transaction waits for another; this thread asks the database again and again."""
    ends = time.monotonic() + DEADLINE
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with database.engine.connect() as connection:
        while not connection.execute(waiting).scalar_one():
            connection.rollback()
            assert time.monotonic() < ends, "nobody waits"
