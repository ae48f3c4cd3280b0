"""Many at once on one balance, one bill in parts, and the receipts: nothing is spent twice, no number is lost.

The negative control reads the balance without its lock and sees it spent twice, down to the CHECK.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from backend.billing import queries, service
from backend.billing.rules import Channel, InvoiceState
from backend.billing.tasks import watch
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from tests.concurrency.billing.test_money_at_once import DEADLINE, at_once, problems
from tests.factories.billing import MoneyWorld, make_world
from tests.factories.databases import SYSTEM

HALF = 1250
DUE = 2500


@pytest.fixture
def world(postgres_database: Database) -> MoneyWorld:
    return make_world(postgres_database)


@pytest.fixture
def account(world: MoneyWorld) -> Id:
    """An account with ¥50."""
    with world.database.write(SYSTEM) as session:
        opened = service.open_account(
            session, hospital_id=world.hospital_id, patient_id=world.patient_id
        )
        bill = service.start_top_up(session, account_id=opened.id, amount_fen=2 * DUE)
        service.pay_cash(session, invoice_id=bill.id, received_fen=2 * DUE)
        return opened.id


def spender(world: MoneyWorld, invoice_id: Id) -> Callable[[], None]:
    def act() -> None:
        with world.database.write(SYSTEM) as session:
            service.pay_prepaid(session, invoice_id=invoice_id)

    return act


def balance(world: MoneyWorld, account_id: Id) -> int:
    with world.database.read(SYSTEM) as session:
        return queries.get_account(session, account_id).balance_fen


def test_an_account_opened_by_many_at_once_is_one(world: MoneyWorld) -> None:
    opened: set[Id] = set()

    def act() -> None:
        with world.database.write(SYSTEM) as session:
            account = service.open_account(
                session, hospital_id=world.hospital_id, patient_id=world.patient_id
            )
            opened.add(account.id)

    assert at_once(*[act] * 8) == {"ok": 8}
    assert len(opened) == 1


def test_a_balance_is_spent_once(world: MoneyWorld, account: Id) -> None:
    bills = [world.bill("REG-ASSOC") for _ in range(8)]
    assert at_once(*[spender(world, bill) for bill in bills]) == {"ok": 2, "balance_too_low": 6}
    assert balance(world, account) == 0
    assert problems(world) == []


def test_spending_and_withdrawing_at_once(world: MoneyWorld, account: Id) -> None:
    def draw() -> None:
        with world.database.write(SYSTEM) as session:
            service.withdraw(
                session, account_id=account, amount_fen=DUE, reason="退", channel=Channel.COUNTER
            )

    acts = [spender(world, world.bill("REG-ASSOC")) for _ in range(4)] + [draw] * 4
    outcome = at_once(*acts)
    assert outcome == {"ok": 2, "balance_too_low": 6}
    assert balance(world, account) == 0
    assert problems(world) == []


def test_parts_at_once_never_exceed_the_bill(world: MoneyWorld) -> None:
    bill = world.bill("REG-ASSOC")

    def pay() -> None:
        with world.database.write(SYSTEM) as session:
            service.pay_cash(session, invoice_id=bill, received_fen=HALF, amount_fen=HALF)

    assert at_once(*[pay] * 8) == {"ok": 2, "invoice_not_open": 6}
    with world.database.read(SYSTEM) as session:
        found = queries.get_invoice(session, bill)
    assert (found.state, found.paid_fen) == (InvoiceState.PAID, DUE)
    assert problems(world) == []


def test_receipts_are_numbered_without_gaps_by_many_workers(world: MoneyWorld) -> None:
    for _ in range(20):
        bill = world.bill("LAB-CBC")
        with world.database.write(SYSTEM) as session:
            service.pay_cash(session, invoice_id=bill, received_fen=2000)

    def sweep() -> None:
        watch.issue_missing_receipts(world.database)

    def deliver() -> None:
        Dispatcher(world.database).drain()

    outcome = at_once(sweep, deliver, sweep, deliver)
    assert set(outcome) <= {
        "ok",
        "constraint",
    }  # who comes second is refused whole, and comes again
    watch.issue_missing_receipts(world.database)
    assert problems(world) == []
    with world.database.read(SYSTEM) as session:
        rows = session.execute(
            text("SELECT count(*), max(ordinal), count(DISTINCT payment_id) FROM billing_receipt")
        ).one()
    assert tuple(rows) == (20, 20, 20)


def test_negative_control_without_the_lock_the_balance_is_spent_twice(
    world: MoneyWorld, account: Id
) -> None:
    """Two read ¥50 before either has written: both may spend ¥40 each, and only the CHECK is left."""
    read = threading.Barrier(2)
    take = text("UPDATE billing_deposit_account SET balance_fen = balance_fen - 4000")

    def spend() -> None:
        with world.database.write(SYSTEM, housekeeping=True) as session:
            there = session.scalar(text("SELECT balance_fen FROM billing_deposit_account"))
            read.wait(DEADLINE)
            assert there is not None
            assert there >= 4000  # both believe it
            session.execute(take)

    assert at_once(spend, spend) == {"ok": 1, "constraint": 1}
    assert balance(world, account) == 1000
