"""Alipay's daily trade bill: fetched, proved as far as Alipay lets it be, read in constant memory.

Billing's `BillSource`. Source: Alipay open platform, "查询对账单下载地址" and "下载对账单" (bill type trade): a
signed answer names an address, good for half a minute, of a ZIP with two CSV files in GBK: 业务明细 (a line a
trade or refund) and 业务明细(汇总), comments in both led by ``#``. Amounts are yuan, those of refunds negative.

Alipay gives no hash of the file. What it does give is checked instead, before a row is believed: the address
came signed and leads to Alipay, the ZIP's CRC-32 of each file, account and day in the comments, and the
summary's number of trades, number of refunds and sum of 订单金额 against the lines. (A CRC finds an accident,
not a forger: against that there is the signed address, and HTTPS.)
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any
from urllib.parse import urlsplit

from backend.billing.ports import (
    Bill,
    BillNotPublished,
    BillRow,
    BillRowKind,
    GatewayRefused,
    GatewayUnknown,
)
from backend.channels import alipay_wire as wire
from backend.channels import http
from backend.channels.alipay import AlipayGateway
from backend.kernel.clock import SHANGHAI, utc_now
from backend.kernel.money import from_yuan

PUBLISHED_AT = dt.time(9, 0)
#: Alipay has one word for *not yet* and *nothing on that day*; after this it means the second.
ABSENT_BELIEVED_AFTER = dt.timedelta(hours=12)
ABSENT = "bill_not_exist"
_KINDS = {"交易": BillRowKind.PAYMENT, "退款": BillRowKind.REFUND}
#: The columns that are read; the others may move or multiply.
_COLUMNS = (
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "完成时间",
    "订单金额",
    "退款批次号/请求号",
)
_TOTALS = ("交易订单总笔数", "退款订单总笔数", "订单金额")
_BROKEN = (
    *(ValueError, LookupError, csv.Error, zipfile.BadZipFile, zlib.error),
    *(EOFError, NotImplementedError, RuntimeError),
)


class AlipayBillSource:
    """`BillSource` over Alipay's gateway; an answer that cannot be trusted is *unknown*."""

    channel = "alipay"

    def __init__(self, gateway: AlipayGateway, *, now: Callable[[], dt.datetime] = utc_now) -> None:
        self._gateway, self._now = gateway, now

    def published_from(self, day: dt.date) -> dt.datetime:
        """About nine on the next morning in China."""
        wall = dt.datetime.combine(day + dt.timedelta(days=1), PUBLISHED_AT, tzinfo=SHANGHAI)
        return wall.astimezone(dt.UTC)

    def fetch_bill(self, day: dt.date) -> Bill:
        """See the port. The file is a temporary one that is gone once its rows are read."""
        try:
            address = self._gateway.find_bill(day)
        except GatewayRefused as refusal:
            if not refusal.code.lower().endswith(ABSENT):
                raise
            if self._now() < self.published_from(day) + ABSENT_BELIEVED_AFTER:
                raise BillNotPublished(refusal.code) from refusal
            return Bill(hashlib.sha256().hexdigest(), iter(()))
        config = self._gateway.config
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads the rows
        try:
            _download(address, config.gateway, config.timeout_seconds, file)
            digest = prove(file, seller_id=config.seller_id, day=day)
        except BaseException:
            file.close()
            raise
        return Bill(digest, read_rows(file), file.close)


def _download(address: str, gateway: str, timeout: float, file: IO[bytes]) -> None:
    """The archive behind the address, which leads to Alipay and nowhere else."""
    there, ours = urlsplit(address), urlsplit(gateway)
    host = there.hostname or ""
    is_theirs = there.scheme == "https" and host.endswith(".alipay.com")
    if not is_theirs and (there.scheme, there.netloc) != (ours.scheme, ours.netloc):
        raise GatewayUnknown("the bill's address is not Alipay's")
    http.fetch_file(address, file, timeout=timeout)


