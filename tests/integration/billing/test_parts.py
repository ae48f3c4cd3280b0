"""One bill paid by several tenders: what is due, what is refused, and where every part goes when the bill ends."""

from __future__ import annotations

import pytest

from backend.billing import queries, service
from backend.billing.errors import AmountDiffers, InvoiceNotOpen, PaymentInFlight
from backend.billing.ports import TradeState, TradeStatus
from backend.billing.rules import (
    CaseKind,
    Channel,
    ChargeState,
    InvoiceState,
    PaymentState,
    RefundState,
    Tender,
)
from backend.billing.services.payments import start_payment
from backend.billing.verify import verify_ledger
from backend.billing.views import InvoiceView, PaymentView
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.errors import Conflict
from backend.kernel.ids import Id
from tests.factories.billing import MoneyWorld, ScriptedGateway, paid
from tests.factories.databases import SYSTEM

TOTAL = 20500


@pytest.fixture
def bill(world: MoneyWorld) -> Id:
    """CT and registration: 205 yuan."""
    return world.bill("CT-CHEST", "REG-ASSOC")


def bill_of(world: MoneyWorld, invoice_id: Id) -> InvoiceView:
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []
        return queries.get_invoice(session, invoice_id)


def pay_part(world: MoneyWorld, invoice_id: Id, amount_fen: int) -> Id:
    with world.database.write(SYSTEM) as session:
        return service.pay_cash(
            session,
            invoice_id=invoice_id,
            received_fen=amount_fen,
            amount_fen=amount_fen,
            channel=Channel.COUNTER,
        ).id


def start(
    world: MoneyWorld, invoice_id: Id, amount_fen: int, tender: Tender, *, is_part: bool = False
) -> tuple[Id, str]:
    with world.database.write(SYSTEM) as session:
        payment = start_payment(
            session, invoice_id=invoice_id, amount_fen=amount_fen, tender=tender, is_part=is_part
        )
        return payment.id, payment.out_trade_no or ""


def payments_of(world: MoneyWorld, invoice_id: Id) -> list[PaymentView]:
    with world.database.read(SYSTEM) as session:
        return queries.list_payments(session, invoice_id)


def test_insurance_then_wechat_then_cash(world: MoneyWorld, bill: Id) -> None:
    _payment, number = start(world, bill, 15000, Tender.INSURANCE, is_part=True)
    world.report(paid(number, 15000))
    half = bill_of(world, bill)
    assert (half.state, half.paid_fen, half.due_fen) == (InvoiceState.OPEN, 15000, 5500)
    assert {line.state for line in half.lines} == {ChargeState.INVOICED}
    pay_part(world, bill, 500)
    _payment, number = start(world, bill, 5000, Tender.WECHAT_NATIVE)
    world.report(paid(number, 5000))
    whole = bill_of(world, bill)
    assert (whole.state, whole.paid_fen, whole.due_fen) == (InvoiceState.PAID, TOTAL, 0)
    with world.database.read(SYSTEM) as session:
        tenders = [p.tender for p in queries.list_settling_payments(session, bill)]
    assert sorted(tenders) == [Tender.CASH, Tender.INSURANCE, Tender.WECHAT_NATIVE]


def test_nobody_pays_more_than_is_due(world: MoneyWorld, bill: Id) -> None:
    pay_part(world, bill, 20000)
    with pytest.raises(AmountDiffers) as refusal:
        pay_part(world, bill, 501)
    assert refusal.value.facts["due_fen"] == 500
    for amount in (501, TOTAL):
        with pytest.raises(AmountDiffers):
            start(world, bill, amount, Tender.WECHAT_NATIVE, is_part=True)
    with pytest.raises(AmountDiffers):  # what a kiosk shows is what is due, or nothing is taken
        start(world, bill, 400, Tender.WECHAT_NATIVE)
    for nothing in (0, -5):
        with pytest.raises(AmountDiffers):
            start(world, bill, nothing, Tender.WECHAT_NATIVE, is_part=True)
        with pytest.raises(AmountDiffers):
            pay_part(world, bill, nothing)
    with world.database.write(SYSTEM) as session:
        last = service.pay_cash(session, invoice_id=bill, received_fen=1000)
        assert (last.amount_fen, last.change_fen) == (500, 500)
    with pytest.raises(InvoiceNotOpen):
        pay_part(world, bill, 1)
    assert bill_of(world, bill).state is InvoiceState.PAID


