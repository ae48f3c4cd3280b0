"""Alipay's bill against literal files: what is read, and every way in which an archive is not believed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from backend.billing.ports import (
    BillNotPublished,
    BillRow,
    BillRowKind,
    GatewayRefused,
    GatewayUnknown,
)
from backend.channels.alipay_bill import AlipayBillSource, prove, read_rows

SELLER = "2088102146225135"
DAY = date(2026, 11, 23)
#: A real bill's layout: tabs behind numbers, a quoted product, full-width brackets, a part refund.
DETAIL = (
    "#支付宝业务明细查询\r\n"
    "#账号：[20881021462251350156]\r\n"
    "#起始日期：[2026年11月23日 00:00:00]   终止日期：[2026年11月24日 00:00:00]\r\n"
    "#-----------------------------------------业务明细列表----------------------------------------\r\n"
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,"
    "卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n"
    '2026112322001401\t,XL001\t,交易    ,"挂号费, 专家",2026-11-23 09:29:58,2026-11-23 09:30:05,,,,,ab***@163.com,'
    "25.00,25.00,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,,-0.15,0.00,\r\n"
    "2026112222001400\t,XL000\t,退款    ,挂号费,2026-11-22 08:00:00,2026-11-23 10:00:00,,,,,ab***@163.com,"
    "-12.50,-12.50,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,RF001\t,0.08,0.00,退号\r\n"
    "#-----------------------------------------业务明细列表结束------------------------------------\r\n"
    "#交易合计：1笔，商家实收共25.00元，商家优惠共0.00元\r\n"
    "#退款合计：1笔，商家实收退款共-12.50元，商家优惠退款共0.00元\r\n"
    "#导出时间：[2026年11月24日 09:10:11]\r\n"
)
SUMMARY = (
    "#支付宝业务汇总查询\r\n"
    "#账号：[20881021462251350156]\r\n"
    "#-----------------------------------------业务汇总列表----------------------------------------\r\n"
    "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,"
    "卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）\r\n"
    "合计,,1,1,12.50,12.50,0.00,0.00,0.00,-0.07,0.00,12.43\r\n"
    "#-----------------------------------------业务汇总列表结束------------------------------------\r\n"
)
NAMES = ("2088_20261123_业务明细.csv", "2088_20261123_业务明细(汇总).csv")


def packed(
    detail: str = DETAIL, summary: str = SUMMARY, names: tuple[str, ...] = NAMES
) -> io.BytesIO:
    """The two files in an archive, the summary first."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in reversed(list(zip(names, (detail, summary), strict=False))):
            archive.writestr(name, text.encode("gbk"))
    file.seek(0)
    return file


def check(file: io.BytesIO) -> str:
    return prove(file, seller_id=SELLER, day=DAY)


def test_the_literal_layout_is_understood() -> None:
    file = packed()
    check(file)
    assert list(read_rows(file)) == [
        BillRow(
            BillRowKind.PAYMENT,
            "XL001",
            "XL001",
            2500,
            "2026112322001401",
            datetime(2026, 11, 23, 1, 30, 5, tzinfo=UTC),
        ),
        BillRow(
            BillRowKind.REFUND,
            "RF001",
            "XL000",
            1250,
            "2026112222001400",
            datetime(2026, 11, 23, 2, tzinfo=UTC),
        ),
    ]
    assert file.closed


def test_the_digest_is_of_the_lines_and_not_of_when_they_were_exported() -> None:
    later = DETAIL.replace("09:10:11", "17:00:00")
    other = DETAIL.replace("-12.50,-12.50", "-12.50,-12.40")
    assert check(packed(later)) == check(packed()) != check(packed(other))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[2088102146225135", "[2088000000000000", "another merchant"),
        ("起始日期：[2026年11月23日", "起始日期：[2026年11月22日", "another day"),
        ("25.00,25.00", "25.01,25.00", "summary"),
        ("XL001\t,交易", "XL001\t,转账", "unreadable"),
        ("-12.50,-12.50", "12.50,12.50", "unreadable"),
        ("25.00,25.00", "-25.00,25.00", "unreadable"),
        ("25.00,25.00", "25.001,25.00", "unreadable"),
        ("RF001\t", "", "unreadable"),
        ("XL001\t,", ",", "unreadable"),
        ("09:30:05", "25:30:05", "unreadable"),
        (",退号", "", "unreadable"),
        ("商户订单号", "订单号", "unreadable"),
        ('"挂号费, 专家"', '"挂号费, 专家', "unreadable"),
    ],
)
def test_lines_that_cannot_be_believed(old: str, new: str, why: str) -> None:
    text = DETAIL.replace(old, new)
    assert text != DETAIL
    with pytest.raises(GatewayUnknown, match=why):
        check(packed(text))


