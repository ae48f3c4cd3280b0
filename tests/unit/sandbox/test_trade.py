"""Payment orders: what opens, what closes, what can be paid."""

from __future__ import annotations

from typing import Any

import pytest

from backend.sandbox import trade
from backend.sandbox.errors import PhoneError, PlatformError
from backend.sandbox.platform import Platform
from tests.unit.sandbox.conftest import NOW, Clock, order_body


def open_order(platform: Platform, **changes: Any) -> str:
    with platform.store.write() as db:
        return trade.create_order(
            db, platform.keys, order_body(**changes), platform.business_time(db)
        )


def state_of(platform: Platform) -> str:
    with platform.store.read() as db:
        return str(trade.find_order(db, "XL20261123001")["state"])


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mchid": "1900000002"}, "MCH_NOT_EXISTS"),
        ({"mchid": None}, "PARAM_ERROR"),
        ({"appid": "wx0000000000000000"}, "APPID_MCHID_NOT_MATCH"),
        ({"description": None}, "PARAM_ERROR"),
        ({"description": "药" * 128}, "PARAM_ERROR"),
        ({"out_trade_no": "short"}, "PARAM_ERROR"),
        ({"out_trade_no": "x" * 33}, "PARAM_ERROR"),
        ({"out_trade_no": "含中文的订单号"}, "PARAM_ERROR"),
        ({"amount": {"total": 0}}, "PARAM_ERROR"),
        ({"amount": {"total": -1}}, "PARAM_ERROR"),
        ({"amount": {"total": 25.0}}, "PARAM_ERROR"),
        ({"amount": {"total": True}}, "PARAM_ERROR"),
        ({"amount": {"total": "2500"}}, "PARAM_ERROR"),
        ({"amount": 2500}, "PARAM_ERROR"),
        ({"amount": {"total": 1, "currency": "USD"}}, "PARAM_ERROR"),
        ({"notify_url": None}, "PARAM_ERROR"),
        ({"notify_url": "ftp://127.0.0.1/x"}, "PARAM_ERROR"),
        ({"notify_url": "http://127.0.0.1/notify?x=1"}, "PARAM_ERROR"),
        ({"time_expire": "2026-11-23 下午"}, "PARAM_ERROR"),
        ({"time_expire": "2026-11-23T09:45:00"}, "PARAM_ERROR"),
        ({"time_expire": "2026-11-23T09:30:00+08:00"}, "PARAM_ERROR"),
        ({"attach": "a" * 129}, "PARAM_ERROR"),
    ],
)
def test_a_wrong_order_is_refused(changes: dict[str, Any], code: str, platform: Platform) -> None:
    with pytest.raises(PlatformError) as refusal:
        open_order(platform, **changes)
    assert refusal.value.code == code


def test_the_same_request_gives_the_same_code(platform: Platform) -> None:
    assert open_order(platform) == open_order(platform)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": {"total": 2600}},
        {"description": "别的"},
        {"notify_url": "http://127.0.0.1:9/elsewhere"},
        {"time_expire": "2026-11-23T09:50:00+08:00"},
    ],
)
def test_another_request_under_the_same_number_is_refused(
    changes: dict[str, Any], platform: Platform
) -> None:
    open_order(platform)
    with pytest.raises(PlatformError) as refusal:
        open_order(platform, **changes)
    assert refusal.value.code == "OUT_TRADE_NO_USED"


def test_a_paid_order_says_so_everywhere(platform: Platform) -> None:
    code_url = open_order(platform)
    paid = platform.pay(code_url)
    assert paid["state"] == "SUCCESS"
    assert paid["transaction_id"].startswith("42000020261123")
    with pytest.raises(PlatformError, match="ORDERPAID"):
        open_order(platform)
    with platform.store.write() as db, pytest.raises(PlatformError, match="ORDERPAID"):
        trade.close_order(db, "XL20261123001")
    with pytest.raises(PhoneError) as refusal:
        platform.pay(code_url)
    assert refusal.value.code == "order_paid"


def test_the_query_answers_as_documented(platform: Platform) -> None:
    platform.pay(open_order(platform, attach="inv-1"))
    with platform.store.read() as db:
        row = trade.find_order(db, "XL20261123001")
    assert trade.order_json(row, platform.keys) == {
        "mchid": "1900000001",
        "appid": "wx0123456789abcdef",
        "out_trade_no": "XL20261123001",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "amount": {
            "total": 2500,
            "currency": "CNY",
            "payer_total": 2500,
            "payer_currency": "CNY",
        },
        "promotion_detail": [],
        "attach": "inv-1",
        "transaction_id": row["transaction_id"],
        "trade_type": "NATIVE",
        "bank_type": "OTHERS",
        "success_time": "2026-11-23T09:30:00+08:00",
        "payer": {"openid": trade.PAYER_OPENID},
    }


def test_after_its_time_nobody_pays_but_the_order_stays_open(
    platform: Platform, clock: Clock
) -> None:
    code_url = open_order(platform)
    clock.now = NOW + 15 * 60
    with pytest.raises(PhoneError) as refusal:
        platform.pay(code_url)
    assert refusal.value.code == "code_expired"
    assert state_of(platform) == "NOTPAY"


def test_the_business_clock_moves_expiry_too(platform: Platform) -> None:
    code_url = open_order(platform)
    platform.set_clock_offset(15 * 60)
    with pytest.raises(PhoneError, match="code_expired"):
        platform.pay(code_url)


def test_a_closed_order_cannot_be_paid(platform: Platform) -> None:
    code_url = open_order(platform)
    with platform.store.write() as db:
        trade.close_order(db, "XL20261123001")
    with pytest.raises(PhoneError) as refusal:
        platform.pay(code_url)
    assert refusal.value.code == "order_closed"
    assert state_of(platform) == "CLOSED"


@pytest.mark.parametrize(
    "text", ["", "weixin://wxpay/bizpayurl?pr=unknown", "https://example.com", "XL-TICKET-1"]
)
def test_another_code_is_not_a_payment(text: str, platform: Platform) -> None:
    with pytest.raises(PhoneError) as refusal:
        platform.pay(text)
    assert refusal.value.code == "unknown_code"


def test_the_token_alone_is_not_a_code(platform: Platform) -> None:
    token = open_order(platform).removeprefix(trade.CODE_URL_PREFIX)
    with pytest.raises(PhoneError, match="unknown_code"):
        platform.pay(token)
