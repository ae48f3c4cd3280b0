"""After a commit and every minute: what fails there harms neither the data nor what comes next."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from backend.kernel import audit, jobs
from backend.kernel.errors import Unavailable
from backend.kernel.uow import Database, after_commit
from tests.factories.databases import SYSTEM
from tests.factories.webapp import make_settings
from tests.services.redis import RedisServer


class Broken(Exception):
    """What a callback or a job raises."""


def act(database: Database, *callbacks: Any) -> None:
    with database.write(SYSTEM) as session:
        audit.record(session, "test.act", entity="x", entity_id="1")
        for callback in callbacks:
            after_commit(session, callback)


def fail() -> None:
    raise Broken


def test_callbacks_run_after_the_commit_and_one_that_fails_stops_no_other(
    database: Database, tmp_path: Path
) -> None:
    sealed: list[int] = []
    act(database, fail, lambda: sealed.append(audit.seal(database, tmp_path / "heads")))
    assert sealed == [1]  # the row was committed, and the write turn was free again


def test_callbacks_of_a_rolled_back_unit_never_run(database: Database) -> None:
    ran: list[bool] = []
    with pytest.raises(Broken), database.write(SYSTEM) as session:
        after_commit(session, lambda: ran.append(True))
        raise Broken
    assert ran == []


def test_a_writer_that_waits_too_long_is_told_to_come_back(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.kernel.uow.WRITE_WAIT_SECONDS", 0.05)
    refused: list[Unavailable] = []

    def second() -> None:
        try:
            act(sqlite_database)
        except Unavailable as error:
            refused.append(error)

    with sqlite_database.write(SYSTEM, housekeeping=True):
        other = threading.Thread(target=second)
        other.start()
        other.join(20)
    assert [error.error_code for error in refused] == ["write_queue_full"]
    act(sqlite_database)


@pytest.fixture(params=["embedded", "distributed"])
def huey(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "embedded":
        return jobs.make_huey(make_settings(tmp_path))
    server: RedisServer = request.getfixturevalue("redis_server")
    server.clear()
    return jobs.make_huey(
        make_settings(
            tmp_path, database_url="postgresql+psycopg://postgres@127.0.0.1/x", redis_url=server.url
        )
    )


def test_a_wake_up_reaches_the_consumer_and_a_broken_job_stops_nothing(
    huey: Any, sqlite_database: Database
) -> None:
    woken = threading.Event()

    def broken(_database: Database) -> None:
        raise Broken

    work = [jobs.PeriodicJob("broken", broken)]
    enqueue = jobs.register(huey, sqlite_database, work, woken.set)
    (periodic,) = huey._registry.periodic_tasks
    consumer = jobs.ThreadConsumer(huey)
    consumer.start()
    try:
        huey.enqueue(periodic)
        enqueue()
        assert woken.wait(30)
    finally:
        consumer.stop(graceful=True)
    assert periodic.name == "broken"
