"""A payment platform's daily bill over the wire: published, fetched, proved whole, read; once a platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from backend.billing.ports import (
    BillNotPublished,
    BillRowKind,
    BillSource,
    GatewayUnknown,
    PaymentGateway,
)
from backend.channels.alipay import AlipayConfig, AlipayGateway
from backend.channels.alipay_bill import AlipayBillSource
from backend.kernel.clock import business_date
from backend.wechat.bills import WeChatBillSource
from backend.wechat.pay import WeChatPayGateway
from tests.contract.wechat.sandbox_process import Receiver, Sandbox

DAY = 86400
#: By what name the sandbox knows the question for the bill.
QUESTIONS = {"wechat": "tradebill", "alipay": "alipay_bill"}


@dataclass(frozen=True)
class Platform:
    """A platform's gateway and its bill."""

    gateway: PaymentGateway
    source: BillSource
    sandbox: Sandbox

    def sell(self, number: str, fen: int) -> None:
        code = self.gateway.create_native(
            out_trade_no=number,
            amount_fen=fen,
            description="门诊费用",
            expires_at=datetime.now(UTC) + timedelta(minutes=15),
        )
        self.sandbox.pay(code)

    def next_day(self) -> None:
        self.sandbox.put("/sandbox/clock", offset_seconds=DAY * 2)


@pytest.fixture(params=list(QUESTIONS))
def platform(
    request: pytest.FixtureRequest, sandbox: Sandbox, receiver: Receiver, config: AlipayConfig
) -> Platform:
    if request.param == "wechat":
        wechat = WeChatPayGateway(sandbox.config(receiver.url))
        return Platform(wechat, WeChatBillSource(wechat), sandbox)
    alipay = AlipayGateway(lambda: config)
    return Platform(alipay, AlipayBillSource(alipay), sandbox)


def today() -> date:
    return business_date(datetime.now(UTC))


def test_a_bill_is_published_the_next_day_and_lists_both_ways(platform: Platform) -> None:
    gateway, source = platform.gateway, platform.source
    platform.sell("XL20261123001", 2500)
    platform.sell("XL20261123002", 12345678)
    gateway.refund(
        out_refund_no="RF1",
        out_trade_no="XL20261123001",
        amount_fen=1001,
        total_fen=2500,
        reason="退号",
    )
    with pytest.raises(BillNotPublished):
        source.fetch_bill(today())
    platform.next_day()
    bill = source.fetch_bill(today())
    rows = list(bill.rows)
    assert [(row.kind, row.number, row.out_trade_no, row.amount_fen) for row in rows] == [
        (BillRowKind.PAYMENT, "XL20261123001", "XL20261123001", 2500),
        (BillRowKind.PAYMENT, "XL20261123002", "XL20261123002", 12345678),
        (BillRowKind.REFUND, "RF1", "XL20261123001", 1001),
    ]
    assert rows[2].is_final
    paid = gateway.query("XL20261123001")
    assert (rows[0].happened_at, rows[0].channel_number) == (paid.paid_at, paid.transaction_id)
    again = source.fetch_bill(today())
    assert (again.digest, list(again.rows)) == (bill.digest, rows)


def test_a_day_without_a_trade_has_an_empty_bill(platform: Platform) -> None:
    platform.next_day()
    assert list(platform.source.fetch_bill(today()).rows) == []


@pytest.mark.parametrize("fault", ["corrupt", "cut"])
def test_a_spoiled_download_is_never_read(fault: str, platform: Platform) -> None:
    platform.sell("XL20261123001", 2500)
    platform.next_day()
    platform.sandbox.put("/sandbox/faults", bill=fault, count=1)
    with pytest.raises(GatewayUnknown, match=r"hash is of|unreadable|broke off"):
        platform.source.fetch_bill(today())
    assert len(list(platform.source.fetch_bill(today()).rows)) == 1


@pytest.mark.parametrize(
    ("platform", "fault"),
    [
        *(("wechat", mode) for mode in ("bad_signature", "signtest", "old_timestamp", "error500")),
        *(("alipay", mode) for mode in ("bad_signature", "error500", "lost_answer")),
    ],
    indirect=["platform"],
)
def test_an_answer_that_cannot_be_trusted_leads_to_no_file(fault: str, platform: Platform) -> None:
    platform.sell("XL20261123001", 2500)
    platform.next_day()
    question = QUESTIONS[platform.source.channel]
    platform.sandbox.put("/sandbox/faults", api=fault, count=1, operation=question)
    with pytest.raises(GatewayUnknown):
        platform.source.fetch_bill(today())
