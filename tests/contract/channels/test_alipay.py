"""Alipay's gateway over the wire against a running platform: the port, and Alipay's own ways."""

from __future__ import annotations

import queue
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

import pytest

from backend.billing.ports import (
    ForgedNotification,
    GatewayRefused,
    GatewayUnknown,
    RefundState,
    RefundStatus,
    TradeState,
    TradeStatus,
)
from backend.channels.alipay import AlipayGateway
from tests.contract.wechat.sandbox_process import Receiver, Sandbox, http

NUMBER = "XL20261123001"
EXPIRES = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=15)


def open_order(gateway: AlipayGateway, number: str = NUMBER, fen: int = 2500) -> str:
    return gateway.create_native(
        out_trade_no=number, amount_fen=fen, description="门诊费用", expires_at=EXPIRES
    )


def refund(gateway: AlipayGateway, number: str = "RF1", fen: int = 2500) -> RefundStatus:
    return gateway.refund(
        out_refund_no=number,
        out_trade_no=NUMBER,
        amount_fen=fen,
        total_fen=2500,
        reason="医生停诊",
    )


def test_a_code_is_no_trade_until_it_is_scanned(gateway: AlipayGateway, sandbox: Sandbox) -> None:
    code = open_order(gateway)
    assert code.startswith("https://qr.alipay.com/")
    assert gateway.query(NUMBER) == TradeStatus(NUMBER, TradeState.NOT_FOUND)
    seen = sandbox.post("/phone/look", code_url=code)
    assert (seen["wallet"], seen["amount_fen"]) == ("alipay", 2500)
    assert gateway.query(NUMBER) == TradeStatus(NUMBER, TradeState.NOT_PAID, 2500)
    before = datetime.now(UTC).replace(microsecond=0)
    answer = sandbox.pay(code)
    paid = gateway.query(NUMBER)
    assert (paid.state, paid.amount_fen) == (TradeState.SUCCESS, 2500)
    assert paid.transaction_id == answer["transaction_id"]
    assert paid.paid_at is not None
    assert before <= paid.paid_at <= datetime.now(UTC)


