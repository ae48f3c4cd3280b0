"""Refunds: back to the tender they came from, never more than was paid, never twice, never forgotten."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.billing import queries, service
from backend.billing.errors import RefundTooMuch, RefundUnknown
from backend.billing.ports import GatewayRefused, GatewayUnknown, RefundStatus
from backend.billing.ports import RefundState as Reported
from backend.billing.rules import CaseKind, Channel, ChargeState, InvoiceState, RefundState
from backend.billing.verify import verify_ledger
from backend.billing.views import InvoiceView, RefundView
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.ids import Id, new_id
from tests.factories.billing import MoneyWorld, ScriptedGateway, paid
from tests.factories.bills import refund_part
from tests.factories.databases import SYSTEM

TOTAL = 4500


def bill_of(world: MoneyWorld, invoice_id: Id) -> InvoiceView:
    with world.database.read(SYSTEM) as session:
        return queries.get_invoice(session, invoice_id)


def refund_of(world: MoneyWorld, refund_id: Id) -> RefundView:
    with world.database.read(SYSTEM) as session:
        return queries.get_refund(session, refund_id)


def assert_explained(world: MoneyWorld) -> None:
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []


def paid_by_cash(world: MoneyWorld) -> InvoiceView:
    invoice_id = world.bill("REG-ASSOC", "LAB-CBC")
    with world.database.write(SYSTEM) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=TOTAL)
    return bill_of(world, invoice_id)


def paid_by_phone(world: MoneyWorld, dispatcher: Dispatcher) -> InvoiceView:
    invoice_id = world.bill("REG-ASSOC", "LAB-CBC")
    _payment_id, number = world.start_qr(invoice_id, TOTAL)
    world.report(paid(number, TOTAL))
    dispatcher.drain()
    return bill_of(world, invoice_id)


def refund(
    world: MoneyWorld, invoice_id: Id, amount_fen: int, *charges: Id, key: str | None = None
) -> Id:
    with world.database.write(SYSTEM) as session:
        [made] = refund_part(
            session, invoice_id, amount_fen, *charges, channel=Channel.COUNTER, key=key
        )
        return made.id


def test_cash_goes_back_at_once_one_charge_at_a_time(world: MoneyWorld) -> None:
    invoice = paid_by_cash(world)
    first, second = (line.charge_id for line in invoice.lines)
    assert refund_of(world, refund(world, invoice.id, 2500, first)).state is RefundState.SUCCEEDED
    half = bill_of(world, invoice.id)
    assert half.state is InvoiceState.PART_REFUNDED
    assert [line.state for line in half.lines] == [ChargeState.REFUNDED, ChargeState.PAID]
    assert_explained(world)
    refund(world, invoice.id, 500, second)
    refund(world, invoice.id, 1500, second)
    assert bill_of(world, invoice.id).state is InvoiceState.REFUNDED
    assert_explained(world)


def test_no_more_goes_back_than_was_paid(world: MoneyWorld) -> None:
    invoice = paid_by_cash(world)
    first, second = (line.charge_id for line in invoice.lines)
    with pytest.raises(RefundTooMuch) as refusal:
        refund(world, invoice.id, 2501, first)
    assert refusal.value.facts["refundable_fen"] == 2500
    with pytest.raises(RefundTooMuch):
        refund(world, invoice.id, 0, first)
    refund(world, invoice.id, 2500, first)
    with pytest.raises(RefundTooMuch):
        refund(world, invoice.id, 1, first)
    refund(world, invoice.id, 2000, second)
    with pytest.raises(Conflict) as none_left:
        refund(world, invoice.id, 1, second)
    assert none_left.value.error_code == "payment_not_refundable"
    assert_explained(world)


def test_a_refund_needs_a_reason_and_charges_of_that_bill(world: MoneyWorld) -> None:
    invoice = paid_by_cash(world)
    other = bill_of(world, world.bill("LAB-CBC"))
    with pytest.raises(InvalidInput):
        refund(world, invoice.id, 2000, other.lines[0].charge_id)
    with pytest.raises(InvalidInput), world.database.write(SYSTEM) as session:
        service.refund_charges(session, invoice_id=invoice.id, parts={}, reason="退号")
    with pytest.raises(InvalidInput), world.database.write(SYSTEM) as session:
        refund_part(session, invoice.id, 1, reason=" ")


def test_the_same_key_refunds_once(world: MoneyWorld) -> None:
    invoice = paid_by_cash(world)
    charge = invoice.lines[0].charge_id
    assert refund(world, invoice.id, 2500, charge, key="k") == refund(
        world, invoice.id, 2500, charge, key="k"
    )
    with pytest.raises(Conflict):
        refund(world, invoice.id, 100, charge, key="k")


def test_a_platform_refund_is_sent_after_the_transaction_and_counts_when_confirmed(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway, clock: FixedClock
) -> None:
    gateway.refund_state = Reported.PROCESSING
    invoice = paid_by_phone(world, dispatcher)
    refund_id = refund(world, invoice.id, TOTAL, *(line.charge_id for line in invoice.lines))
    assert gateway.calls.count("refund") == 0
    dispatcher.drain()
    assert refund_of(world, refund_id).state is RefundState.PROCESSING
    assert bill_of(world, invoice.id).state is InvoiceState.PAID
    assert_explained(world)
    number = refund_of(world, refund_id).out_refund_no
    gateway.refunds[number] = RefundStatus(number, "x", Reported.SUCCESS, TOTAL, "r-1")
    clock.advance(dt.timedelta(seconds=10))
    dispatcher.drain()
    assert refund_of(world, refund_id).state is RefundState.SUCCEEDED
    assert bill_of(world, invoice.id).state is InvoiceState.REFUNDED
    assert gateway.calls.count("refund") == 1
    assert_explained(world)


def test_a_lost_refund_answer_is_unknown_until_asked(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway, clock: FixedClock
) -> None:
    invoice = paid_by_phone(world, dispatcher)
    gateway.lose_next.append(GatewayUnknown("lost"))
    refund_id = refund(world, invoice.id, 2500, invoice.lines[0].charge_id)
    dispatcher.drain()
    assert refund_of(world, refund_id).state is RefundState.UNKNOWN
    clock.advance(dt.timedelta(seconds=10))
    dispatcher.drain()
    assert refund_of(world, refund_id).state is RefundState.SUCCEEDED
    assert gateway.calls.count("refund") == 1
    assert_explained(world)


def test_a_refund_that_never_arrived_is_sent_again_under_its_number(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway, clock: FixedClock
) -> None:
    invoice = paid_by_phone(world, dispatcher)
    gateway.fail_next.append(GatewayUnknown("away"))
    refund_id = refund(world, invoice.id, 2500, invoice.lines[0].charge_id)
    dispatcher.drain()
    assert gateway.refunds == {}
    clock.advance(dt.timedelta(seconds=10))
    dispatcher.drain()
    assert refund_of(world, refund_id).state is RefundState.SUCCEEDED
    assert len(gateway.refunds) == 1


def test_a_refused_refund_is_a_case_and_may_be_tried_again(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway, clock: FixedClock
) -> None:
    invoice = paid_by_phone(world, dispatcher)
    gateway.fail_next.append(GatewayRefused("NOT_ENOUGH", "no money"))
    refund_id = refund(world, invoice.id, 2500, invoice.lines[0].charge_id)
    dispatcher.drain()
    assert refund_of(world, refund_id).state is RefundState.ABNORMAL
    assert bill_of(world, invoice.id).state is InvoiceState.PAID
    with world.database.read(SYSTEM) as session:
        cases = queries.list_open_cases(session)
    assert [case.kind for case in cases] == [CaseKind.REFUND_ABNORMAL]
    assert_explained(world)
    clock.advance(dt.timedelta(seconds=20))
    dispatcher.drain()
    with world.database.write(SYSTEM) as session:
        service.retry_refund(session, refund_id)
    dispatcher.drain()
    assert refund_of(world, refund_id).state is RefundState.SUCCEEDED
    with world.database.read(SYSTEM) as session:
        assert queries.list_open_cases(session) == []
    assert_explained(world)


@pytest.mark.parametrize("late", [Reported.PROCESSING, Reported.ABNORMAL, Reported.CLOSED])
def test_an_older_report_never_undoes_a_refund(
    world: MoneyWorld, dispatcher: Dispatcher, gateway: ScriptedGateway, late: Reported
) -> None:
    invoice = paid_by_phone(world, dispatcher)
    refund_id = refund(world, invoice.id, 2500, invoice.lines[0].charge_id)
    dispatcher.drain()
    number = refund_of(world, refund_id).out_refund_no
    for state in (Reported.SUCCESS, late):
        world.report_refund(RefundStatus(number, "x", state, 2500, "r-1"))
    assert refund_of(world, refund_id).state is RefundState.SUCCEEDED
    assert_explained(world)


def test_a_refund_of_another_amount_is_a_case(world: MoneyWorld, dispatcher: Dispatcher) -> None:
    invoice = paid_by_phone(world, dispatcher)
    refund_id = refund(world, invoice.id, 2500, invoice.lines[0].charge_id)
    number = refund_of(world, refund_id).out_refund_no
    world.report_refund(RefundStatus(number, "x", Reported.SUCCESS, 2499, "r-1"))
    assert refund_of(world, refund_id).state is RefundState.ABNORMAL
    with world.database.read(SYSTEM) as session:
        case = queries.list_open_cases(session)[0]
        assert case.kind is CaseKind.REFUND_DIFFERS
    with world.database.write(SYSTEM) as session:
        service.close_case(session, case.id, reason="与平台核对后人工处理")
    with pytest.raises(Conflict), world.database.write(SYSTEM) as session:
        service.close_case(session, case.id, reason="再关")


def test_a_report_about_a_refund_that_is_not_ours_is_refused(world: MoneyWorld) -> None:
    with pytest.raises(RefundUnknown):
        world.report_refund(RefundStatus(new_id().hex, "x", Reported.SUCCESS, 1, "r"))
