"""WeChat Pay's daily bill as a text; over the wire: `tests/contract/channels/test_platform_bills.py`."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from backend.billing.ports import (
    BillRow,
    BillRowKind,
    GatewayUnknown,
)
from backend.wechat.bills import read_rows
from backend.wechat.pay import WeChatPayGateway

#: A real bill's layout: a product name with commas, a refund on its way and one that failed.
LITERAL = (
    "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,"
    "货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,"
    "商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n"
    "`2026-11-23 09:30:05,`wx1,`19,`0,`,`4200001,`XL001,`o1,`NATIVE,`SUCCESS,`OTHERS,`CNY,`25.00,`0.00,`0,`0,"
    "`0.00,`0.00,`,`,`挂号费, 专家,`,`0.15000,`0.60%,`25.00,`0.00,`\r\n"
    "`2026-11-23 10:00:00,`wx1,`19,`0,`,`4200000,`XL000,`o1,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`503001,"
    "`RF001,`12.5,`0.00,`ORIGINAL,`PROCESSING,`挂号费,`,`-0.07500,`0.60%,`0.00,`12.5,`\r\n"
    "`2026-11-23 10:01:00,`wx1,`19,`0,`,`4200000,`XL000,`o1,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`503002,"
    "`RF002,`1.00,`0.00,`ORIGINAL,`FAIL,`挂号费,`,`-0.00600,`0.60%,`0.00,`1.00,`\r\n"
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n"
    "`3,`25.00,`13.50,`0.00,`0.06900,`25.00,`13.50\r\n"
)


def test_our_signature_goes_to_nobody_else(gateway: WeChatPayGateway) -> None:
    with pytest.raises(GatewayUnknown, match="not the platform's"):
        gateway.open_download("http://127.0.0.1:9/v3/billdownload/file?token=1")


def test_the_literal_layout_is_understood() -> None:
    rows = list(read_rows(io.BytesIO(LITERAL.encode())))
    at = datetime(2026, 11, 23, 1, 30, 5, tzinfo=UTC)
    assert rows[0] == BillRow(BillRowKind.PAYMENT, "XL001", "XL001", 2500, "4200001", at)
    assert (rows[1].number, rows[1].amount_fen, rows[1].is_final) == ("RF001", 1250, False)
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("`3,`25.00", "`4,`25.00"),
        ("`25.00,`13.50\r\n", "`25.01,`13.50\r\n"),
        ("`NATIVE,`SUCCESS", "`NATIVE,`WHAT"),
        ("`25.00,`0.00,`\r\n", "`25,00,`0.00,`\r\n"),
        ("`XL001,", ""),
        ("总交易单数", "`总交易单数"),
        ("商户订单号,", ""),
    ],
)
def test_a_bill_that_contradicts_itself_is_refused(old: str, new: str) -> None:
    text = LITERAL.replace(old, new)
    assert text != LITERAL
    with pytest.raises(GatewayUnknown, match="unreadable bill"):
        list(read_rows(io.BytesIO(text.encode())))
