"""The page of money cases: what it shows, what it lets do, and to whom."""

from __future__ import annotations

import datetime as dt

import pytest
from flask.testing import FlaskClient

from backend.billing import queries, service
from backend.billing.models import MoneyCase
from backend.billing.ports import TradeState, TradeStatus
from backend.billing.rules import CaseState, PaymentState, RefundState
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Permission
from backend.organization.service import add_hospital
from tests.factories.billing import MoneyWorld
from tests.factories.databases import SYSTEM
from tests.factories.statements import Statements
from tests.factories.webapp import ActorSwitch, staff_actor

PAGE = "/backoffice/money-cases"


def paid(number: str, amount_fen: int, clock: FixedClock) -> TradeStatus:
    return TradeStatus(
        out_trade_no=number,
        state=TradeState.SUCCESS,
        amount_fen=amount_fen,
        transaction_id=f"42{number[:20]}",
        paid_at=clock.now(),
    )


def case_of(world: MoneyWorld) -> MoneyCase:
    with world.database.read(SYSTEM) as session:
        return queries.list_open_cases(session)[0]


@pytest.fixture
def payment_id(world: MoneyWorld, switch: ActorSwitch, clock: FixedClock) -> Id:
    """Ten fen too little came for a bill; a cashier's supervisor looks."""
    payment_id, number = world.start_qr(world.bill("LAB-CBC"), 2000)
    world.report(paid(number, 1990, clock))
    switch.actor = staff_actor(world.hospital_id, Permission.BILLING_CASE_CLOSE)
    return payment_id


def test_what_happened_in_words_with_amounts_numbers_and_age(
    client: FlaskClient, world: MoneyWorld, payment_id: Id, clock: FixedClock
) -> None:
    clock.advance(dt.timedelta(hours=30))
    page = client.get(PAGE).text
    for words in ("到账金额与应付金额不符", "¥19.90", "¥20.00", "1 天", "原路退回"):
        assert words in page
    assert payment_id.hex in page


def test_giving_back_asks_the_platform_and_ends_the_case_by_itself(
    client: FlaskClient, world: MoneyWorld, payment_id: Id
) -> None:
    url = f"{PAGE}/{case_of(world).id}/give-back"
    assert client.post(url).status_code == 303
    with world.database.read(SYSTEM) as session:
        payment = queries.get_payment(session, payment_id)
        (refund,) = queries.list_refunds(session, payment.invoice_id)
    assert (payment.state, refund.amount_fen) == (PaymentState.FROZEN, 1990)
    page = client.get(PAGE).text
    assert "款项正在退回" in page
    assert "give-back" not in page
    assert client.post(url).status_code == 409


def test_an_abnormal_refund_is_asked_for_again(
    client: FlaskClient, world: MoneyWorld, payment_id: Id
) -> None:
    with world.database.write(SYSTEM) as session:
        refund = service.give_back(session, payment_id, reason="退回")
        service.mark_refund_abnormal(session, refund.id, "ACCOUNT_CLOSED")
    assert "退款异常，平台没有退成" in client.get(PAGE).text
    with world.database.read(SYSTEM) as session:
        cases = queries.list_open_cases(session)
    (case,) = [case for case in cases if case.refund_id == refund.id]
    assert client.post(f"{PAGE}/{case.id}/retry").status_code == 303
    with world.database.read(SYSTEM) as session:
        assert queries.get_refund(session, refund.id).state is RefundState.PROCESSING
    assert client.post(f"{PAGE}/{case.id}/retry").status_code == 409


def test_closing_needs_a_reason_and_happens_once(
    client: FlaskClient, world: MoneyWorld, payment_id: Id
) -> None:
    case = case_of(world)
    assert client.post(f"{PAGE}/{case.id}/close", data={"reason": " "}).status_code == 422
    assert client.post(f"{PAGE}/{case.id}/retry").status_code == 409
    done = client.post(f"{PAGE}/{case.id}/close", data={"reason": "已与患者补齐"})
    assert done.status_code == 303
    with world.database.read(SYSTEM) as session:
        closed = queries.get_case(session, case.id)
    assert (closed.state, closed.reason) == (CaseState.CLOSED, "已与患者补齐")
    assert "没有等待核实的款项" in client.get(PAGE).text
    again = client.post(f"{PAGE}/{case.id}/close", data={"reason": "再结一次"})
    assert again.status_code == 409
    assert client.post(f"{PAGE}/{new_id()}/give-back").status_code == 404


def test_another_hospital_and_others_see_nothing(
    client: FlaskClient, world: MoneyWorld, payment_id: Id, switch: ActorSwitch
) -> None:
    case = case_of(world)
    with world.database.write(SYSTEM) as session:
        other = add_hospital(session, code="H2", name="另一家医院").id
    switch.actor = staff_actor(other, Permission.BILLING_CASE_CLOSE)
    assert "没有等待核实的款项" in client.get(PAGE).text
    assert client.post(f"{PAGE}/{case.id}/close", data={"reason": "不归我管"}).status_code == 404
    switch.actor = staff_actor(world.hospital_id, Permission.BILLING_PRICE_READ)
    assert client.get(PAGE).status_code == 403


def test_one_query_however_many(
    client: FlaskClient, world: MoneyWorld, payment_id: Id, clock: FixedClock
) -> None:
    _second, number = world.start_qr(world.bill("CT-CHEST"), 18000)
    world.report(paid(number, 1, clock))
    with Statements(world.database) as statements:
        client.get(PAGE)
    assert statements.count == 1


def test_cash_that_waits_is_handed_over_once(
    client: FlaskClient, world: MoneyWorld, switch: ActorSwitch
) -> None:
    switch.actor = staff_actor(world.hospital_id, Permission.BILLING_CASE_CLOSE)
    with world.database.write(SYSTEM) as session:
        bill = world.bill_in(session, "LAB-CBC")
        service.pay_cash(session, invoice_id=bill.id, received_fen=500, amount_fen=500)
        service.void_invoice(session, bill.id, reason="hold_expired")
    assert "应退现金待患者领取" in client.get(PAGE).text
    with world.database.read(SYSTEM) as session:
        (case,) = queries.list_open_cases(session)
    assert client.post(f"{PAGE}/{case.id}/retry").status_code == 409
    assert client.post(f"{PAGE}/{case.id}/hand-over").status_code == 303
    assert "没有等待核实的款项" in client.get(PAGE).text
    assert client.post(f"{PAGE}/{case.id}/hand-over").status_code == 409
