"""The acquirer's file against literal bytes: what is read, and every way in which a file is not believed."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from backend.billing.ports import BillRow, BillRowKind, GatewayRefused, GatewayUnknown
from backend.channels.bank_bill import BankBillSource, prove, read_rows

MERCHANT = "898000000000001"
DAY = date(2026, 11, 23)
BODY = (
    f"H|{MERCHANT}|20261123\r\n"
    "D|S|XL000001|000001|000002|112312345678|A1B2C3|629999******0017|000000002500|20261123093005|\r\n"
    "D|R|XL000002|000003|000004|112387654321||629999******0017|000000001000|20261123100000|112212345678\r\n"
)
#: By ``sha256sum``.
HASH = "d334bc853fcd6cf93435d2d8528add4899c01c0543089f83f9e449118b07b6dd"
TRAILER = "T|000002|000000002500|000000001000|"


def sealed(body: str = BODY, trailer: str = TRAILER) -> io.BytesIO:
    """A file whose hash is right, whatever it says."""
    data = body.encode("gbk")
    return io.BytesIO(data + f"{trailer}{hashlib.sha256(data).hexdigest()}\r\n".encode())


def check(file: io.BytesIO) -> str:
    return prove(file, merchant_id=MERCHANT, day=DAY)


def test_the_literal_layout_is_understood() -> None:
    file = io.BytesIO(f"{BODY}{TRAILER}{HASH}\r\n".encode())
    assert check(file) == HASH
    assert list(read_rows(file)) == [
        BillRow(
            BillRowKind.PAYMENT,
            "XL000001000001000002",
            "XL000001000001000002",
            2500,
            "112312345678",
            datetime(2026, 11, 23, 1, 30, 5, tzinfo=UTC),
        ),
        BillRow(
            BillRowKind.REFUND,
            "XL000002000003000004",
            "112212345678",
            1000,
            "112387654321",
            datetime(2026, 11, 23, 2, tzinfo=UTC),
        ),
    ]
    assert file.closed


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (MERCHANT, "898000000000002", "another merchant"),
        ("|20261123\r\n", "|20261122\r\n", "another day"),
        ("000000002500", "000000002501", "trailer"),
        ("D|S|", "D|V|", "unreadable"),
        ("XL000001", "XL00001", "unreadable"),
        ("000000002500", "000000000000", "unreadable"),
        ("000000002500", "00000000-500", "unreadable"),
        ("000000002500", "25.00", "unreadable"),
        ("20261123093005", "20261123253005", "unreadable"),
        ("|112212345678\r\n", "|\r\n", "unreadable"),
        ("093005|\r\n", "093005|112212345678\r\n", "unreadable"),
        ("A1B2C3", "医院", "unreadable"),
        ("\r\n", "\n", "unreadable"),
        ("A1B2C3", "A" * 600, "unreadable"),
    ],
)
def test_records_that_cannot_be_believed(old: str, new: str, why: str) -> None:
    assert old in BODY
    with pytest.raises(GatewayUnknown, match=why):
        check(sealed(BODY.replace(old, new)))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "another merchant"),
        (BODY.encode(), "no trailer"),
        (BODY.encode()[:-20], "unreadable"),
        (f"{BODY}{TRAILER}{'0' * 64}\r\n".encode(), "hash"),
        (sealed(trailer="T|000003|000000002500|000000001000|").getvalue(), "trailer"),
        (sealed(trailer="T|000002|000000002500|000000001001|").getvalue(), "trailer"),
        (sealed(trailer="T|2|2500|1000|").getvalue(), "no trailer"),
        (sealed().getvalue() + b"D|S\r\n", "unreadable"),
        (sealed().getvalue() * 2, "unreadable"),
    ],
)
def test_a_file_that_is_not_what_its_trailer_says(data: bytes, why: str) -> None:
    with pytest.raises(GatewayUnknown, match=why):
        check(io.BytesIO(data))


def test_a_day_without_a_transaction() -> None:
    file = sealed(f"H|{MERCHANT}|20261123\r\n", "T|000000|000000000000|000000000000|")
    check(file)
    assert list(read_rows(file)) == []


@pytest.mark.parametrize("address", ["", "http://bank.example/bills", "ftp://bank.example"])
def test_the_token_goes_nowhere_unprotected(address: str) -> None:
    config = SimpleNamespace(bill_url=address, merchant_id=MERCHANT, bill_token="t")
    bank: Any = SimpleNamespace(config=config)
    with pytest.raises(GatewayRefused):
        BankBillSource(bank).fetch_bill(DAY)


def test_it_is_expected_at_half_past_eight() -> None:
    bank: Any = SimpleNamespace()
    assert BankBillSource(bank).published_from(DAY) == datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