def test_the_same_order_again_is_the_same_code_and_another_is_refused(
    gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    code = open_order(gateway)
    assert open_order(gateway) == code
    with pytest.raises(GatewayRefused) as changed:
        open_order(gateway, fen=2600)
    sandbox.pay(code)
    with pytest.raises(GatewayRefused) as paid:
        open_order(gateway)
    assert [changed.value.code, paid.value.code] == ["OUT_TRADE_NO_USED", "ORDERPAID"]


def test_a_code_nobody_scanned_is_ended_by_cancelling_it(
    gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    code = open_order(gateway)
    gateway.close(NUMBER)
    gateway.close(NUMBER)
    refused = http("POST", f"{sandbox.url}/phone/pay", json={"code_url": code})
    assert refused.status_code == 409
    with pytest.raises(GatewayRefused) as closed:
        open_order(gateway)
    assert closed.value.code == "ORDER_CLOSED"


def test_a_scanned_order_is_closed_and_a_paid_one_is_not(
    gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    sandbox.post("/phone/look", code_url=open_order(gateway))
    gateway.close(NUMBER)
    gateway.close(NUMBER)
    assert gateway.query(NUMBER).state is TradeState.CLOSED
    sandbox.pay(open_order(gateway, "XL2"))
    with pytest.raises(GatewayRefused) as paid:
        gateway.close("XL2")
    assert paid.value.code == "ORDERPAID"
    assert gateway.query("XL2").state is TradeState.SUCCESS, "closing must never give money back"


def test_an_order_that_never_was_is_closed_without_harm(gateway: AlipayGateway) -> None:
    gateway.close("XL00000000")
    assert gateway.query("XL00000000").state is TradeState.NOT_FOUND


def test_a_refund_happens_once_however_often_it_is_asked_for(
    gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    sandbox.pay(open_order(gateway))
    first, again = refund(gateway, fen=1000), refund(gateway, fen=1000)
    assert (first.state, first.amount_fen) == (RefundState.SUCCESS, 1000)
    assert (again.state, again.amount_fen) == (RefundState.SUCCESS, 1000)
    assert gateway.query(NUMBER).state is TradeState.SUCCESS
    assert refund(gateway, "RF2", 1500).state is RefundState.SUCCESS
    with pytest.raises(GatewayRefused):
        refund(gateway, "RF3", 1)
    assert sandbox.get("/sandbox/orders")["orders"][0]["refunded_fen"] == 2500
    assert gateway.query_refund("RF1", NUMBER).amount_fen == 1000


def test_a_refund_that_never_arrived_is_not_found(gateway: AlipayGateway, sandbox: Sandbox) -> None:
    absent = RefundStatus("RF0", None, RefundState.NOT_FOUND)
    assert gateway.query_refund("RF0", NUMBER) == absent
    sandbox.pay(open_order(gateway))
    assert gateway.query_refund("RF0", NUMBER) == absent


def test_a_slow_refund_is_sent_again_until_the_money_is_back(
    gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    sandbox.pay(open_order(gateway))
    sandbox.put("/sandbox/faults", refund="slow", seconds=60, count=1)
    assert refund(gateway).state is RefundState.PROCESSING
    assert gateway.query_refund("RF1", NUMBER).state is RefundState.NOT_FOUND
    assert refund(gateway).state is RefundState.PROCESSING
    sandbox.put("/sandbox/clock", offset_seconds=61)
    done = gateway.query_refund("RF1", NUMBER)
    assert (done.state, done.amount_fen) == (RefundState.SUCCESS, 2500)


@pytest.mark.parametrize("mode", ["not_enough", "abnormal", "closed"])
def test_a_refund_alipay_cannot_pay_is_refused(
    mode: str, gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    sandbox.pay(open_order(gateway))
    sandbox.put("/sandbox/faults", refund=mode, count=1)
    with pytest.raises(GatewayRefused):
        refund(gateway)
    assert refund(gateway).state is RefundState.SUCCESS


# --- notifications ---------------------------------------------------------------------------


def test_a_payment_is_told_and_repeated_until_success_is_answered(
    gateway: AlipayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    answer = sandbox.pay(open_order(gateway))
    told = [gateway.parse_notification(*receiver.next()) for _ in range(3)]
    assert {status.out_trade_no for status in told} == {NUMBER}, "204 is no success to Alipay"
    assert told[0].state is TradeState.SUCCESS
    assert told[0].amount_fen == 2500
    assert isinstance(told[0], TradeStatus)
    assert told[0].transaction_id == answer["transaction_id"]


@pytest.mark.parametrize("forgery", ["signature", "signtest", "timestamp", "serial", "cipher"])
def test_a_forged_notification_is_not_believed(
    forgery: str, gateway: AlipayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    open_order(gateway)
    sandbox.post("/sandbox/forge", out_trade_no=NUMBER, forgery=forgery)
    with pytest.raises(ForgedNotification):
        gateway.parse_notification(*receiver.next())


def test_a_true_notification_changed_in_one_place_is_not_believed(
    gateway: AlipayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay(open_order(gateway))
    headers, body = receiver.next()
    pairs = dict(parse_qsl(body.decode()))
    assert gateway.parse_notification(headers, body).amount_fen == 2500
    for name in set(pairs) - {"sign"}:
        changed = urlencode({**pairs, name: pairs[name] + "0"}).encode()
        with pytest.raises(ForgedNotification):
            gateway.parse_notification(headers, changed)
    with pytest.raises(ForgedNotification):
        gateway.parse_notification(headers, body + b"&trade_status=TRADE_CLOSED")
    for junk in (b"", b"\xff", b"x", b"sign=x&sign_type=RSA2"):
        with pytest.raises(ForgedNotification):
            gateway.parse_notification(headers, junk)


def test_a_dropped_notification_never_comes(
    gateway: AlipayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.put("/sandbox/faults", notification="drop", count=1)
    sandbox.pay(open_order(gateway))
    sandbox.pay(open_order(gateway, "XL2"))
    assert gateway.parse_notification(*receiver.next()).out_trade_no == "XL2"
    dropped = {
        row["subject"]: row["state"]
        for row in sandbox.get("/sandbox/notifications")["notifications"]
    }
    assert dropped[NUMBER] == "dropped"
    while True:
        try:
            headers, body = receiver.arrived.get_nowait()
        except queue.Empty:
            break
        assert gateway.parse_notification(headers, body).out_trade_no == "XL2"


# --- what goes wrong on the way --------------------------------------------------------------


@pytest.mark.parametrize(
    "mode", ["lost_answer", "error500", "rate_limited", "bad_signature", "old_timestamp"]
)
def test_an_answer_that_is_lost_or_not_believed_is_unknown(
    mode: str, gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    sandbox.put("/sandbox/faults", api=mode, count=1, operation="native")
    with pytest.raises(GatewayUnknown):
        open_order(gateway)
    assert open_order(gateway).startswith("https://qr.alipay.com/")


def test_a_lost_refund_answer_is_unknown_and_the_refund_happened(
    gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    sandbox.pay(open_order(gateway))
    sandbox.put("/sandbox/faults", api="lost_answer", count=1, operation="refund")
    with pytest.raises(GatewayUnknown):
        refund(gateway)
    assert gateway.query_refund("RF1", NUMBER).amount_fen == 2500


def test_a_timeout_is_unknown(hasty_gateway: AlipayGateway, sandbox: Sandbox) -> None:
    sandbox.put("/sandbox/faults", api="timeout", seconds=2, count=1, operation="native")
    with pytest.raises(GatewayUnknown, match="ReadTimeout"):
        open_order(hasty_gateway)


def test_a_request_that_is_not_the_merchants_is_refused_unbelievably(
    gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    answer = http("POST", f"{sandbox.url}/alipay/gateway.do", data={"method": "alipay.trade.query"})
    content = answer.json()["alipay_trade_query_response"]
    assert content["sub_code"] == "isv.invalid-app-id"
    answer = http(
        "POST",
        f"{sandbox.url}/alipay/gateway.do",
        data={"app_id": gateway.config.app_id, "charset": "utf-8", "sign_type": "RSA2"},
    )
    assert "isv.invalid-signature" in answer.text
