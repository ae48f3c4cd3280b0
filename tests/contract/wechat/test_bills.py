"""The daily bill, over the wire: published, fetched, proved whole, read; and what may be wrong with it."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta

import pytest

from backend.billing.ports import (
    BillNotPublished,
    BillRow,
    BillRowKind,
    GatewayUnknown,
)
from backend.kernel.clock import business_date
from backend.wechat.bills import WeChatBillSource, read_rows
from backend.wechat.pay import WeChatPayGateway
from tests.contract.wechat.sandbox_process import Sandbox

DAY = 86400
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


def today() -> date:
    return business_date(datetime.now(UTC))


@pytest.fixture
def source(gateway: WeChatPayGateway) -> WeChatBillSource:
    return WeChatBillSource(gateway)


def sell(gateway: WeChatPayGateway, sandbox: Sandbox, number: str, fen: int) -> None:
    code = gateway.create_native(
        out_trade_no=number,
        amount_fen=fen,
        description="门诊费用",
        expires_at=datetime.now(UTC) + timedelta(minutes=15),
    )
    sandbox.pay(code)


def give_back(gateway: WeChatPayGateway, number: str, order: str, fen: int, total: int) -> None:
    gateway.refund(
        out_refund_no=number, out_trade_no=order, amount_fen=fen, total_fen=total, reason="退号"
    )


def next_day(sandbox: Sandbox) -> None:
    sandbox.put("/sandbox/clock", offset_seconds=DAY * 2)


def test_a_bill_is_published_the_next_day_and_lists_both_ways(
    source: WeChatBillSource, gateway: WeChatPayGateway, sandbox: Sandbox
) -> None:
    sell(gateway, sandbox, "XL20261123001", 2500)
    sell(gateway, sandbox, "XL20261123002", 12345678)
    give_back(gateway, "RF1", "XL20261123001", 1001, 2500)
    with pytest.raises(BillNotPublished):
        source.fetch_bill(today())
    next_day(sandbox)
    bill = source.fetch_bill(today())
    rows = list(bill.rows)
    assert [(row.kind, row.number, row.out_trade_no, row.amount_fen) for row in rows] == [
        (BillRowKind.PAYMENT, "XL20261123001", "XL20261123001", 2500),
        (BillRowKind.PAYMENT, "XL20261123002", "XL20261123002", 12345678),
        (BillRowKind.REFUND, "RF1", "XL20261123001", 1001),
    ]
    assert rows[2].is_final
    paid_at = gateway.query("XL20261123001").paid_at
    assert rows[0].happened_at == paid_at
    again = source.fetch_bill(today())
    assert again.digest == bill.digest
    assert list(again.rows) == rows


def test_a_day_without_a_trade_has_an_empty_bill(
    source: WeChatBillSource, sandbox: Sandbox
) -> None:
    next_day(sandbox)
    assert list(source.fetch_bill(today()).rows) == []


@pytest.mark.parametrize(
    ("fault", "why"), [("corrupt", "hash is of"), ("cut", "broke off|hash is of")]
)
def test_a_spoiled_download_is_never_read(
    fault: str, why: str, source: WeChatBillSource, gateway: WeChatPayGateway, sandbox: Sandbox
) -> None:
    sell(gateway, sandbox, "XL20261123001", 2500)
    next_day(sandbox)
    sandbox.put("/sandbox/faults", bill=fault, count=1)
    with pytest.raises(GatewayUnknown, match=why):
        source.fetch_bill(today())
    assert len(list(source.fetch_bill(today()).rows)) == 1


@pytest.mark.parametrize("fault", ["bad_signature", "signtest", "old_timestamp", "error500"])
def test_an_answer_that_cannot_be_trusted_leads_to_no_file(
    fault: str, source: WeChatBillSource, gateway: WeChatPayGateway, sandbox: Sandbox
) -> None:
    sell(gateway, sandbox, "XL20261123001", 2500)
    next_day(sandbox)
    sandbox.put("/sandbox/faults", api=fault, count=1, operation="tradebill")
    with pytest.raises(GatewayUnknown):
        source.fetch_bill(today())


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
