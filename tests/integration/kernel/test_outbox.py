"""Deliveries on both databases: at least once, none blocking another, lost ones found, hopeless ones buried."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel import audit, outbox
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import HEARTBEAT, LEASE, MAX_ATTEMPTS, Dispatcher, Heartbeat
from backend.kernel.ids import Id, new_id
from backend.kernel.live import LiveMessage, append
from backend.kernel.outbox import (
    DeliveryState,
    OutboxDelivery,
    OutboxEvent,
    RetryLater,
    Subscriptions,
)
from backend.kernel.uow import Database, actor
from tests.factories.databases import SYSTEM


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Happened:
    """Everything an event may carry."""

    NAME: ClassVar[str] = "test.happened"
    VERSION: ClassVar[int] = 1
    thing_id: Id
    words: str = ""
    number: int = 0
    is_so: bool = False
    at: dt.datetime | None = None
    day: dt.date | None = None
    colour: Colour | None = None


def publish(database: Database, event: Happened | None = None, **when: dt.datetime) -> Happened:
    event = event or Happened(new_id())
    with database.write(SYSTEM, housekeeping=True) as session:
        outbox.publish(session, event, **when)
    return event


def deliveries(database: Database) -> dict[str, OutboxDelivery]:
    with database.read() as session:
        rows = session.scalars(select(OutboxDelivery).order_by(OutboxDelivery.id))
        return {row.subscriber.partition(">")[2]: row for row in rows}


class Boom(Exception):
    """What a broken subscriber raises."""


def broken(*_: object) -> None:
    raise Boom("with 王建国 in its text")


def test_an_event_arrives_as_it_was_sent(
    database: Database, subscriptions: Subscriptions, clock: FixedClock
) -> None:
    got: list[Happened] = []
    subscriptions.on(Happened, "a", lambda _session, event: got.append(event))
    sent = Happened(new_id(), "杏林", 7, True, clock.now(), dt.date(2026, 11, 23), Colour.RED)
    publish(database, sent)
    assert Dispatcher(database).drain() == 1
    assert got == [sent]
    assert isinstance(got[0].colour, Colour)
    assert Dispatcher(database).drain() == 0


def test_events_that_carry_more_than_plain_values_are_refused(database: Database) -> None:
    with pytest.raises(TypeError, match="float"):
        publish(database, Happened(new_id(), number=1.5))  # type: ignore[arg-type]


def test_a_rolled_back_unit_of_work_publishes_nothing(
    database: Database, subscriptions: Subscriptions
) -> None:
    subscriptions.on(Happened, "a", broken)
    with pytest.raises(Boom), database.write(SYSTEM) as session:
        outbox.publish(session, Happened(new_id()))
        raise Boom
    assert Dispatcher(database).drain() == 0


@pytest.mark.parametrize("external", [False, True])
def test_one_that_fails_neither_blocks_nor_hides_another(
    database: Database, subscriptions: Subscriptions, external: bool
) -> None:
    got: list[Happened] = []
    subscriptions.on(Happened, "first", broken, external=external)
    subscriptions.on(Happened, "second", lambda _session, event: got.append(event))
    events = [publish(database) for _ in range(3)]
    Dispatcher(database).drain()
    assert got == events
    with database.read() as session:
        states = session.execute(
            select(OutboxDelivery.subscriber, OutboxDelivery.state, OutboxDelivery.last_error)
        ).all()
    assert Counter(tuple(row) for row in states) == {
        ("test.happened>first", DeliveryState.PENDING, "Boom"): 3,
        ("test.happened>second", DeliveryState.DONE, None): 3,
    }


def test_what_a_failed_handler_wrote_is_rolled_back(
    database: Database, subscriptions: Subscriptions
) -> None:
    def write_then_fail(session: Session, _event: Happened) -> None:
        append(session, "hall:1", {"kind": "lie"})
        broken()

    subscriptions.on(Happened, "a", write_then_fail)
    publish(database)
    Dispatcher(database).drain()
    with database.read() as session:
        assert session.scalars(select(LiveMessage)).all() == []


def test_a_handler_and_its_mark_are_one_transaction_with_an_actor_of_its_own(
    database: Database, subscriptions: Subscriptions
) -> None:
    def act(session: Session, event: Happened) -> None:
        audit.record(session, "test.act", entity="thing", entity_id=event.thing_id)
        assert actor(session).label == "test.happened>a"

    subscriptions.on(Happened, "a", act)
    publish(database)
    Dispatcher(database).drain()
    assert deliveries(database)["a"].state is DeliveryState.DONE


@pytest.mark.parametrize("external", [False, True])
def test_retry_later_waits_and_is_no_failure(
    database: Database, subscriptions: Subscriptions, clock: FixedClock, external: bool
) -> None:
    seen: list[dt.datetime] = []

    def act(*_: object) -> None:
        seen.append(clock.now())
        if len(seen) < 12:
            raise RetryLater(30)

    subscriptions.on(Happened, "a", act, external=external)
    publish(database)
    dispatcher = Dispatcher(database)
    for _ in range(14):
        dispatcher.drain()
        clock.advance(dt.timedelta(seconds=30))
    assert len(seen) == 12
    done = deliveries(database)["a"]
    assert (done.state, done.attempts) == (DeliveryState.DONE, 0)


@pytest.mark.parametrize("external", [False, True])
def test_ten_failures_with_growing_pauses_bury_a_delivery(
    database: Database, subscriptions: Subscriptions, clock: FixedClock, external: bool
) -> None:
    subscriptions.on(Happened, "a", broken, external=external)
    publish(database)
    dispatcher, pauses = Dispatcher(database), []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert dispatcher.drain() == 1
        row = deliveries(database)["a"]
        assert row.attempts == attempt
        pauses.append((row.due_at - clock.now()).total_seconds())
        assert dispatcher.drain() == 0
        clock.set(row.due_at)
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600]
    assert (row.state, row.last_error) == (DeliveryState.DEAD, "Boom")
    clock.advance(dt.timedelta(days=1))
    assert dispatcher.drain() == 0


def test_a_delayed_event_waits_for_its_time(
    database: Database, subscriptions: Subscriptions, clock: FixedClock
) -> None:
    got: list[Happened] = []
    subscriptions.on(Happened, "a", lambda _session, event: got.append(event))
    publish(database, not_before=clock.now() + dt.timedelta(minutes=15))
    clock.advance(dt.timedelta(minutes=15, seconds=-1))
    assert Dispatcher(database).drain() == 0
    clock.advance(dt.timedelta(seconds=1))
    assert Dispatcher(database).drain() == 1
    assert len(got) == 1


def test_only_an_event_due_at_once_wakes_the_dispatcher(
    database: Database, subscriptions: Subscriptions, clock: FixedClock
) -> None:
    subscriptions.on(Happened, "a", broken)
    woken: list[bool] = []
    database.wake = lambda: woken.append(True)
    publish(database, not_before=clock.now() + dt.timedelta(minutes=1))
    assert woken == []
    publish(database)
    assert woken == [True]


def test_a_killed_workers_delivery_is_found_again_when_its_lease_ends(
    database: Database, subscriptions: Subscriptions, clock: FixedClock
) -> None:
    tries: list[int] = []

    def act(_database: Database, _event: Happened) -> None:
        tries.append(len(tries))
        if len(tries) == 1:
            raise KeyboardInterrupt  # the process dies: nothing after this line of it runs

    subscriptions.on(Happened, "a", act, external=True)
    publish(database)
    with pytest.raises(KeyboardInterrupt):
        Dispatcher(database).drain()
    survivor = Dispatcher(database)
    clock.advance(LEASE - dt.timedelta(seconds=1))
    assert survivor.drain() == 0
    clock.advance(dt.timedelta(seconds=1))
    assert survivor.drain() == 1
    assert len(tries) == 2
    assert deliveries(database)["a"].state is DeliveryState.DONE


def test_an_act_whose_mark_was_lost_is_done_again(
    database: Database, subscriptions: Subscriptions, clock: FixedClock
) -> None:
    """At least once: the world was told, the machine died before T2, so it is told again."""
    told: list[Id] = []

    def act(_database: Database, event: Happened) -> None:
        told.append(event.thing_id)
        if len(told) == 1:
            raise SystemExit

    subscriptions.on(Happened, "a", act, external=True)
    event = publish(database)
    with pytest.raises(SystemExit):
        Dispatcher(database).drain()
    clock.advance(LEASE)
    Dispatcher(database).drain()
    assert told == [event.thing_id] * 2


def test_external_handlers_run_outside_any_transaction(
    database: Database, subscriptions: Subscriptions
) -> None:
    def act(given: Database, event: Happened) -> None:
        with given.write(SYSTEM) as session:  # would wait for ever inside another write
            audit.record(session, "test.act", entity="thing", entity_id=event.thing_id)

    subscriptions.on(Happened, "a", act, external=True)
    publish(database)
    assert Dispatcher(database).drain() == 1
    assert deliveries(database)["a"].state is DeliveryState.DONE


def test_subscribers_this_program_does_not_have_are_left_alone(
    database: Database, subscriptions: Subscriptions
) -> None:
    subscriptions.on(Happened, "a", broken)
    publish(database)
    database.subscriptions = Subscriptions()
    assert Dispatcher(database).drain() == 0


def test_a_removed_field_is_dropped_and_a_new_one_takes_its_default() -> None:
    key = new_id()
    payload = {"thing_id": str(key), "gone": 1}
    assert outbox.decode(Happened, payload) == Happened(key)


def test_two_subscribers_of_one_name_are_a_mistake(subscriptions: Subscriptions) -> None:
    subscriptions.on(Happened, "a", broken)
    with pytest.raises(ValueError, match="a"):
        subscriptions.on(Happened, "a", broken)


def test_old_events_go_when_all_their_deliveries_are_done(
    database: Database, subscriptions: Subscriptions, clock: FixedClock
) -> None:
    fails = {"now": True}
    subscriptions.on(Happened, "a", lambda *_: None)
    subscriptions.on(Happened, "b", lambda *_: broken() if fails["now"] else None)
    open_one = publish(database)
    Dispatcher(database).drain()
    fails["now"] = False
    publish(database)
    clock.advance(dt.timedelta(seconds=1))
    Dispatcher(database).drain()
    with database.write(housekeeping=True) as session:
        outbox.forget_old(session, clock.now())
    with database.read() as session:
        left = [row.payload["thing_id"] for row in session.scalars(select(OutboxEvent))]
    assert left == [str(open_one.thing_id)]


def test_the_beat_is_written_and_moves(database: Database, clock: FixedClock) -> None:
    dispatcher = Dispatcher(database)
    for _ in range(2):
        dispatcher.beat()
        with database.read() as session:
            assert session.get_one(Heartbeat, HEARTBEAT).beat_at == clock.now()
        clock.advance(dt.timedelta(seconds=5))


def test_the_threads_deliver_when_woken_and_end_when_told(
    database: Database, subscriptions: Subscriptions
) -> None:
    # Each tells by itself: an internal one that waited for the other would hold SQLite's one write turn meanwhile.
    inside, outside = threading.Event(), threading.Event()
    subscriptions.on(Happened, "in", lambda *_: inside.set())
    subscriptions.on(Happened, "out", lambda *_: outside.set(), external=True)
    dispatcher = Dispatcher(database)
    dispatcher.start()
    database.wake = dispatcher.wake
    publish(database)
    assert inside.wait(20)
    assert outside.wait(20)
    dispatcher.stop(20)
    assert {row.state for row in deliveries(database).values()} == {DeliveryState.DONE}
    assert not [t for t in threading.enumerate() if t.name.startswith("dispatcher-")]
