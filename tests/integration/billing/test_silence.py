"""What stays unknown for too long is put in front of a person, once, and leaves by itself when it is known."""

from __future__ import annotations

import datetime as dt

from backend.billing import queries, service
from backend.billing.ports import RefundState as Reported
from backend.billing.ports import RefundStatus
from backend.billing.rules import CaseKind, Tender
from backend.billing.services.payments import start_payment
from backend.billing.tasks import watch
from backend.billing.verify import verify_ledger
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.uow import Database
from tests.factories.billing import MoneyWorld, ScriptedGateway, paid
from tests.factories.databases import SYSTEM

DAY = dt.timedelta(hours=24)


def cases(world: MoneyWorld) -> list[tuple[CaseKind, int]]:
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []
        return [(case.kind, case.amount_fen) for case in queries.list_open_cases(session)]


def forward(database: Database, step: dt.timedelta) -> None:
    assert isinstance(database.clock, FixedClock)
    database.clock.advance(step)


def test_a_payment_nobody_answers_for(world: MoneyWorld) -> None:
    bill = world.bill("CT-CHEST")
    with world.database.write(SYSTEM) as session:
        payment = start_payment(session, invoice_id=bill, amount_fen=18000, tender=Tender.BANK_CARD)
        number = payment.out_trade_no or ""
    forward(world.database, DAY - dt.timedelta(seconds=1))
    assert watch.report_silence(world.database, DAY) == 0
    forward(world.database, dt.timedelta(seconds=1))
    assert watch.report_silence(world.database, DAY) == 1
    assert watch.report_silence(world.database, DAY) == 0
    assert cases(world) == [(CaseKind.OUTCOME_UNKNOWN, 18000)]
    world.report(paid(number, 18000))
    assert cases(world) == []


def test_a_refund_nobody_answers_for(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    bill = world.bill("LAB-CBC")
    _payment, number = world.start_qr(bill, 2000)
    dispatcher.drain()
    world.report(gateway.pay(number))
    gateway.refund_state = Reported.PROCESSING
    with world.database.write(SYSTEM) as session:
        line = queries.get_invoice(session, bill).lines[0]
        (refund,) = service.refund_charges(
            session, invoice_id=bill, parts={line.charge_id: 2000}, reason="误开"
        )
    forward(world.database, DAY)
    assert watch.report_silence(world.database, DAY) == 1  # not even sent: it must be looked at
    dispatcher.drain()
    forward(world.database, DAY * 3)
    assert watch.report_silence(world.database, DAY) == 0  # the platform works on it
    done = RefundStatus(refund.out_refund_no, number, Reported.SUCCESS, 2000, "r-1")
    world.report_refund(done)
    assert cases(world) == []


def test_a_platform_that_works_on_a_refund_for_a_week(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    bill = world.bill("LAB-CBC")
    _payment, number = world.start_qr(bill, 2000)
    dispatcher.drain()
    world.report(gateway.pay(number))
    gateway.refund_state = Reported.PROCESSING
    with world.database.write(SYSTEM) as session:
        line = queries.get_invoice(session, bill).lines[0]
        service.refund_charges(
            session, invoice_id=bill, parts={line.charge_id: 2000}, reason="误开"
        )
    dispatcher.drain()
    forward(world.database, dt.timedelta(days=7))
    assert watch.report_silence(world.database, DAY) == 1
    assert cases(world) == [(CaseKind.OUTCOME_UNKNOWN, 2000)]


def test_cash_that_waits_is_no_silence(world: MoneyWorld) -> None:
    bill = world.bill("LAB-CBC")
    with world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=bill, received_fen=500, amount_fen=500)
        service.void_invoice(session, bill, reason="hold_expired")
    forward(world.database, DAY * 9)
    assert watch.report_silence(world.database, DAY) == 0
    assert cases(world) == [(CaseKind.CASH_TO_HAND_BACK, 500)]
