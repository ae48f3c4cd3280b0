"""The platform's daily trade bill: what was paid and refunded on a day, as the CSV file merchants fetch.

Source: WeChat Pay API v3, "申请交易账单" and "下载账单" (bill type ALL): a header line, one line a payment
(dated by its payment) or refund (dated by when it was accepted), every field behind a backtick, then
a header and a line of totals. The file of a day appears at about ten the next morning.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backend.sandbox.errors import PlatformError
from backend.sandbox.keys import PlatformKeys
from backend.sandbox.trade import CHINA, PAYER_OPENID, order_number

HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
TOTALS_HEADER = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
PUBLISHED_AT = dt.time(10, 0)
KEPT_DAYS = 90
#: Tenths of a per mille: 0.60 %.
FEE_RATE = 60
_TOKEN = re.compile(r"[0-9a-f]{32}")
#: What a refund's state is called in the bill; a closed refund never happened and is left out.
_REFUND_WORDS = {"SUCCESS": "SUCCESS", "PROCESSING": "PROCESSING", "ABNORMAL": "CHANGE"}
_ROWS = """
SELECT o.paid_at AS at, o.transaction_id, o.out_trade_no, o.description, o.attach, o.total,
       NULL AS refund_id, NULL AS out_refund_no, 0 AS refund, NULL AS status
  FROM orders o WHERE o.paid_at >= :first AND o.paid_at < :after
UNION ALL
SELECT r.created_at, o.transaction_id, o.out_trade_no, o.description, o.attach, o.total,
       r.refund_id, r.out_refund_no, r.amount, r.status
  FROM refunds r JOIN orders o ON o.out_trade_no = r.out_trade_no
 WHERE r.created_at >= :first AND r.created_at < :after AND r.status <> 'CLOSED'
ORDER BY at
"""


@dataclass(frozen=True, slots=True)
class BillFile:
    """A bill ready to be fetched."""

    token: str
    sha1: str


@dataclass
class _Totals:
    count: int = 0
    total: int = 0
    refunded: int = 0
    fee: int = 0
    lines: list[str] = field(default_factory=list)


def make_bill(
    db: sqlite3.Connection,
    keys: PlatformKeys,
    folder: Path,
    *,
    bill_date: str,
    bill_type: str,
    now: float,
    fault: str = "normal",
) -> BillFile:
    """Write the bill of a day and say where it is.

    PARAM_ERROR or INVALID_REQUEST for a date that has no bill, STATEMENT_CREATING until it is
    published, NO_STATEMENT_EXIST for a day without a trade. ``fault`` makes the file itself wrong:
    drop_row, extra_row, wrong_amount.
    """
    day = _day(bill_date, bill_type, now)
    first = dt.datetime.combine(day, dt.time.min, tzinfo=CHINA).timestamp()
    rows = db.execute(_ROWS, {"first": first, "after": first + 86400.0})
    folder.mkdir(exist_ok=True, mode=0o700)
    token = secrets.token_hex(16)
    path, totals, digest = folder / f"{token}.csv", _Totals(), hashlib.sha1(usedforsecurity=False)
    with path.open("wb") as file:
        for line in _lines(rows, keys, totals, fault, first):
            data = (line + "\r\n").encode()
            digest.update(data)
            file.write(data)
    if not totals.count:
        path.unlink()
        raise PlatformError("NO_STATEMENT_EXIST", "账单文件不存在")
    return BillFile(token, digest.hexdigest())


def find_bill(folder: Path, token: str) -> Path:
    """The file behind a download address; INVALID_REQUEST otherwise."""
    path = folder / f"{token}.csv"
    if not _TOKEN.fullmatch(token) or not path.is_file():
        raise PlatformError("INVALID_REQUEST", "请重新获取账单下载地址")
    return path


def _day(bill_date: str, bill_type: str, now: float) -> dt.date:
    try:
        day = dt.date.fromisoformat(bill_date)
    except ValueError as error:
        raise PlatformError("PARAM_ERROR", "bill_date 格式应为 yyyy-MM-DD") from error
    if bill_type != "ALL":
        raise PlatformError("PARAM_ERROR", "bill_type 仅支持 ALL")
    present = dt.datetime.fromtimestamp(now, CHINA)
    if not 0 <= (present.date() - day).days <= KEPT_DAYS:
        raise PlatformError("INVALID_REQUEST", "仅支持三个月内的账单下载申请")
    published = dt.datetime.combine(day + dt.timedelta(days=1), PUBLISHED_AT, tzinfo=CHINA)
    if present < published:
        raise PlatformError("STATEMENT_CREATING", "账单生成中，请在次日上午 10 点后再下载")
    return day


def _lines(
    rows: sqlite3.Cursor, keys: PlatformKeys, totals: _Totals, fault: str, first: float
) -> Iterator[str]:
    yield HEADER
    is_dropping, is_changing = fault == "drop_row", fault == "wrong_amount"
    for row in rows:
        if is_dropping:
            is_dropping = False
            continue
        yield _line(row, keys, totals, extra=1 if is_changing else 0)
        is_changing = False
    if fault == "extra_row":
        at = first + 43200.0
        number = order_number("STRANGER", at, 28)
        stranger = {
            "at": at,
            "transaction_id": order_number("420000", at, 28),
            "out_trade_no": number,
            "description": "门诊费用",
            "attach": None,
            "total": 8800,
            "refund_id": None,
            "out_refund_no": None,
            "refund": 0,
            "status": None,
        }
        yield _line(stranger, keys, totals, extra=0)
    yield TOTALS_HEADER
    amounts = [_yuan(totals.total), _yuan(totals.refunded), "0.00", _fee(totals.fee)]
    amounts += [_yuan(totals.total), _yuan(totals.refunded)]
    yield _fields(str(totals.count), *amounts)


def _line(
    row: sqlite3.Row | dict[str, object], keys: PlatformKeys, totals: _Totals, *, extra: int
) -> str:
    is_refund = row["out_refund_no"] is not None
    paid = 0 if is_refund else int(str(row["total"])) + extra
    refunded = int(str(row["refund"])) + extra if is_refund else 0
    fee = round((paid - refunded) * FEE_RATE / 10)
    totals.count += 1
    totals.total += paid
    totals.refunded += refunded
    totals.fee += fee
    moment = dt.datetime.fromtimestamp(float(str(row["at"])), CHINA)
    return _fields(
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        *(keys.appid, keys.mchid, "0", "", str(row["transaction_id"]), str(row["out_trade_no"])),
        *(PAYER_OPENID, "NATIVE", "REFUND" if is_refund else "SUCCESS", "OTHERS", "CNY"),
        *(_yuan(paid), "0.00", str(row["refund_id"] or 0), str(row["out_refund_no"] or 0)),
        *(_yuan(refunded), "0.00", "ORIGINAL" if is_refund else ""),
        *(_REFUND_WORDS[str(row["status"])] if is_refund else "", str(row["description"])),
        *(str(row["attach"] or ""), _fee(fee), "0.60%", _yuan(paid), _yuan(refunded), ""),
    )


def _fields(*values: str) -> str:
    return ",".join("`" + value for value in values)


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _fee(thousandths: int) -> str:
    """A fee in yuan with five digits, from thousandths of a fen."""
    sign, value = ("-", -thousandths) if thousandths < 0 else ("", thousandths)
    return f"{sign}{value // 100000}.{value % 100000:05d}"