def test_one_payment_in_flight_a_bill(world: MoneyWorld, bill: Id) -> None:
    first = start(world, bill, 5000, Tender.WECHAT_NATIVE, is_part=True)
    assert start(world, bill, 5000, Tender.WECHAT_NATIVE, is_part=True) == first
    for amount, tender in ((6000, Tender.WECHAT_NATIVE), (5000, Tender.ALIPAY_QR)):
        with pytest.raises(PaymentInFlight):
            start(world, bill, amount, tender, is_part=True)
    with pytest.raises(PaymentInFlight):
        pay_part(world, bill, 100)


def test_a_bill_that_ends_gives_every_part_back(
    world: MoneyWorld, bill: Id, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    cash_id = pay_part(world, bill, 500)
    payment_id, number = start(world, bill, 5000, Tender.WECHAT_NATIVE, is_part=True)
    dispatcher.drain()
    world.report(gateway.pay(number))
    with world.database.write(SYSTEM) as session:
        service.void_invoice(session, bill, reason="hold_expired")
    dispatcher.drain()
    ended = bill_of(world, bill)
    assert (ended.state, ended.paid_fen, ended.due_fen) == (InvoiceState.VOID, 0, 0)
    with world.database.read(SYSTEM) as session:
        refunds = {r.payment_id: r for r in queries.list_refunds(session, bill)}
        cases = queries.list_open_cases(session)
    assert (refunds[payment_id].state, refunds[payment_id].amount_fen) == (
        RefundState.SUCCEEDED,
        5000,
    )
    assert refunds[cash_id].state is RefundState.CREATED  # nobody stands at the counter
    assert [(c.kind, c.amount_fen) for c in cases] == [(CaseKind.CASH_TO_HAND_BACK, 500)]
    with world.database.write(SYSTEM) as session:
        service.hand_over_cash(session, refunds[cash_id].id)
    with pytest.raises(Conflict), world.database.write(SYSTEM) as session:
        service.hand_over_cash(session, refunds[cash_id].id)
    with world.database.read(SYSTEM) as session:
        assert queries.list_open_cases(session) == []
        assert queries.get_refund(session, refunds[cash_id].id).state is RefundState.SUCCEEDED
    bill_of(world, bill)


def test_a_part_that_arrives_while_the_bill_is_to_end_goes_back_too(
    world: MoneyWorld, bill: Id, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    _payment_id, number = start(world, bill, 5000, Tender.WECHAT_NATIVE, is_part=True)
    dispatcher.drain()
    with world.database.write(SYSTEM) as session:
        service.void_invoice(session, bill, reason="hold_expired")
    assert bill_of(world, bill).is_ending
    world.report(gateway.pay(number))
    dispatcher.drain()
    assert bill_of(world, bill).state is InvoiceState.VOID
    with world.database.read(SYSTEM) as session:
        (refund,) = queries.list_refunds(session, bill)
    assert (refund.state, refund.amount_fen) == (RefundState.SUCCEEDED, 5000)


def test_the_last_part_that_arrives_while_the_bill_is_to_end_pays_it(
    world: MoneyWorld, bill: Id
) -> None:
    pay_part(world, bill, 500)
    _payment_id, number = start(world, bill, 20000, Tender.WECHAT_NATIVE)
    with world.database.write(SYSTEM) as session:
        service.void_invoice(session, bill, reason="hold_expired")
    world.report(paid(number, 20000))
    assert bill_of(world, bill).state is InvoiceState.PAID


def test_more_than_is_due_arriving_while_the_bill_is_to_end_goes_back_with_every_part(
    world: MoneyWorld, bill: Id
) -> None:
    payment_id, number = start(world, bill, TOTAL, Tender.WECHAT_NATIVE)
    with world.database.write(SYSTEM) as session:
        service.cancel_payment(session, payment_id)
    cash_id = pay_part(world, bill, 500)
    with world.database.write(SYSTEM) as session:
        service.void_invoice(session, bill, reason="hold_expired")
    assert bill_of(world, bill).is_ending
    world.report(paid(number, TOTAL))
    assert bill_of(world, bill).state is InvoiceState.VOID
    with world.database.read(SYSTEM) as session:
        back = {r.payment_id: r.amount_fen for r in queries.list_refunds(session, bill)}
    assert back == {payment_id: TOTAL, cash_id: 500}


def test_a_part_in_another_amount_is_frozen_and_the_rest_stays_due(
    world: MoneyWorld, bill: Id
) -> None:
    payment_id, number = start(world, bill, 5000, Tender.WECHAT_NATIVE, is_part=True)
    world.report(paid(number, 4999))
    found = bill_of(world, bill)
    assert (found.state, found.due_fen) == (InvoiceState.OPEN, TOTAL)
    assert [(p.id, p.state) for p in payments_of(world, bill)] == [
        (payment_id, PaymentState.FROZEN)
    ]


def test_a_closed_order_paid_after_all_closes_what_would_be_too_much(
    world: MoneyWorld, bill: Id
) -> None:
    _old_id, number = start(world, bill, TOTAL, Tender.WECHAT_NATIVE)
    world.report(TradeStatus(number, TradeState.CLOSED))
    new_id, _new_number = start(world, bill, 5000, Tender.WECHAT_NATIVE, is_part=True)
    world.report(paid(number, TOTAL))
    assert bill_of(world, bill).state is InvoiceState.PAID
    states = {payment.id: payment.state for payment in payments_of(world, bill)}
    assert states[new_id] is PaymentState.CLOSING


def test_a_refund_is_spread_over_the_tenders_it_came_from(
    world: MoneyWorld, bill: Id, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    cash_id = pay_part(world, bill, 19000)
    qr_id, number = start(world, bill, 1500, Tender.WECHAT_NATIVE)
    dispatcher.drain()
    world.report(gateway.pay(number))
    lines = {line.name: line for line in bill_of(world, bill).lines}
    ct = lines["胸部CT平扫"].charge_id
    with world.database.write(SYSTEM) as session:
        made = service.refund_charges(
            session,
            invoice_id=bill,
            parts={ct: 2000},
            reason="设备故障",
            channel=Channel.COUNTER,
            key="k",
        )
        assert [(r.payment_id, r.amount_fen) for r in made] == [(qr_id, 1500), (cash_id, 500)]
    with world.database.write(SYSTEM) as session:
        again = service.refund_charges(
            session, invoice_id=bill, parts={ct: 2000}, reason="设备故障", key="k"
        )
        assert [r.id for r in again] == [r.id for r in made]
    dispatcher.drain()
    found = bill_of(world, bill)
    assert found.state is InvoiceState.PART_REFUNDED
    with world.database.write(SYSTEM) as session:
        parts = {line.charge_id: line.amount_fen - line.refunded_fen for line in found.lines}
        service.refund_charges(
            session, invoice_id=bill, parts=parts, reason="全退", channel=Channel.COUNTER
        )
    dispatcher.drain()
    assert bill_of(world, bill).state is InvoiceState.REFUNDED
    by_payment = {p.id: p.refundable_fen for p in payments_of(world, bill)}
    assert by_payment == {cash_id: 0, qr_id: 0}


def test_a_bill_paid_in_part_is_ended_not_refunded(world: MoneyWorld, bill: Id) -> None:
    pay_part(world, bill, 500)
    charge_id = bill_of(world, bill).lines[0].charge_id
    with pytest.raises(Conflict), world.database.write(SYSTEM) as session:
        service.refund_charges(session, invoice_id=bill, parts={charge_id: 1}, reason="x")
