"""Notifications as the running platform sends them, true and forged, through the gateway."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from backend.billing.ports import ForgedNotification, TradeState, TradeStatus
from backend.wechat.pay import WeChatPayGateway
from tests.contract.wechat.sandbox_process import Receiver, Sandbox

NUMBER = "XL20261123001"


def open_order(gateway: WeChatPayGateway, number: str = NUMBER) -> str:
    return gateway.create_native(
        out_trade_no=number,
        amount_fen=2500,
        description="挂号费",
        expires_at=datetime.now(UTC) + timedelta(minutes=15),
    )


def test_a_payment_is_told_as_the_query_says_it(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay(open_order(gateway))
    told = gateway.parse_notification(*receiver.next())
    assert told == gateway.query(NUMBER)
    assert isinstance(told, TradeStatus)
    assert told.state is TradeState.SUCCESS


def test_header_names_are_matched_in_any_case(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay(open_order(gateway))
    headers, body = receiver.next()
    shouted = {name.upper(): value for name, value in headers.items()}
    whispered = {name.lower(): value for name, value in headers.items()}
    first = gateway.parse_notification(shouted, body)
    assert first == gateway.parse_notification(whispered, body)


@pytest.mark.parametrize(
    ("forgery", "reason"),
    [
        ("signature", "wrong signature"),
        ("signtest", "signature probe"),
        ("timestamp", "five minutes"),
        ("serial", "unknown key serial"),
        ("cipher", "nothing readable"),
    ],
)
def test_a_forged_claim_about_an_unpaid_order_is_not_believed(
    forgery: str, reason: str, gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    open_order(gateway)
    sandbox.post("/sandbox/forge", out_trade_no=NUMBER, forgery=forgery)
    with pytest.raises(ForgedNotification, match=reason):
        gateway.parse_notification(*receiver.next())
    assert gateway.query(NUMBER).state is TradeState.NOT_PAID


def test_an_amount_that_differs_is_told_as_it_is(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    # Rightly signed, so the gateway passes it on; billing compares it with the invoice.
    sandbox.put("/sandbox/faults", notification="forge", forgery="amount", count=1)
    sandbox.pay(open_order(gateway))
    told = gateway.parse_notification(*receiver.next())
    assert told.amount_fen == 2501
    assert gateway.query(NUMBER).amount_fen == 2500


def test_a_recorded_notification_is_not_believed_later(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay(open_order(gateway))
    recorded = receiver.next()
    gateway.parse_notification(*recorded)
    later = WeChatPayGateway(
        sandbox.config(), now=lambda: datetime.now(UTC) + timedelta(minutes=5, seconds=30)
    )
    with pytest.raises(ForgedNotification, match="five minutes"):
        later.parse_notification(*recorded)


def test_one_changed_byte_is_not_believed(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.pay(open_order(gateway))
    headers, body = receiver.next()
    for changed in (body.replace(b"EV-", b"EW-"), body + b" ", b"", b"\xff\xfe"):
        with pytest.raises(ForgedNotification):
            gateway.parse_notification(headers, changed)


def test_without_headers_nothing_is_believed(gateway: WeChatPayGateway) -> None:
    with pytest.raises(ForgedNotification):
        gateway.parse_notification({}, json.dumps({"event_type": "TRANSACTION.SUCCESS"}).encode())


def test_another_merchants_notification_is_not_believed(
    gateway: WeChatPayGateway, sandbox: Sandbox, receiver: Receiver
) -> None:
    from dataclasses import replace

    sandbox.pay(open_order(gateway))
    received = receiver.next()
    config = sandbox.config()
    for other in (replace(config, mchid="1900000000"), replace(config, appid="wx0")):
        with pytest.raises(ForgedNotification, match="another"):
            WeChatPayGateway(other).parse_notification(*received)
