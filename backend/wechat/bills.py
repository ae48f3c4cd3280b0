"""The daily trade bill of WeChat Pay: fetched, proved whole by its hash, read in constant memory.

Billing's `BillSource`. Source: WeChat Pay API v3, "申请交易账单" and "下载账单" (bill type ALL): a signed answer
names the file and its SHA-1; the file is CSV in UTF-8, every field behind a backtick, the lines in
the order of the header, then a header and a line of totals. Amounts there are yuan.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import tempfile
from collections.abc import Iterator
from typing import IO

import requests

from backend.billing.ports import (
    Bill,
    BillNotPublished,
    BillRow,
    BillRowKind,
    GatewayRefused,
    GatewayUnknown,
)
from backend.kernel.money import from_yuan
from backend.wechat.merchant import MerchantGateway
from backend.wechat.pay import CHINA, WeChatPayGateway

PIECE = 256 * 1024
PUBLISHED_AT = dt.time(10, 0)
NO_BILL = "NO_STATEMENT_EXIST"
NOT_YET = "STATEMENT_CREATING"
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
#: The columns that are read; the others may move or multiply.
_COLUMNS = (
    "交易时间",
    "微信订单号",
    "商户订单号",
    "交易状态",
    "微信退款单号",
    "商户退款单号",
    "退款状态",
    "订单金额",
    "申请退款金额",
)
_TOTALS = ("总交易单数", "订单总金额", "申请退款总金额")


class WeChatBillSource:
    """`BillSource` over the merchant's account; an answer that cannot be trusted is *unknown*."""

    channel = "wechat"

    def __init__(self, merchant: MerchantGateway | WeChatPayGateway) -> None:
        self._merchant = merchant

    def published_from(self, day: dt.date) -> dt.datetime:
        """About ten on the next morning in China."""
        wall = dt.datetime.combine(day + dt.timedelta(days=1), PUBLISHED_AT, tzinfo=CHINA)
        return wall.astimezone(dt.UTC)

    def fetch_bill(self, day: dt.date) -> Bill:
        """See the port. The file is a temporary one that is gone once its rows are read."""
        gateway = self._merchant
        if isinstance(gateway, MerchantGateway):
            gateway = gateway.open()
        path = f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL"
        try:
            answer = gateway.ask_for(path)
        except GatewayRefused as refusal:
            if refusal.code == NO_BILL:
                return Bill(hashlib.sha1(usedforsecurity=False).hexdigest(), iter(()))
            if refusal.code == NOT_YET:
                raise BillNotPublished(refusal.code) from refusal
            raise
        address, wanted = answer.get("download_url"), answer.get("hash_value")
        if answer.get("hash_type") != "SHA1" or not isinstance(address, str):
            raise GatewayUnknown("the answer names no bill")
        if not isinstance(wanted, str) or not _SHA1.fullmatch(wanted):
            raise GatewayUnknown("the answer has no hash")
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads the rows
        try:
            digest = _download(gateway, address, file)
            if not hmac.compare_digest(digest, wanted.lower()):
                raise GatewayUnknown("the bill is not the one its hash is of")
        except BaseException:
            file.close()
            raise
        return Bill(digest, read_rows(file), file.close)


def _download(gateway: WeChatPayGateway, address: str, file: IO[bytes]) -> str:
    digest = hashlib.sha1(usedforsecurity=False)
    try:
        with gateway.open_download(address) as answer:
            if answer.status_code != 200:
                raise GatewayUnknown(f"no bill: HTTP {answer.status_code}")
            for piece in answer.iter_content(PIECE):
                digest.update(piece)
                file.write(piece)
    except requests.RequestException as error:
        raise GatewayUnknown(f"the download broke off: {type(error).__name__}") from error
    file.seek(0)
    return digest.hexdigest()


def read_rows(file: IO[bytes]) -> Iterator[BillRow]:
    """The lines of a bill's file, which is closed at the end.

    GatewayUnknown when it is no bill, a line cannot be read, or the totals are not the lines' sums.
    """
    with file:
        try:
            yield from _rows(file)
        except (ValueError, IndexError, KeyError) as error:
            raise GatewayUnknown(f"unreadable bill: {type(error).__name__}") from error


def _rows(file: IO[bytes]) -> Iterator[BillRow]:
    header = file.readline().decode("utf-8-sig").strip().split(",")
    places = [header.index(name) for name in _COLUMNS]
    count = paid = refunded = 0
    for raw in file:
        line = raw.decode().rstrip("\r\n")
        if not line.startswith("`"):
            _check_totals(line, file, (count, paid, refunded))
            return
        values = line[1:].split(",`")
        if len(values) != len(header):
            raise ValueError("a line of another length than the header")
        at, trade, order, state, refund, out_refund, status, total, back = [
            values[place] for place in places
        ]
        count += 1
        happened_at = dt.datetime.fromisoformat(at).replace(tzinfo=CHINA)
        if state == "SUCCESS":
            amount = from_yuan(total)
            paid += amount
            yield BillRow(BillRowKind.PAYMENT, order, order, amount, trade, happened_at)
            continue
        if state not in ("REFUND", "REVOKED"):
            raise ValueError("a state that no bill has")
        amount = from_yuan(back)
        paid += from_yuan(total)
        refunded += amount
        if status == "FAIL":
            continue  # it never left
        number = out_refund if out_refund not in ("", "0") else order
        is_final = status == "SUCCESS" or state == "REVOKED"
        yield BillRow(BillRowKind.REFUND, number, order, amount, refund, happened_at, is_final)
    raise ValueError("no totals: the file ends too early")


def _check_totals(line: str, file: IO[bytes], counted: tuple[int, int, int]) -> None:
    names = line.split(",")
    values = file.readline().decode().rstrip("\r\n")[1:].split(",`")
    count, paid, refunded = (values[names.index(name)] for name in _TOTALS)
    if (int(count), from_yuan(paid), from_yuan(refunded)) != counted:
        raise ValueError("the totals are not the sums of the lines")
