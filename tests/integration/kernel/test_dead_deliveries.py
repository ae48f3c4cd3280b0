"""Dead deliveries on both databases: grouped, retried, given up with a reason, taken back; nothing acts on others."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel import dead_deliveries, outbox
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.dead_deliveries import DeliveryMoved
from backend.kernel.dispatcher import MAX_ATTEMPTS, Dispatcher
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.outbox import DeliveryState, OutboxDelivery, Subscriptions
from backend.kernel.uow import Database
from tests.factories.databases import SYSTEM


@dataclass(frozen=True)
class Broke:
    NAME: ClassVar[str] = "test.broke"
    VERSION: ClassVar[int] = 1
    thing_id: Id


class Fuse:
    """A subscriber that fails until it is repaired; its words would be personal data."""

    def __init__(self) -> None:
        self.is_repaired = False
        self.seen: list[Id] = []

    def __call__(self, _session: Session, event: Broke) -> None:
        if not self.is_repaired:
            raise RuntimeError("张三 13812345678 has no slot")
        self.seen.append(event.thing_id)


@pytest.fixture
def fuse() -> Fuse:
    return Fuse()


@pytest.fixture
def subscriptions(fuse: Fuse) -> Subscriptions:
    made = Subscriptions()
    made.on(Broke, "fuse", fuse)
    return made


def bury(database: Database, clock: FixedClock, number: int) -> list[Id]:
    """Publish events and let each fail until it is dead."""
    things = [new_id() for _ in range(number)]
    with database.write(SYSTEM, housekeeping=True) as session:
        for thing in things:
            outbox.publish(session, Broke(thing))
    dispatcher = Dispatcher(database)
    for _ in range(MAX_ATTEMPTS):
        dispatcher.drain()
        clock.advance(dt.timedelta(minutes=10))
    return things


def ids(database: Database) -> list[int]:
    with database.read() as session:
        return [row.id for row in dead_deliveries.list_dead(session, "test.broke>fuse")]


def test_the_dead_are_grouped_with_age_and_the_kind_of_error_only(
    database: Database, clock: FixedClock
) -> None:
    began = clock.now()
    bury(database, clock, 3)
    with database.read() as session:
        (group,) = dead_deliveries.list_groups(session)
        rows = dead_deliveries.list_dead(session, group.subscriber)
        assert dead_deliveries.count_by_subscriber(session) == {"test.broke>fuse": 3}
    assert (group.event, group.handler, group.count) == ("test.broke", "fuse", 3)
    assert (group.oldest_at, group.last_error, group.is_known) == (began, "RuntimeError", True)
    assert [(row.attempts, row.error) for row in rows] == [(MAX_ATTEMPTS, "RuntimeError")] * 3
    assert "138" not in str(rows)


def test_a_subscriber_the_program_no_longer_has_is_marked(
    database: Database, clock: FixedClock
) -> None:
    bury(database, clock, 1)
    database.subscriptions = Subscriptions()
    with database.read() as session:
        (group,) = dead_deliveries.list_groups(session)
    assert not group.is_known


def test_one_or_all_are_delivered_again_once_the_cause_is_repaired(
    database: Database, clock: FixedClock, fuse: Fuse
) -> None:
    things = bury(database, clock, 3)
    woken: list[bool] = []
    database.wake = lambda: woken.append(True)
    fuse.is_repaired = True
    first, *_others = ids(database)
    with database.write(SYSTEM) as session:
        dead_deliveries.retry(session, first)
    assert woken == [True]
    Dispatcher(database).drain()
    assert fuse.seen == things[:1]
    with pytest.raises(DeliveryMoved), database.write(SYSTEM) as session:
        dead_deliveries.retry(session, first)
    with database.write(SYSTEM) as session:
        assert dead_deliveries.retry_all(session, "test.broke>fuse") == 2
    Dispatcher(database).drain()
    assert fuse.seen == things
    with pytest.raises(DeliveryMoved), database.write(SYSTEM) as session:
        dead_deliveries.retry_all(session, "test.broke>fuse")
    with database.read() as session:
        rows = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert list(rows) == ["kernel.retry_delivery", "kernel.retry_deliveries"]


def test_what_fails_again_has_all_its_attempts_and_dies_again(
    database: Database, clock: FixedClock
) -> None:
    bury(database, clock, 1)
    (number,) = ids(database)
    with database.write(SYSTEM) as session:
        dead_deliveries.retry(session, number)
    Dispatcher(database).drain()
    with database.read() as session:
        row = session.get_one(OutboxDelivery, number)
        assert (row.state, row.attempts) == (DeliveryState.PENDING, 1)
    for _ in range(MAX_ATTEMPTS):
        clock.advance(dt.timedelta(minutes=10))
        Dispatcher(database).drain()
    assert ids(database) == [number]


def test_one_is_given_up_with_a_reason_and_taken_back(
    database: Database, clock: FixedClock, fuse: Fuse
) -> None:
    things = bury(database, clock, 2)
    number, other = ids(database)
    with pytest.raises(InvalidInput), database.write(SYSTEM) as session:
        dead_deliveries.discard(session, number, reason="  ")
    with database.write(SYSTEM) as session:
        dead_deliveries.discard(session, number, reason="已电话告知 13812345678")
    assert ids(database) == [other]
    with database.read() as session:
        (row,) = dead_deliveries.list_discarded(session)
        assert (row.id, row.reason, row.discarded_by) == (number, "已电话告知 ***", "test")
    for act in (dead_deliveries.retry, lambda s, n: dead_deliveries.discard(s, n, reason="x")):
        with pytest.raises(DeliveryMoved), database.write(SYSTEM) as session:
            act(session, number)
    fuse.is_repaired = True
    Dispatcher(database).drain()
    assert fuse.seen == []
    with database.write(SYSTEM) as session:
        dead_deliveries.restore(session, number)
    with pytest.raises(DeliveryMoved), database.write(SYSTEM) as session:
        dead_deliveries.restore(session, other)
    with database.write(SYSTEM) as session:
        assert dead_deliveries.retry_all(session, "test.broke>fuse") == 2
    Dispatcher(database).drain()
    assert fuse.seen == things


def test_the_dead_are_never_forgotten_by_age_and_the_discarded_are(
    database: Database, clock: FixedClock
) -> None:
    bury(database, clock, 2)
    number, other = ids(database)
    with database.write(SYSTEM) as session:
        dead_deliveries.discard(session, number, reason="不再需要")
    clock.advance(dt.timedelta(days=60))
    with database.write(SYSTEM, housekeeping=True) as session:
        outbox.forget_old(session, clock.now())
    assert ids(database) == [other]
    with database.read() as session:
        assert dead_deliveries.list_discarded(session) == []
