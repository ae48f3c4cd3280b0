"""An event that its subscriber cannot read any more is counted as a failure and holds up nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from sqlalchemy import select, update

from backend.kernel import outbox
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.outbox import DeliveryState, OutboxDelivery, OutboxEvent, Subscriptions
from backend.kernel.uow import Database, write_rest
from tests.factories.databases import SYSTEM


@dataclass(frozen=True)
class Happened:
    """Something happened."""

    NAME: ClassVar[str] = "test.happened"
    VERSION: ClassVar[int] = 1
    number: int


@pytest.fixture
def heard() -> list[int]:
    return []


@pytest.fixture(params=[False, True], ids=["internal", "external"])
def subscriptions(request: pytest.FixtureRequest, heard: list[int]) -> Subscriptions:
    found = Subscriptions()
    found.on(Happened, "test", lambda _given, one: heard.append(one.number), external=request.param)
    return found


def test_the_next_event_is_delivered(sqlite_database: Database, heard: list[int]) -> None:
    with sqlite_database.write(SYSTEM, housekeeping=True) as session:
        outbox.publish(session, Happened(1))
        write_rest(session)
        session.execute(update(OutboxEvent).values(payload={"renamed": 1}))
        outbox.publish(session, Happened(2))
    Dispatcher(sqlite_database).drain()
    assert heard == [2]
    with sqlite_database.read() as session:
        rows = session.scalars(select(OutboxDelivery).order_by(OutboxDelivery.id)).all()
    assert [(row.state, row.attempts) for row in rows] == [
        (DeliveryState.PENDING, 1),
        (DeliveryState.DONE, 0),
    ]
