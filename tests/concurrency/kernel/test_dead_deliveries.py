"""Two people at the same dead delivery: one acts, the others are told; a look before the write would let all act."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.kernel import audit, dead_deliveries
from backend.kernel.audit import AuditEvent
from backend.kernel.dead_deliveries import DeliveryMoved
from backend.kernel.outbox import DeliveryState, OutboxDelivery, OutboxEvent
from backend.kernel.uow import Database, now
from tests.concurrency.kernel.together import DEADLINE, at_once
from tests.factories.databases import SYSTEM

TIMES = 6


@pytest.fixture
def number(postgres_database: Database) -> int:
    """One dead delivery."""
    with postgres_database.write(SYSTEM, housekeeping=True) as session:
        event = OutboxEvent(
            name="test.broke", version=1, payload={}, occurred_at=now(session), request_id=""
        )
        session.add(event)
        session.flush()
        row = OutboxDelivery(
            event_id=event.id,
            subscriber="test.broke>fuse",
            state=DeliveryState.DEAD,
            due_at=now(session) + dt.timedelta(minutes=10),
            attempts=10,
        )
        session.add(row)
        session.flush()
        return row.id


def acting(database: Database, act: Callable[[Session], object]) -> Callable[[], str]:
    def run() -> str:
        with database.write(SYSTEM) as session:
            act(session)
        return "acted"

    return run


def audited(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(AuditEvent)) or 0


def test_of_many_at_once_one_acts(postgres_database: Database, number: int) -> None:
    acts = [
        lambda session: dead_deliveries.retry(session, number),
        lambda session: dead_deliveries.discard(session, number, reason="不再需要"),
        lambda session: dead_deliveries.retry_all(session, "test.broke>fuse"),
    ] * (TIMES // 3)
    answers = at_once([acting(postgres_database, act) for act in acts])
    assert answers.count("acted") == 1
    assert [type(each) for each in answers if each != "acted"] == [DeliveryMoved] * (TIMES - 1)
    assert audited(postgres_database) == 1


def test_looking_first_would_let_both_act(postgres_database: Database, number: int) -> None:
    """The control: the condition is looked at before the write instead of in it."""
    both_looked = threading.Barrier(2)

    def naive(session: Session) -> None:
        row = session.get_one(OutboxDelivery, number)
        assert row.state is DeliveryState.DEAD
        both_looked.wait(DEADLINE)
        session.execute(
            update(OutboxDelivery)
            .where(OutboxDelivery.id == number)
            .values(state=DeliveryState.PENDING)
        )
        audit.record(session, "kernel.retry_delivery", entity="delivery", entity_id=str(number))

    assert at_once([acting(postgres_database, naive)] * 2) == ["acted"] * 2
    assert audited(postgres_database) == 2