def prove(file: IO[bytes], *, seller_id: str, day: dt.date) -> str:
    """Read an archive from end to end; the digest of its lines (the comments tell when it was made, and change).

    GatewayUnknown when it is no trade bill, not ours, of another day, or its lines are not what its summary says.
    """
    digest, comments = hashlib.sha256(), list[str]()
    counted = {BillRowKind.PAYMENT: 0, BillRowKind.REFUND: 0}
    net = 0
    try:
        with zipfile.ZipFile(file, metadata_encoding="gbk") as archive:
            detail, summary = _members(archive)
            for row in _rows(_lines(archive, detail, comments, digest.update)):
                counted[row.kind] += 1
                net += row.amount_fen if row.kind is BillRowKind.PAYMENT else -row.amount_fen
            totals = _totals(_lines(archive, summary, [], None))
    except _BROKEN as error:
        raise _unreadable(error) from error
    if not any(line.startswith(f"#账号：[{seller_id}") for line in comments):
        raise GatewayUnknown("the bill is another merchant's")
    if not any(f"起始日期：[{day:%Y年%m月%d日} 00:00:00]" in line for line in comments):
        raise GatewayUnknown("the bill is another day's")
    if totals != (counted[BillRowKind.PAYMENT], counted[BillRowKind.REFUND], net):
        raise GatewayUnknown("the bill's lines are not what its summary says")
    return digest.hexdigest()


def read_rows(file: IO[bytes]) -> Iterator[BillRow]:
    """The lines of an archive, which is closed at the end; GatewayUnknown when one cannot be read."""
    with file:
        try:
            with zipfile.ZipFile(file, metadata_encoding="gbk") as archive:
                detail, _summary = _members(archive)
                yield from _rows(_lines(archive, detail, [], None))
        except _BROKEN as error:
            raise _unreadable(error) from error


def _unreadable(error: Exception) -> GatewayUnknown:
    return GatewayUnknown(f"unreadable bill: {type(error).__name__}")


def _members(archive: zipfile.ZipFile) -> tuple[zipfile.ZipInfo, zipfile.ZipInfo]:
    """The two files of a trade bill: lines and summary."""
    found = [one for one in archive.infolist() if "业务明细" in one.filename]
    if len(found) != 2 or any(one.file_size > http.LARGEST for one in found):
        raise ValueError("not the two files of a trade bill")
    detail, summary = sorted(found, key=lambda one: "汇总" in one.filename)
    if "汇总" in detail.filename or "汇总" not in summary.filename:
        raise ValueError("not the two files of a trade bill")
    return detail, summary


def _lines(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    comments: list[str],
    note: Callable[[bytes], object] | None,
) -> Iterator[str]:
    """A file's lines without its comments, which go to ``comments``; read to the end, where its CRC is checked."""
    with archive.open(member) as raw, io.TextIOWrapper(raw, "gb18030", newline="") as text:
        for line in text:
            if line.startswith("#"):
                comments.append(line.rstrip())
                continue
            if note is not None:
                note(line.encode())
            yield line


def _rows(lines: Iterator[str]) -> Iterator[BillRow]:
    for given in _table(lines, _COLUMNS):
        trade_no, order, word, at, amount, request_no = given
        kind = _KINDS.get(word)
        if kind is None or not order:
            raise ValueError("a line that no bill has")
        is_refund = kind is BillRowKind.REFUND
        if is_refund and not (request_no and amount.startswith("-")):
            raise ValueError("no refund")
        yield BillRow(
            kind,
            request_no if is_refund else order,
            order,
            from_yuan(amount.removeprefix("-") if is_refund else amount),
            trade_no,
            wire.from_beijing(at),
        )


def _totals(lines: Iterator[str]) -> tuple[int, int, int]:
    """Trades, refunds and the net sum in fen, from the summary's line 合计 (the others are its shops')."""
    (found,) = [rest for first, *rest in _table(lines, ("门店编号", *_TOTALS)) if first == "合计"]
    trades, refunds, amount = found
    sign = -1 if amount.startswith("-") else 1
    return int(trades), int(refunds), sign * from_yuan(amount.removeprefix("-"))


def _table(lines: Iterator[str], columns: tuple[str, ...]) -> Iterator[list[str]]:
    """The values of these columns, line by line; Alipay pads fields with tabs and blanks."""
    table = csv.reader(lines, strict=True)
    header = [_bare(name) for name in next(table, list[str]())]
    places = [header.index(name) for name in columns]
    for values in table:
        if len(values) != len(header):
            raise ValueError("a line of another length than the header")
        yield [values[place].strip() for place in places]


def _bare(name: Any) -> str:
    """A column's name without its unit, which is written with either kind of brackets."""
    return str(name).strip().replace("（", "(").replace("）", ")").removesuffix("(元)")
