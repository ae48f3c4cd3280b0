"""The payment gateway's contract, over the wire against a running platform."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.billing.ports import (
    GatewayRefused,
    GatewayUnknown,
    PaymentGateway,
    RefundState,
    RefundStatus,
    TradeState,
    TradeStatus,
)
from backend.wechat.pay import WeChatPayGateway
from tests.contract.wechat.sandbox_process import Receiver, Sandbox

# Signatures are checked against the machine's clock, so these tests live in the present.
SOON = timedelta(minutes=15)


def open_order(gateway: PaymentGateway, number: str = "XL20261123001", fen: int = 2500) -> str:
    return gateway.create_native(
        out_trade_no=number,
        amount_fen=fen,
        description="杏林肿瘤医院-挂号费",
        expires_at=datetime.now(UTC) + SOON,
    )


def refund(
    gateway: PaymentGateway, number: str = "RF20261123001", fen: int = 2500, total: int = 2500
) -> RefundStatus:
    return gateway.refund(
        out_refund_no=number,
        out_trade_no="XL20261123001",
        amount_fen=fen,
        total_fen=total,
        reason="医生停诊",
    )


def test_an_order_is_opened_paid_and_found(gateway: WeChatPayGateway, sandbox: Sandbox) -> None:
    code_url = open_order(gateway)
    assert code_url.startswith("weixin://wxpay/bizpayurl?pr=")
    unpaid = gateway.query("XL20261123001")
    assert unpaid == TradeStatus("XL20261123001", TradeState.NOT_PAID, 2500)
    before = datetime.now(UTC).replace(microsecond=0)
    answer = sandbox.pay(code_url)
    assert answer["state"] == "SUCCESS"
    assert answer["amount_fen"] == 2500
    paid = gateway.query("XL20261123001")
    assert paid.state is TradeState.SUCCESS
    assert paid.amount_fen == 2500
    assert paid.transaction_id == answer["transaction_id"]
    assert len(answer["transaction_id"]) == 28
    assert paid.paid_at is not None
    assert before <= paid.paid_at <= datetime.now(UTC)
    assert paid.paid_at.tzinfo is UTC


def test_the_same_order_again_is_the_same_order(gateway: WeChatPayGateway) -> None:
    expires_at = datetime.now(UTC) + SOON
    answers = {
        gateway.create_native(
            out_trade_no="XL20261123001", amount_fen=1, description="挂号费", expires_at=expires_at
        )
        for _ in range(2)
    }
    assert len(answers) == 1


def test_another_amount_under_the_same_number_is_refused(gateway: WeChatPayGateway) -> None:
    open_order(gateway, fen=2500)
    with pytest.raises(GatewayRefused) as refusal:
        open_order(gateway, fen=2600)
    assert refusal.value.code == "OUT_TRADE_NO_USED"


def test_a_number_no_platform_takes_is_refused(gateway: WeChatPayGateway) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        open_order(gateway, number="短号")
    assert refusal.value.code == "PARAM_ERROR"


def test_a_long_description_is_cut_not_refused(gateway: WeChatPayGateway, sandbox: Sandbox) -> None:
    gateway.create_native(
        out_trade_no="XL20261123001",
        amount_fen=1,
        description="药" * 200,
        expires_at=datetime.now(UTC) + SOON,
    )
    assert sandbox.get("/sandbox/orders")["orders"][0]["description"] == "药" * 127


def test_an_expiry_without_a_zone_is_a_programming_error(gateway: WeChatPayGateway) -> None:
    with pytest.raises(ValueError, match="timezone"):
        gateway.create_native(
            out_trade_no="XL20261123001",
            amount_fen=1,
            description="挂号费",
            expires_at=datetime(2026, 11, 23, 9, 30),  # noqa: DTZ001
        )


def test_an_unknown_order_is_not_found(gateway: WeChatPayGateway) -> None:
    assert gateway.query("XL00000000") == TradeStatus("XL00000000", TradeState.NOT_FOUND)


def test_a_number_with_reserved_characters_is_asked_for_as_it_is(
    gateway: WeChatPayGateway,
) -> None:
    open_order(gateway, number="XL|2026*11-23_1")
    assert gateway.query("XL|2026*11-23_1").state is TradeState.NOT_PAID


def test_closing(gateway: WeChatPayGateway, sandbox: Sandbox) -> None:
    code_url = open_order(gateway)
    gateway.close("XL20261123001")
    gateway.close("XL20261123001")
    assert gateway.query("XL20261123001").state is TradeState.CLOSED
    with pytest.raises(GatewayRefused) as refusal:
        open_order(gateway)
    assert refusal.value.code == "ORDER_CLOSED"
    del code_url


def test_a_paid_order_is_neither_closed_nor_opened_again(
    gateway: WeChatPayGateway, sandbox: Sandbox
) -> None:
    sandbox.pay(open_order(gateway))
    with pytest.raises(GatewayRefused) as closing:
        gateway.close("XL20261123001")
    with pytest.raises(GatewayRefused) as opening:
        open_order(gateway)
    assert (closing.value.code, opening.value.code) == ("ORDERPAID", "ORDERPAID")


def test_closing_what_never_arrived_is_refused(gateway: WeChatPayGateway) -> None:
    with pytest.raises(GatewayRefused) as refusal:
        gateway.close("XL00000000")
    assert refusal.value.code == "ORDER_NOT_EXIST"


def test_a_refund_runs_to_success_once(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay(open_order(gateway))
    first, again = refund(gateway), refund(gateway)
    assert first.state is RefundState.PROCESSING
    assert first.out_trade_no == "XL20261123001"
    assert first.refund_id == again.refund_id
    # Two notifications: the payment's, then the refund's once it is through.
    told = [gateway.parse_notification(*receiver.next()) for _ in range(2)]
    ended = gateway.query_refund("RF20261123001", "XL20261123001")
    assert ended.state is RefundState.SUCCESS
    assert ended.amount_fen == 2500
    assert ended.succeeded_at is not None
    assert ended in told
    assert gateway.query("XL20261123001").state is TradeState.REFUNDED
    assert gateway.query("XL20261123001").state.is_paid


def test_parts_are_refunded_up_to_the_whole(gateway: WeChatPayGateway, sandbox: Sandbox) -> None:
    sandbox.pay(open_order(gateway))
    refund(gateway, "RF1", 1000)
    refund(gateway, "RF2", 1500)
    with pytest.raises(GatewayRefused) as refusal:
        refund(gateway, "RF3", 1)
    assert refusal.value.code == "INVALID_REQUEST"


def test_a_refund_that_cannot_be(gateway: WeChatPayGateway, sandbox: Sandbox) -> None:
    with pytest.raises(GatewayRefused) as unknown:
        refund(gateway)
    code_url = open_order(gateway)
    with pytest.raises(GatewayRefused) as unpaid:
        refund(gateway)
    sandbox.pay(code_url)
    with pytest.raises(GatewayRefused) as wrong_total:
        refund(gateway, total=9999)
    refund(gateway, fen=100)
    with pytest.raises(GatewayRefused) as changed:
        refund(gateway, fen=200)
    codes = [e.value.code for e in (unknown, unpaid, wrong_total, changed)]
    assert codes == ["RESOURCE_NOT_EXISTS", *["INVALID_REQUEST"] * 3]


def test_an_unknown_refund_is_not_found(gateway: WeChatPayGateway) -> None:
    expected = RefundStatus("RF00000000", None, RefundState.NOT_FOUND)
    assert gateway.query_refund("RF00000000", "XL20261123001") == expected


def test_a_refund_without_money_in_the_account_is_refused(
    gateway: WeChatPayGateway, sandbox: Sandbox
) -> None:
    sandbox.pay(open_order(gateway))
    sandbox.put("/sandbox/faults", refund="not_enough", count=1)
    with pytest.raises(GatewayRefused) as refusal:
        refund(gateway)
    assert refusal.value.code == "NOT_ENOUGH"
    # The same number is used again once there is money, as the platform asks.
    assert refund(gateway).state is RefundState.PROCESSING


@pytest.mark.parametrize("mode", ["abnormal", "closed"])
def test_a_refund_may_end_badly(
    mode: str, gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay(open_order(gateway))
    receiver.next()
    sandbox.put("/sandbox/faults", refund=mode, count=1)
    refund(gateway)
    told = gateway.parse_notification(*receiver.next())
    assert told.state is RefundState(mode)
    assert gateway.query_refund("RF20261123001", "XL20261123001").state is RefundState(mode)


# --- what goes wrong on the way --------------------------------------------------------------


def test_a_lost_answer_is_unknown_and_a_query_finds_the_order_paid(
    gateway: WeChatPayGateway, sandbox: Sandbox
) -> None:
    sandbox.put("/sandbox/faults", api="lost_answer", count=1, operation="native")
    with pytest.raises(GatewayUnknown):
        open_order(gateway)
    assert gateway.query("XL20261123001").state is TradeState.NOT_PAID
    sandbox.pay(sandbox.get("/sandbox/orders")["orders"][0]["code_url"])
    assert gateway.query("XL20261123001").state is TradeState.SUCCESS


def test_a_lost_refund_answer_is_unknown_and_the_refund_happened(
    gateway: WeChatPayGateway, sandbox: Sandbox
) -> None:
    sandbox.pay(open_order(gateway))
    sandbox.put("/sandbox/faults", api="lost_answer", count=1, operation="refund")
    with pytest.raises(GatewayUnknown):
        refund(gateway)
    assert gateway.query_refund("RF20261123001", "XL20261123001").amount_fen == 2500


def test_a_timeout_is_unknown_and_a_query_finds_nothing(
    hasty_gateway: WeChatPayGateway, sandbox: Sandbox
) -> None:
    sandbox.put("/sandbox/faults", api="timeout", seconds=2, count=1, operation="native")
    with pytest.raises(GatewayUnknown, match="ReadTimeout"):
        open_order(hasty_gateway)
    assert hasty_gateway.query("XL20261123001").state is TradeState.NOT_FOUND


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("error500", "HTTP 500"),
        ("rate_limited", "HTTP 429"),
        ("bad_signature", "wrong signature"),
        ("old_timestamp", "five minutes"),
        ("signtest", "signature probe"),
    ],
)
def test_an_answer_that_says_nothing_certain_is_unknown(
    mode: str, reason: str, gateway: WeChatPayGateway, sandbox: Sandbox
) -> None:
    sandbox.pay(open_order(gateway))
    sandbox.put("/sandbox/faults", api=mode, count=1)
    with pytest.raises(GatewayUnknown, match=reason):
        gateway.query("XL20261123001")
    assert gateway.query("XL20261123001").state is TradeState.SUCCESS


def test_nobody_there_is_unknown(gateway: WeChatPayGateway, sandbox: Sandbox) -> None:
    # Port 9 of loopback (discard) is never served here.
    from dataclasses import replace

    away = WeChatPayGateway(replace(sandbox.config(), base_url="http://127.0.0.1:9"))
    with pytest.raises(GatewayUnknown, match="ConnectionError"):
        away.query("XL20261123001")


def test_a_wrong_merchant_key_is_refused_for_good(sandbox: Sandbox) -> None:
    from dataclasses import replace

    stranger = WeChatPayGateway(replace(sandbox.config(), serial_no="00" * 20))
    with pytest.raises(GatewayRefused) as refusal:
        stranger.query("XL20261123001")
    assert refusal.value.code == "SIGN_ERROR"


def test_our_own_wrong_clock_believes_nobody(sandbox: Sandbox) -> None:
    late = WeChatPayGateway(
        sandbox.config(), now=lambda: datetime.now(UTC) + timedelta(minutes=5, seconds=30)
    )
    with pytest.raises(GatewayUnknown, match="five minutes"):
        open_order(late)


def test_secrets_do_not_show(sandbox: Sandbox) -> None:
    config = sandbox.config()
    assert config.apiv3_key not in repr(config)
    assert "PRIVATE" not in repr(config)
