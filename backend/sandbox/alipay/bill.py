"""Alipay's daily trade bill: a ZIP with the day's lines and their summary, both CSV in GBK.

Source: Alipay open platform, "查询对账单下载地址" (bill type trade): one line a payment (交易, by when it was
paid) or refund (退款, negative, by when the money was back), comments led by ``#``, the refund's own number
under 退款批次号/请求号. The file of a day appears at about nine the next morning (of a day without a trade,
too: one without lines); until then the answer is isp.bill_not_exist. Its address is good for half a minute.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import secrets
import sqlite3
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backend.sandbox.alipay import wire
from backend.sandbox.alipay.trade import BUYER_LOGON, AlipayError
from backend.sandbox.trade import order_number

HEADER = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
    "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,"
    "券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
SUMMARY_HEADER = (
    "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,"
    "卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）"
)
PUBLISHED_AT = dt.time(9, 0)
ADDRESS_SECONDS = 30.0
_TOKEN = re.compile(r"[0-9a-f]{32}")
_ROWS = """
SELECT paid_at AS at, created_at, transaction_id, out_trade_no, description, total AS fen, '' AS request_no
  FROM alipay_orders WHERE paid_at >= :first AND paid_at < :after
UNION ALL
SELECT r.settle_at, o.created_at, o.transaction_id, o.out_trade_no, o.description, -r.amount, r.out_request_no
  FROM alipay_refunds r JOIN alipay_orders o USING (out_trade_no)
 WHERE r.settle_at >= :first AND r.settle_at < :after
ORDER BY at
"""


class _GbkName(zipfile.ZipInfo):
    """A member whose name is written in GBK and not marked as Unicode, as Alipay's are."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - the library's hook
        return self.filename.encode("gbk"), self.flag_bits


def make_bill(
    db: sqlite3.Connection,
    seller_id: str,
    folder: Path,
    content: Mapping[str, Any],
    *,
    now: float,
    fault: str = "normal",
) -> str:
    """Write the bill of a day; its token. AlipayError for another type, no date, or before it is published."""
    if content.get("bill_type") != "trade":
        raise AlipayError("isv.invalid-arguments", "参数有误：bill_type")
    try:
        day = dt.date.fromisoformat(str(content.get("bill_date")))
    except ValueError as error:
        raise AlipayError("isv.invalid-arguments", "参数有误：bill_date") from error
    published = dt.datetime.combine(day + dt.timedelta(days=1), PUBLISHED_AT, tzinfo=wire.CHINA)
    if now < published.timestamp():
        raise AlipayError("isp.bill_not_exist", "账单不存在")
    first = dt.datetime.combine(day, dt.time.min, tzinfo=wire.CHINA).timestamp()
    rows = list(_wronged(db, first, fault))
    account = f"{seller_id}0156"
    span = (
        f"#账号：[{account}]\r\n#起始日期：[{day:%Y年%m月%d日} 00:00:00]"
        f"   终止日期：[{day + dt.timedelta(days=1):%Y年%m月%d日} 00:00:00]\r\n"
    )
    made = f"#导出时间：[{dt.datetime.fromtimestamp(now, wire.CHINA):%Y年%m月%d日 %H:%M:%S}]\r\n"
    stem = f"{account}_{day:%Y%m%d}_业务明细"
    folder.mkdir(exist_ok=True, mode=0o700)
    token = secrets.token_hex(16)
    with zipfile.ZipFile(folder / f"{token}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            (f"{stem}.csv", f"#支付宝业务明细查询\r\n{span}{_details(rows)}{made}"),
            (f"{stem}(汇总).csv", f"#支付宝业务汇总查询\r\n{span}{_summary(rows)}{made}"),
        ):
            archive.writestr(_GbkName(name), text.encode("gbk"), zipfile.ZIP_DEFLATED)
    return token


def find_bill(folder: Path, token: str) -> Path | None:
    """The file behind a download address, for as long as the address is good."""
    path = folder / f"{token}.zip"
    if not _TOKEN.fullmatch(token) or not path.is_file():
        return None
    return path if time.time() - path.stat().st_mtime < ADDRESS_SECONDS else None


def _wronged(db: sqlite3.Connection, first: float, fault: str) -> Iterator[dict[str, Any]]:
    """The day's rows, with what the fault does to them: drop_row, extra_row, wrong_amount."""
    rows = [dict(row) for row in db.execute(_ROWS, {"first": first, "after": first + 86400.0})]
    if fault == "wrong_amount" and rows:
        rows[0]["fen"] += 1 if rows[0]["fen"] > 0 else -1
    yield from rows[1:] if fault == "drop_row" else rows
    if fault == "extra_row":
        at = first + 43200.0
        yield {
            "at": at,
            "created_at": at,
            "transaction_id": order_number("", at, 28),
            "out_trade_no": order_number("STRANGER", at, 28),
            "description": "门诊费用",
            "fen": 8800,
            "request_no": "",
        }


def _details(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text)
    for row in rows:
        is_refund, amount = row["request_no"] != "", _yuan(row["fen"])
        table.writerow(
            (
                *(f"{row['transaction_id']}\t", f"{row['out_trade_no']}\t"),
                *("退款" if is_refund else "交易", row["description"]),
                *(wire.beijing(row["created_at"]), wire.beijing(row["at"]), "", "", "", ""),
                *(BUYER_LOGON, amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", ""),
                *("0.00", "0.00", f"{row['request_no']}\t" if is_refund else ""),
                *(_yuan(_fee(row["fen"])), "0.00", ""),
            )
        )
    back = [-row["fen"] for row in rows if row["fen"] < 0]
    paid = [row["fen"] for row in rows if row["fen"] > 0]
    line = "-" * 40
    return (
        f"#{line}业务明细列表{line}\r\n{HEADER}\r\n{text.getvalue()}#{line}业务明细列表结束{line}\r\n"
        f"#交易合计：{len(paid)}笔，商家实收共{_yuan(sum(paid))}元，商家优惠共0.00元\r\n"
        f"#退款合计：{len(back)}笔，商家实收退款共{_yuan(-sum(back))}元，商家优惠退款共0.00元\r\n"
    )


def _summary(rows: list[dict[str, Any]]) -> str:
    """The whole account in one line; a hospital without shops has no others."""
    net, fee = sum(row["fen"] for row in rows), sum(_fee(row["fen"]) for row in rows)
    backs = sum(row["fen"] < 0 for row in rows)
    values = ("合计", "", str(len(rows) - backs), str(backs), _yuan(net), _yuan(net))
    rest = ("0.00", "0.00", "0.00", _yuan(fee), "0.00", _yuan(net + fee))
    line = "-" * 40
    return (
        f"#{line}业务汇总列表{line}\r\n{SUMMARY_HEADER}\r\n{','.join((*values, *rest))}\r\n"
        f"#{line}业务汇总列表结束{line}\r\n"
    )


def _fee(fen: int) -> int:
    """0.6 %, taken on payments and given back on refunds."""
    return -round(fen * 6 / 1000)


def _yuan(fen: int) -> str:
    return f"-{wire.yuan(-fen)}" if fen < 0 else wire.yuan(fen)
