"""Stream numbers without holes under sixteen writers, one sealer at a time, rows locked in one order."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.kernel import audit, live
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.live import LiveMessage, LiveStream
from backend.kernel.locks import lock_name, lock_row, lock_rows
from backend.kernel.outbox import Subscriptions, publish
from backend.kernel.uow import Database
from backend.organization import service as organization
from backend.organization.queries import Hospital
from tests.concurrency.kernel.together import DEADLINE, at_once
from tests.factories.databases import SYSTEM
from tests.integration.kernel.test_outbox import Happened

WRITERS = 16
EACH = 6


class Heard:
    """An emitter that remembers."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._lock = threading.Lock()

    def emit(self, _stream: str, no: int, _payload: dict[str, Any]) -> None:
        with self._lock:
            self.numbers.append(no)


def numbers(database: Database, stream: str) -> list[int]:
    with database.read() as session:
        found = select(LiveMessage.no).where(LiveMessage.stream == stream).order_by(LiveMessage.id)
        return list(session.scalars(found))


class Thrown(Exception):
    """A writer that changes its mind."""


def test_sixteen_writers_number_a_stream_without_holes(database: Database) -> None:
    database.emitter = heard = Heard()

    def write(writer: int) -> None:
        for turn in range(EACH):
            try:
                with database.write(SYSTEM) as session:
                    live.append(session, "hall:1", {"writer": writer, "turn": turn})
                    if turn % 3 == 2:
                        raise Thrown
            except Thrown:
                continue

    results = at_once(partial(write, n) for n in range(WRITERS))
    assert results == [None] * WRITERS
    kept = WRITERS * EACH * 2 // 3
    assert sorted(numbers(database, "hall:1")) == list(range(1, kept + 1))
    assert sorted(heard.numbers) == list(range(1, kept + 1))
    with database.read() as session:
        assert live.last_number(session, "hall:1") == kept


def test_a_number_is_never_seen_before_a_smaller_one(postgres_database: Database) -> None:
    """The second writer waits for the first one's commit; so whoever sees 2 has seen 1."""
    inside, second_done = threading.Event(), threading.Event()

    def first() -> None:
        with postgres_database.write(SYSTEM) as session:
            live.append(session, "hall:1", {})
            inside.set()
            assert not second_done.wait(0.5)

    def second() -> None:
        inside.wait(DEADLINE)
        with postgres_database.write(SYSTEM) as session:
            live.append(session, "hall:1", {})
        second_done.set()

    assert at_once([first, second]) == [None, None]
    assert numbers(postgres_database, "hall:1") == [1, 2]


def test_control_counting_without_the_counters_lock_gives_a_number_twice(
    postgres_database: Database,
) -> None:
    meeting = threading.Barrier(2)

    def careless(session: Session) -> int:
        last = session.scalar(select(func.max(LiveStream.last_no))) or 0
        meeting.wait(DEADLINE)
        return last + 1

    def write() -> int:
        with postgres_database.write(SYSTEM) as session:
            return careless(session)

    assert at_once([write, write]) == [1, 1]


def test_several_sealers_at_once_seal_every_row_once(database: Database, tmp_path: Path) -> None:
    heads = tmp_path / "heads.log"
    for index in range(20):
        with database.write(SYSTEM) as session:
            audit.record(session, "test.act", entity="x", entity_id=str(index))
    sealed = at_once([lambda: audit.seal(database, heads)] * 6)
    assert sum(sealed) == 20
    with database.read() as session:
        assert audit.verify(session, heads).problems == []


def test_a_held_name_is_not_given_twice_and_is_free_after_the_commit(
    postgres_database: Database,
) -> None:
    with postgres_database.write(SYSTEM) as first:
        assert lock_name(first, "sealer", wait=False)
        with postgres_database.write(SYSTEM) as second:
            assert not lock_name(second, "sealer", wait=False)
            assert lock_name(second, "another", wait=False)
    with postgres_database.write(SYSTEM) as third:
        assert lock_name(third, "sealer", wait=False)


@pytest.fixture
def pair(database: Database) -> tuple[Id, Id]:
    with database.write(SYSTEM) as session:
        first = organization.add_hospital(session, code="A", name="甲")
        second = organization.add_hospital(session, code="B", name="乙")
        return first.id, second.id


def test_rows_asked_for_in_opposite_orders_never_deadlock(
    database: Database, pair: tuple[Id, Id]
) -> None:
    def take(ids: tuple[Id, ...]) -> int:
        taken = 0
        for _ in range(10):
            with database.write(SYSTEM) as session:
                taken += len(lock_rows(session, Hospital, ids))
        return taken

    assert at_once([lambda: take(pair), lambda: take(pair[::-1])] * 3) == [20] * 6


def test_a_locked_row_is_read_afresh(database: Database, pair: tuple[Id, Id]) -> None:
    """Six add to one field, each from what it read under the lock: no addition is lost."""

    def add() -> None:
        with database.write(SYSTEM) as session:
            session.get_one(Hospital, pair[0])  # an old copy in the session must not win
            hospital = lock_row(session, Hospital, pair[0])
            assert hospital is not None
            hospital.name += "+"
            audit.record(session, "test.add", entity="hospital", entity_id=pair[0])

    assert at_once([add] * 6) == [None] * 6
    with database.read() as session:
        assert session.get_one(Hospital, pair[0]).name == "甲++++++"


def test_a_delivery_goes_to_one_of_many_dispatchers(
    database: Database, subscriptions: Subscriptions
) -> None:
    got: list[Id] = []
    lock = threading.Lock()

    def take(_session: object, event: Happened) -> None:
        with lock:
            got.append(event.thing_id)

    subscriptions.on(Happened, "in", take)
    subscriptions.on(Happened, "out", take, external=True)
    keys = [Id(int=number + 1) for number in range(12)]
    for key in keys:
        with database.write(SYSTEM, housekeeping=True) as session:
            publish(session, Happened(key))
    delivered = at_once([lambda: Dispatcher(database).drain()] * 4)
    assert sorted(got) == sorted(keys * 2)
    assert sum(delivered) >= len(keys) * 2
