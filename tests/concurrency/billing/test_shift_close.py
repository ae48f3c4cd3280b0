"""A shift closed twice at once, while its cashier takes money: every fen is in one shift, or in hand.

The negative control takes the lock and the key away and sees the same money closed twice.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import func, select, text

from backend.billing import queries, service
from backend.billing.models import CashierShift, ShiftEntry
from backend.billing.services import closing
from backend.billing.verify import verify_ledger
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor, ActorKind
from backend.kernel.uow import Database
from tests.concurrency.kernel.together import at_once
from tests.factories.billing import MoneyWorld, make_world
from tests.factories.databases import SYSTEM

DUE = 2500


@pytest.fixture
def world(postgres_database: Database) -> MoneyWorld:
    return make_world(postgres_database)


def cashier(world: MoneyWorld) -> Actor:
    return Actor(ActorKind.STAFF, id=Id(int=9), hospital_id=world.hospital_id, label="S0009")


def take(world: MoneyWorld, invoice_id: Id) -> None:
    with world.database.write(cashier(world)) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=DUE)


def in_hand(world: MoneyWorld) -> int:
    with world.database.read(SYSTEM) as session:
        return queries.get_open_shift(
            session, Id(int=9), hospital_id=world.hospital_id, label="S0009"
        ).entries


def close(world: MoneyWorld) -> None:
    seen = in_hand(world)
    with world.database.write(cashier(world)) as session:
        service.close_shift(session, pieces={}, reason="并发清点", handed_to="财务", seen=seen)


def closed(world: MoneyWorld) -> tuple[int, int, int]:
    """Shifts, entries they say they have, entries they have."""
    with world.database.read(SYSTEM) as session:
        shifts = session.scalar(select(func.count()).select_from(CashierShift)) or 0
        said = session.scalar(select(func.coalesce(func.sum(CashierShift.entries), 0))) or 0
        held = session.scalar(select(func.count(func.distinct(ShiftEntry.entry_id)))) or 0
    return int(shifts), int(said), int(held)


def test_every_fen_is_in_one_shift_or_in_hand(world: MoneyWorld) -> None:
    bills = [world.bill("REG-ASSOC") for _ in range(24)]
    for invoice_id in bills[:8]:
        take(world, invoice_id)
    acts: list[Any] = [lambda b=b: take(world, b) for b in bills[8:]]
    acts += [lambda: close(world) for _ in range(6)]
    at_once(acts)
    _shifts, said, held = closed(world)
    assert said == held
    assert held + in_hand(world) == len(bills)
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []
    if in_hand(world):
        close(world)
    assert closed(world)[1] == len(bills)


def race(world: MoneyWorld, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Two closes that have both read what is in hand before either writes."""
    take(world, world.bill("REG-ASSOC"))
    barrier = threading.Barrier(2)
    listed = queries.list_unclosed

    def meet(*given: Any, **named: Any) -> list[Any]:
        found = listed(*given, **named)
        # With the lock the other is kept out: nobody comes.
        with suppress(threading.BrokenBarrierError):
            barrier.wait(2.0)
        return found

    monkeypatch.setattr(queries, "list_unclosed", meet)
    return at_once([lambda: close_seen(world, 1), lambda: close_seen(world, 1)])


def close_seen(world: MoneyWorld, seen: int) -> None:
    with world.database.write(cashier(world)) as session:
        service.close_shift(session, pieces={}, reason="并发清点", handed_to="财务", seen=seen)


def test_two_closes_at_once_close_once(world: MoneyWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = race(world, monkeypatch)
    assert sorted(type(one).__name__ for one in outcomes) == ["NoneType", "NothingToClose"]
    assert closed(world) == (1, 1, 1)


def test_without_lock_and_key_the_same_money_is_closed_twice(
    world: MoneyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.database.engine.begin() as connection:
        connection.execute(
            text("ALTER TABLE billing_shift_entry DROP CONSTRAINT pk_billing_shift_entry")
        )
    monkeypatch.setattr(closing, "lock_name", lambda *_given, **_named: True)
    assert race(world, monkeypatch) == [None, None]
    assert closed(world) == (2, 2, 1)
