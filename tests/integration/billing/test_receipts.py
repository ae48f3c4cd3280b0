"""Receipts: one a payment and refund that moved money, numbered without gaps, healed when a worker was lost."""

from __future__ import annotations

from sqlalchemy import select

from backend.billing import queries, service
from backend.billing.models import Receipt
from backend.billing.rules import Channel
from backend.billing.tasks import watch
from backend.billing.verify import verify_ledger
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from tests.factories.billing import MoneyWorld, paid
from tests.factories.databases import SYSTEM


def pay(world: MoneyWorld) -> Id:
    bill = world.bill("LAB-CBC")
    with world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=bill, received_fen=2000, channel=Channel.COUNTER)
    return bill


def numbers(world: MoneyWorld) -> list[str]:
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []
        return sorted(session.scalars(select(Receipt.number)))


def test_every_payment_and_refund_gets_the_next_number(
    world: MoneyWorld, dispatcher: Dispatcher
) -> None:
    bill = pay(world)
    pay(world)
    _payment, number = world.start_qr(world.bill("CT-CHEST"), 18000)  # not paid: no receipt
    dispatcher.drain()
    with world.database.write(SYSTEM) as session:
        line = queries.get_invoice(session, bill).lines[0]
        service.refund_charges(
            session,
            invoice_id=bill,
            parts={line.charge_id: 500},
            reason="误开",
            channel=Channel.COUNTER,
        )
    dispatcher.drain()
    assert numbers(world) == ["S202600000001", "S202600000002", "T202600000001"]
    world.report(paid(number, 18000))
    world.report(paid(number, 18000))
    dispatcher.drain()
    assert numbers(world)[2] == "S202600000003"


def test_what_a_lost_worker_left_out_is_issued_once(
    world: MoneyWorld, dispatcher: Dispatcher
) -> None:
    pay(world)
    pay(world)
    assert numbers(world) == []
    assert watch.issue_missing_receipts(world.database) == 2
    assert watch.issue_missing_receipts(world.database) == 0
    dispatcher.drain()  # the events come late
    assert numbers(world) == ["S202600000001", "S202600000002"]