def test_a_missing_line_is_noticed() -> None:
    lines = [line for line in DETAIL.splitlines(keepends=True) if "RF001" not in line]
    with pytest.raises(GatewayUnknown, match="summary"):
        check(packed("".join(lines)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("合计,,1,1,12.50", "合计,,2,1,12.50"),
        ("合计,,1,1,12.50", "合计,,1,0,12.50"),
        ("合计,,1,1,12.50", "合计,,1,1,37.50"),
        ("合计,,1,1,12.50", "合计,,1,1,-12.50"),
        ("合计,", "一店,"),
        ("合计,,1,1", "合计,,一,1"),
    ],
)
def test_a_summary_that_says_otherwise(old: str, new: str) -> None:
    assert old in SUMMARY
    with pytest.raises(GatewayUnknown, match=r"summary|unreadable"):
        check(packed(summary=SUMMARY.replace(old, new)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace("挂号费".encode("gbk"), "挂号货".encode("gbk"), 1),
        lambda _: packed(names=NAMES[:1]).getvalue(),
        lambda _: packed(names=("a.csv", "b.csv")).getvalue(),
        lambda _: packed(names=(NAMES[0], "又一份业务明细.csv")).getvalue(),
    ],
    ids=["empty", "cut", "crc", "no summary", "other files", "two of a kind"],
)
def test_an_archive_that_is_no_bill(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(GatewayUnknown, match="unreadable"):
        check(io.BytesIO(spoil(packed().getvalue())))


def source(answer: Any, now: datetime) -> AlipayBillSource:
    """A source whose gateway answers with an address, or refuses by that code."""

    def find_bill(day: date) -> str:
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    config = SimpleNamespace(
        gateway="https://openapi.alipay.com/gateway.do", seller_id=SELLER, timeout_seconds=1.0
    )
    gateway: Any = SimpleNamespace(find_bill=find_bill, config=config)
    return AlipayBillSource(gateway, now=lambda: now)


def test_no_bill_is_not_yet_and_in_the_evening_nothing() -> None:
    refusal = GatewayRefused("isp.bill_not_exist", "账单不存在")
    morning = datetime(2026, 11, 24, 1, tzinfo=UTC)
    assert source(refusal, morning).published_from(DAY) == morning
    with pytest.raises(BillNotPublished):
        source(refusal, morning + timedelta(hours=11)).fetch_bill(DAY)
    empty = source(refusal, morning + timedelta(hours=12)).fetch_bill(DAY)
    assert list(empty.rows) == []


def test_another_refusal_stays_one() -> None:
    refusal = GatewayRefused("isv.invalid-arguments", "参数有误")
    with pytest.raises(GatewayRefused):
        source(refusal, datetime.now(UTC)).fetch_bill(DAY)


@pytest.mark.parametrize(
    "address",
    [
        "http://dwbillcenter.alipay.com/downloadBillFile.resource?fileId=1",
        "https://alipay.com.evil.example/downloadBillFile.resource",
        "https://evilalipay.com/",
        "http://127.0.0.1:9/downloadBillFile.resource",
        "file:///etc/passwd",
        "",
    ],
)
def test_only_alipays_own_addresses_are_followed(address: str) -> None:
    with pytest.raises(GatewayUnknown, match="not Alipay's"):
        source(address, datetime.now(UTC)).fetch_bill(DAY)
