"""QR payments against a scripted platform: late, repeated, lost, contradicting and forbidden answers."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.billing import queries, service
from backend.billing.errors import AmountDiffers, InvoiceNotOpen, PaymentInFlight, PaymentUnknown
from backend.billing.ports import GatewayRefused, GatewayUnknown, TradeState, TradeStatus
from backend.billing.rules import CaseKind, ChargeState, InvoiceState, PaymentState, RefundState
from backend.billing.verify import verify_ledger
from backend.billing.views import PaymentView
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.errors import Conflict
from backend.kernel.ids import Id, new_id
from tests.factories.billing import MoneyWorld, ScriptedGateway, paid
from tests.factories.databases import SYSTEM

DUE = 2500
QUARTER = dt.timedelta(minutes=15)


def payment_of(world: MoneyWorld, payment_id: Id) -> PaymentView:
    with world.database.read(SYSTEM) as session:
        return queries.get_payment(session, payment_id)


def invoice_state(world: MoneyWorld, invoice_id: Id) -> InvoiceState:
    with world.database.read(SYSTEM) as session:
        return queries.get_invoice(session, invoice_id).state


def case_kinds(world: MoneyWorld) -> list[CaseKind]:
    with world.database.read(SYSTEM) as session:
        return [case.kind for case in queries.list_open_cases(session)]


def assert_explained(world: MoneyWorld) -> None:
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []


def started(world: MoneyWorld, dispatcher: Dispatcher) -> tuple[Id, Id, str]:
    """A bill with a QR payment whose code is shown: bill, payment, number at the platform."""
    invoice_id = world.bill("REG-ASSOC", expires_in=QUARTER)
    payment_id, number = world.start_qr(invoice_id, DUE)
    dispatcher.drain()
    return invoice_id, payment_id, number


def test_a_payment_shows_its_code_and_pays_once_told(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id, payment_id, number = started(world, dispatcher)
    payment = payment_of(world, payment_id)
    assert payment.state is PaymentState.PENDING
    assert payment.code_url == f"weixin://wxpay/bizpayurl?pr={number}"
    assert len(number) <= 32
    for _again in range(3):
        world.report(gateway.pay(number))
    assert payment_of(world, payment_id).state is PaymentState.SUCCEEDED
    with world.database.read(SYSTEM) as session:
        invoice = queries.get_invoice(session, invoice_id)
    assert invoice.state is InvoiceState.PAID
    assert invoice.due_fen == 0
    assert {line.state for line in invoice.lines} == {ChargeState.PAID}
    assert case_kinds(world) == []
    assert_explained(world)


def test_a_lost_notification_is_made_up_for_by_asking(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway, clock: FixedClock
) -> None:
    invoice_id, _payment_id, number = started(world, dispatcher)
    gateway.pay(number)
    clock.advance(dt.timedelta(seconds=4))
    dispatcher.drain()
    assert invoice_state(world, invoice_id) is InvoiceState.OPEN
    clock.advance(dt.timedelta(seconds=1))
    dispatcher.drain()
    assert invoice_state(world, invoice_id) is InvoiceState.PAID
    assert_explained(world)


def test_checks_grow_apart_and_end_with_the_code(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway, clock: FixedClock
) -> None:
    invoice_id, payment_id, _number = started(world, dispatcher)
    asked_at = []
    for second in range(5, 16 * 60, 5):
        clock.advance(dt.timedelta(seconds=5))
        before = gateway.calls.count("query")
        dispatcher.drain()
        if gateway.calls.count("query") > before:
            asked_at.append(second)
    assert asked_at[:7] == [5, 10, 20, 40, 70, 100, 130]
    assert asked_at[-1] == 15 * 60
    assert payment_of(world, payment_id).state is PaymentState.CLOSED
    assert gateway.calls.count("close") == 1
    assert invoice_state(world, invoice_id) is InvoiceState.OPEN


def test_a_notification_may_come_before_the_create_answer_is_stored(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id = world.bill("REG-ASSOC")
    payment_id, number = world.start_qr(invoice_id, DUE)
    world.report(paid(number, DUE))
    with world.database.write(SYSTEM) as session:
        assert not service.store_code(session, payment_id, "weixin://late")
    dispatcher.drain()
    assert gateway.calls == []
    assert payment_of(world, payment_id).state is PaymentState.SUCCEEDED
    assert invoice_state(world, invoice_id) is InvoiceState.PAID


def test_a_lost_create_answer_is_unknown_until_asked_then_shows_the_same_order(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway, clock: FixedClock
) -> None:
    gateway.lose_next.append(GatewayUnknown("lost"))
    _invoice_id, payment_id, number = started(world, dispatcher)
    assert payment_of(world, payment_id).state is PaymentState.UNKNOWN
    clock.advance(dt.timedelta(seconds=5))
    dispatcher.drain()
    assert gateway.calls == ["create", "query", "create"]
    assert payment_of(world, payment_id).state is PaymentState.PENDING
    assert list(gateway.orders) == [number]


def test_an_unknown_create_that_was_paid_is_found_by_asking(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway, clock: FixedClock
) -> None:
    gateway.lose_next.append(GatewayUnknown("lost"))
    invoice_id, _payment_id, number = started(world, dispatcher)
    gateway.pay(number)
    clock.advance(dt.timedelta(seconds=5))
    dispatcher.drain()
    assert invoice_state(world, invoice_id) is InvoiceState.PAID
    assert gateway.calls == ["create", "query"]


def test_a_platform_that_is_away_keeps_the_payment_unknown_then_closed(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway, clock: FixedClock
) -> None:
    gateway.fail_next.extend(GatewayUnknown("away") for _call in range(200))
    invoice_id, payment_id, _number = started(world, dispatcher)
    clock.advance(dt.timedelta(minutes=2))
    dispatcher.drain()
    assert payment_of(world, payment_id).state is PaymentState.UNKNOWN
    clock.advance(QUARTER)
    dispatcher.drain()
    assert payment_of(world, payment_id).state is PaymentState.CLOSING
    gateway.fail_next.clear()
    clock.advance(dt.timedelta(seconds=60))
    dispatcher.drain()
    assert payment_of(world, payment_id).state is PaymentState.CLOSED
    assert invoice_state(world, invoice_id) is InvoiceState.OPEN
    assert_explained(world)


def test_a_refused_order_fails_without_touching_the_bill(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    gateway.fail_next.append(GatewayRefused("PARAM_ERROR", "no"))
    invoice_id, payment_id, _number = started(world, dispatcher)
    assert payment_of(world, payment_id).state is PaymentState.FAILED
    again_id, _again_number = world.start_qr(invoice_id, DUE)
    assert again_id != payment_id


def test_an_amount_that_differs_is_frozen_with_a_case_and_given_back_by_a_person(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id, payment_id, number = started(world, dispatcher)
    for _again in range(2):
        world.report(gateway.pay(number, DUE - 1))
    payment = payment_of(world, payment_id)
    assert payment.state is PaymentState.FROZEN
    assert payment.received_fen == DUE - 1
    assert invoice_state(world, invoice_id) is InvoiceState.OPEN
    assert case_kinds(world) == [CaseKind.AMOUNT_DIFFERS]
    assert_explained(world)
    with world.database.write(SYSTEM) as session:
        service.give_back(session, payment_id, reason="金额不符")
    with pytest.raises(Conflict), world.database.write(SYSTEM) as session:
        service.give_back(session, payment_id, reason="再退")
    dispatcher.drain()
    assert case_kinds(world) == []
    assert_explained(world)


def test_the_amount_shown_must_be_the_amount_due(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC")
    with pytest.raises(AmountDiffers) as refusal:
        world.start_qr(invoice_id, DUE - 1)
    assert refusal.value.facts["due_fen"] == DUE


def test_ten_hits_on_the_button_start_one_payment(world: MoneyWorld) -> None:
    invoice_id = world.bill("REG-ASSOC")
    assert len({world.start_qr(invoice_id, DUE)[0] for _hit in range(10)}) == 1
    keyed = world.bill("REG-ASSOC")
    found = set()
    for _hit in range(3):
        with world.database.write(SYSTEM) as session:
            payment = service.start_qr_payment(
                session, invoice_id=keyed, amount_fen=DUE, key="button"
            )
            found.add(payment.id)
    assert len(found) == 1


def test_cancelling_closes_at_the_platform_and_frees_the_bill(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id, payment_id, _number = started(world, dispatcher)
    with world.database.write(SYSTEM) as session:
        assert service.cancel_payment(session, payment_id).state is PaymentState.CLOSING
    with pytest.raises(PaymentInFlight):
        world.start_qr(invoice_id, DUE)
    dispatcher.drain()
    assert payment_of(world, payment_id).state is PaymentState.CLOSED
    assert world.start_qr(invoice_id, DUE)[0] != payment_id


def test_a_payer_who_is_quicker_than_the_cancelling_has_paid(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id, payment_id, number = started(world, dispatcher)
    with world.database.write(SYSTEM) as session:
        service.cancel_payment(session, payment_id)
    gateway.pay(number)
    dispatcher.drain()
    assert payment_of(world, payment_id).state is PaymentState.SUCCEEDED
    assert invoice_state(world, invoice_id) is InvoiceState.PAID
    assert_explained(world)


def test_a_cancelled_order_that_never_reached_the_platform_is_closed(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id = world.bill("REG-ASSOC")
    payment_id, _number = world.start_qr(invoice_id, DUE)
    with world.database.write(SYSTEM) as session:
        service.cancel_payment(session, payment_id)
    dispatcher.drain()
    assert "create" not in gateway.calls
    assert payment_of(world, payment_id).state is PaymentState.CLOSED


def test_voiding_waits_for_the_open_payment_to_close(
    world: MoneyWorld, dispatcher: Dispatcher
) -> None:
    invoice_id, _payment_id, _number = started(world, dispatcher)
    with world.database.write(SYSTEM) as session:
        service.void_invoice(session, invoice_id, reason="hold_expired")
    assert invoice_state(world, invoice_id) is InvoiceState.OPEN
    with pytest.raises(InvoiceNotOpen):
        world.start_qr(invoice_id, DUE)
    dispatcher.drain()
    assert invoice_state(world, invoice_id) is InvoiceState.VOID
    assert_explained(world)


def test_money_beats_a_void_that_was_still_waiting(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id, _payment_id, number = started(world, dispatcher)
    with world.database.write(SYSTEM) as session:
        service.void_invoice(session, invoice_id, reason="hold_expired")
    world.report(gateway.pay(number))
    assert invoice_state(world, invoice_id) is InvoiceState.PAID
    dispatcher.drain()
    assert invoice_state(world, invoice_id) is InvoiceState.PAID
    assert_explained(world)


def test_money_for_a_bill_that_has_ended_goes_back_by_itself(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id, payment_id, number = started(world, dispatcher)
    with world.database.write(SYSTEM) as session:
        service.void_invoice(session, invoice_id, reason="hold_expired")
    dispatcher.drain()
    for _again in range(2):
        world.report(paid(number, DUE))
    payment = payment_of(world, payment_id)
    assert payment.state is PaymentState.SUCCEEDED
    assert payment.is_given_back
    assert case_kinds(world) == [CaseKind.PAID_TOO_LATE]
    assert_explained(world)
    dispatcher.drain()
    with world.database.read(SYSTEM) as session:
        refunds = queries.list_refunds(session, invoice_id)
    assert [(refund.state, refund.amount_fen) for refund in refunds] == [
        (RefundState.SUCCEEDED, DUE)
    ]
    assert case_kinds(world) == []
    assert invoice_state(world, invoice_id) is InvoiceState.VOID
    assert_explained(world)


def test_paying_cash_and_by_phone_keeps_one_and_gives_back_the_other(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id, payment_id, number = started(world, dispatcher)
    with world.database.write(SYSTEM) as session:
        service.cancel_payment(session, payment_id)
    with world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=DUE)
    world.report(gateway.pay(number))
    dispatcher.drain()
    assert payment_of(world, payment_id).refundable_fen == 0
    assert invoice_state(world, invoice_id) is InvoiceState.PAID
    assert_explained(world)


def test_a_closed_order_that_was_paid_after_all_pays_an_open_bill(
    world: MoneyWorld, dispatcher: Dispatcher
) -> None:
    invoice_id, payment_id, number = started(world, dispatcher)
    world.report(TradeStatus(number, TradeState.CLOSED))
    other_id, _other_number = world.start_qr(invoice_id, DUE)
    world.report(paid(number, DUE))
    assert payment_of(world, payment_id).state is PaymentState.SUCCEEDED
    assert payment_of(world, other_id).state is PaymentState.CLOSING
    dispatcher.drain()
    assert payment_of(world, other_id).state is PaymentState.CLOSED
    assert invoice_state(world, invoice_id) is InvoiceState.PAID
    assert_explained(world)


@pytest.mark.parametrize("late", [TradeState.NOT_PAID, TradeState.CLOSED, TradeState.PAYING])
def test_an_older_report_never_undoes_money(
    world: MoneyWorld, dispatcher: Dispatcher, late: TradeState
) -> None:
    invoice_id, payment_id, number = started(world, dispatcher)
    world.report(paid(number, DUE))
    world.report(TradeStatus(number, late, DUE))
    assert payment_of(world, payment_id).state is PaymentState.SUCCEEDED
    assert invoice_state(world, invoice_id) is InvoiceState.PAID


def test_money_for_an_order_that_is_not_ours_is_kept_with_a_case(world: MoneyWorld) -> None:
    stray = paid(new_id().hex, 4200)
    with pytest.raises(PaymentUnknown):
        world.report(stray)
    for _again in range(2):
        with world.database.write(SYSTEM) as session:
            service.record_stray_trade(session, stray)
    assert case_kinds(world) == [CaseKind.UNKNOWN_ORDER]
    assert_explained(world)


def test_a_request_delivered_twice_opens_one_order(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    """A worker was killed between the act and its result: another takes the same step again."""
    invoice_id = world.bill("REG-ASSOC")
    payment_id, number = world.start_qr(invoice_id, DUE)
    expires_at = payment_of(world, payment_id).expires_at
    assert expires_at is not None
    gateway.create_native(
        out_trade_no=number, amount_fen=DUE, description="门诊费用", expires_at=expires_at
    )
    dispatcher.drain()
    assert list(gateway.orders) == [number]
    assert payment_of(world, payment_id).state is PaymentState.PENDING


def test_a_code_that_comes_after_the_cancelling_is_closed_unseen(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id = world.bill("REG-ASSOC")
    payment_id, number = world.start_qr(invoice_id, DUE)

    def cancel() -> None:
        with world.database.write(SYSTEM) as session:
            service.cancel_payment(session, payment_id)

    gateway.meanwhile = cancel
    dispatcher.drain()
    assert payment_of(world, payment_id).state is PaymentState.CLOSED
    assert payment_of(world, payment_id).code_url is None
    assert gateway.orders[number].state is TradeState.CLOSED


def test_an_order_paid_while_its_answer_was_on_the_way_is_recorded(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway
) -> None:
    invoice_id = world.bill("REG-ASSOC")
    payment_id, number = world.start_qr(invoice_id, DUE)
    gateway.orders[number] = paid(number, DUE)
    dispatcher.drain()
    assert gateway.calls == ["create", "query"]
    assert payment_of(world, payment_id).state is PaymentState.SUCCEEDED
