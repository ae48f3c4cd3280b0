"""The acquirer's daily file of card transactions: fetched, proved whole by its trailer, read in constant memory.

Billing's `BillSource`. What is simplified: every acquirer has a layout and a way of delivery of its own (mostly
SFTP); this one is a plain file over HTTPS for a token, and a day is a calendar day, without the acquirer's
cut-off in the evening and without fees. The layout, ASCII, a record a line, fields between ``|``::

    H|merchant|yyyymmdd
    D|S (sale) or R (refund)|terminal|batch|STAN|RRN|approval code|masked card|fen|yyyymmddHHMMSS|RRN of the sale
    T|records|fen of the sales|fen of the refunds|SHA-256 of everything before this line

What was declined or reversed is not in it. A line is named by terminal, batch and trace number, by which both
sides know a message even when its answer was lost; billing puts our number in its place
(`services.card_bills`). Card numbers, masked as they are, are not read. The hash finds an accident; that
the file is the bank's is HTTPS's word.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import tempfile
from collections.abc import Iterator
from typing import IO
from urllib.parse import urlsplit

from backend.billing.ports import (
    Bill,
    BillNotPublished,
    BillRow,
    BillRowKind,
    GatewayRefused,
    GatewayUnknown,
)
from backend.channels import http
from backend.channels.bank_card import BankCardGateway
from backend.kernel.clock import SHANGHAI

PUBLISHED_AT = dt.time(8, 30)
SECONDS = 15.0
#: No record is longer.
LONGEST_LINE = 512
_DETAIL = re.compile(
    r"D\|(?P<kind>[SR])\|(?P<terminal>[0-9A-Z]{8})\|(?P<batch>\d{6})\|(?P<stan>\d{6})\|(?P<rrn>[0-9A-Z]{12})"
    r"\|[0-9A-Z]{0,6}\|[0-9*]{0,19}\|(?P<fen>\d{12})\|(?P<at>\d{14})\|(?P<sale>[0-9A-Z]{12})?",
    re.ASCII,
)
_TRAILER = re.compile(r"T\|(\d{6})\|(\d{12})\|(\d{12})\|([0-9a-f]{64})", re.ASCII)


class BankBillSource:
    """`BillSource` over the contract of the card front end; an answer that cannot be trusted is *unknown*."""

    channel = "bank_card"

    def __init__(self, bank: BankCardGateway) -> None:
        self._bank = bank

    def published_from(self, day: dt.date) -> dt.datetime:
        """Half past eight on the next morning in China."""
        wall = dt.datetime.combine(day + dt.timedelta(days=1), PUBLISHED_AT, tzinfo=SHANGHAI)
        return wall.astimezone(dt.UTC)

    def fetch_bill(self, day: dt.date) -> Bill:
        """See the port. The file is a temporary one that is gone once its rows are read."""
        config = self._bank.config
        if not config.bill_url:
            raise GatewayRefused("NO_BILL_ADDRESS", "the bank's contract names no bill_url")
        address = f"{config.bill_url}/{config.merchant_id}/{day:%Y%m%d}.txt"
        there = urlsplit(address)
        if there.scheme != "https" and there.hostname not in http.LOOPBACK:
            raise GatewayRefused("BILL_ADDRESS_NOT_HTTPS", "bill_url must be https")
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads the rows
        try:
            http.fetch_file(
                address,
                file,
                timeout=SECONDS,
                headers={"Authorization": f"Bearer {config.bill_token}"},
                when_absent=BillNotPublished,
            )
            digest = prove(file, merchant_id=config.merchant_id, day=day)
        except BaseException:
            file.close()
            raise
        return Bill(digest, read_rows(file), file.close)


def prove(file: IO[bytes], *, merchant_id: str, day: dt.date) -> str:
    """Read a file from end to end; the hash its trailer names, which is its own.

    GatewayUnknown when it is no such file, another merchant's or another day's, or not what its trailer says.
    """
    try:
        header, trailer, digest = "", "", hashlib.sha256()
        counted = [0, 0, 0]
        for number, line in enumerate(_lines(file)):
            if trailer:
                raise ValueError("something follows the trailer")
            if line.startswith("T|"):
                trailer = line
                continue
            digest.update(f"{line}\r\n".encode("ascii"))
            if not number:
                header = line
                continue
            row = _row(line)
            counted[0] += 1
            counted[1 if row.kind is BillRowKind.PAYMENT else 2] += row.amount_fen
    except ValueError as error:
        raise _unreadable(error) from error
    if header != f"H|{merchant_id}|{day:%Y%m%d}":
        raise GatewayUnknown("the bill is another merchant's or another day's")
    found = _TRAILER.fullmatch(trailer)
    if found is None:
        raise GatewayUnknown("the bill has no trailer")
    if not hmac.compare_digest(digest.hexdigest(), found[4]):
        raise GatewayUnknown("the bill is not the one its hash is of")
    if counted != [int(found[place]) for place in (1, 2, 3)]:
        raise GatewayUnknown("the bill's lines are not what its trailer says")
    return found[4]


def read_rows(file: IO[bytes]) -> Iterator[BillRow]:
    """The records of a file, which is closed at the end; GatewayUnknown when one cannot be read."""
    with file:
        try:
            for line in _lines(file):
                if line.startswith("D|"):
                    yield _row(line)
        except ValueError as error:
            raise _unreadable(error) from error


def _unreadable(error: ValueError) -> GatewayUnknown:
    return GatewayUnknown(f"unreadable bill: {type(error).__name__}")


def _lines(file: IO[bytes]) -> Iterator[str]:
    """Every line without its end, from the beginning of the file."""
    file.seek(0)
    while raw := file.readline(LONGEST_LINE):
        if not raw.endswith(b"\r\n"):
            raise ValueError("a line without an end")
        yield raw[:-2].decode("ascii")


def _row(line: str) -> BillRow:
    found = _DETAIL.fullmatch(line)
    if found is None:
        raise ValueError("a line that no bill has")
    is_refund, sale, fen = found["kind"] == "R", found["sale"], int(found["fen"])
    if is_refund != (sale is not None) or not fen:
        raise ValueError("a refund without its sale, a sale with one, or nothing paid")
    number = found["terminal"] + found["batch"] + found["stan"]
    at = dt.datetime.strptime(found["at"], "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)
    return BillRow(
        BillRowKind.REFUND if is_refund else BillRowKind.PAYMENT,
        number,
        sale or number,
        fen,
        found["rrn"],
        at.astimezone(dt.UTC),
    )
