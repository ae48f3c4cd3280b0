"""Alipay's daily bill over the wire: published, fetched in time, proved; and what may be wrong with it."""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from backend.billing.ports import BillNotPublished, BillRowKind, GatewayRefused, GatewayUnknown
from backend.channels.alipay import AlipayGateway
from backend.channels.alipay_bill import AlipayBillSource
from backend.kernel.clock import business_date
from tests.contract.wechat.sandbox_process import Sandbox, http

DAY = 86400


def today() -> date:
    return business_date(datetime.now(UTC))


@pytest.fixture
def source(gateway: AlipayGateway) -> AlipayBillSource:
    return AlipayBillSource(gateway)


def sell(gateway: AlipayGateway, sandbox: Sandbox, number: str, fen: int) -> None:
    code = gateway.create_native(
        out_trade_no=number,
        amount_fen=fen,
        description="门诊费用",
        expires_at=datetime.now(UTC) + timedelta(minutes=15),
    )
    sandbox.pay(code)


def next_day(sandbox: Sandbox) -> None:
    sandbox.put("/sandbox/clock", offset_seconds=DAY * 2)


def test_a_bill_is_published_the_next_day_and_lists_both_ways(
    source: AlipayBillSource, gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    sell(gateway, sandbox, "XL20261123001", 2500)
    sell(gateway, sandbox, "XL20261123002", 12345678)
    gateway.refund(
        out_refund_no="RF1",
        out_trade_no="XL20261123001",
        amount_fen=1001,
        total_fen=2500,
        reason="退号",
    )
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
    paid = gateway.query("XL20261123001")
    assert (rows[0].happened_at, rows[0].channel_number) == (paid.paid_at, paid.transaction_id)
    again = source.fetch_bill(today())
    assert (again.digest, list(again.rows)) == (bill.digest, rows)


def test_a_day_without_a_trade_has_an_empty_bill(
    source: AlipayBillSource, sandbox: Sandbox
) -> None:
    next_day(sandbox)
    assert list(source.fetch_bill(today()).rows) == []


@pytest.mark.parametrize("fault", ["corrupt", "cut"])
def test_a_spoiled_download_is_never_read(
    fault: str, source: AlipayBillSource, gateway: AlipayGateway, sandbox: Sandbox
) -> None:
    sell(gateway, sandbox, "XL20261123001", 2500)
    next_day(sandbox)
    sandbox.put("/sandbox/faults", bill=fault, count=1)
    with pytest.raises(GatewayUnknown, match=r"unreadable|broke off"):
        source.fetch_bill(today())
    assert len(list(source.fetch_bill(today()).rows)) == 1


@pytest.mark.parametrize("fault", ["bad_signature", "error500", "lost_answer"])
def test_an_answer_that_cannot_be_trusted_leads_to_no_file(
    fault: str, source: AlipayBillSource, sandbox: Sandbox
) -> None:
    next_day(sandbox)
    sandbox.put("/sandbox/faults", api=fault, count=1, operation="alipay_bill")
    with pytest.raises(GatewayUnknown):
        source.fetch_bill(today())


def test_the_address_is_good_for_half_a_minute(gateway: AlipayGateway, sandbox: Sandbox) -> None:
    next_day(sandbox)
    address = gateway.find_bill(today())
    assert http("GET", address).status_code == 200
    (file,) = (sandbox.directory / "bills").glob(f"{address.rsplit('=')[-1]}.zip")
    os.utime(file, (time.time() - 31, time.time() - 31))
    assert http("GET", address).status_code == 404
    assert http("GET", f"{address}/../../alipay-platform.json").status_code == 404


def test_what_alipay_refuses(gateway: AlipayGateway) -> None:
    with pytest.raises(GatewayRefused, match="bill_not_exist"):
        gateway.find_bill(today() + timedelta(days=400))
