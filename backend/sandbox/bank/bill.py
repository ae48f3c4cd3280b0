"""The acquirer's file of a day (商户对账文件): every sale and refund it approved, at a fixed address, for a token.

A layout of the sandbox's own in the manner of acquirers' files: ASCII, a record a line, fields between ``|``.
``H|merchant|yyyymmdd``; ``D|S or R|terminal|batch|STAN|RRN|approval code|masked card|fen|yyyymmddHHMMSS|RRN of
the sale``; ``T|records|fen of the sales|fen of the refunds|SHA-256 of everything before this line``. What was
declined or reversed is not in it. A day is a calendar day, and its file appears at half past eight the next morning.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import sqlite3
from typing import Any, cast

from flask import Blueprint, Response, current_app, request

from backend.sandbox.bank.keys import BILL_PATH, BankKeys
from backend.sandbox.downloads import SPOILED, WRONG_ROWS, read_bill, take_bill_fault
from backend.sandbox.payapi import platform
from backend.sandbox.trade import CHINA

blueprint = Blueprint("bank", __name__, url_prefix=BILL_PATH)
PUBLISHED_AT = dt.time(8, 30)
_ROWS = """
SELECT * FROM bank_transactions WHERE state = 'approved' AND happened_at >= ? AND happened_at < ?
 ORDER BY happened_at, rrn
"""


@blueprint.get("/<merchant_id>/<day>.txt")
def statement(merchant_id: str, day: str) -> Response:
    """The file of a day (yyyymmdd): 401 for a stranger, 404 for another merchant, no day, or before it is there."""
    here, keys = platform(), cast(BankKeys, current_app.extensions["bank"])
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {keys.bill_token}".encode()):
        return _refuse(401, "令牌无效")
    try:
        date = dt.datetime.strptime(day, "%Y%m%d").replace(tzinfo=CHINA)
    except ValueError:
        return _refuse(404, "日期有误")
    published = dt.datetime.combine(date + dt.timedelta(days=1), PUBLISHED_AT, tzinfo=CHINA)
    with here.store.write() as db:
        is_there = here.business_time(db) >= published.timestamp()
        if merchant_id != keys.merchant_id or not is_there:
            return _refuse(404, "对账文件不存在")
        wrong = take_bill_fault(db, WRONG_ROWS, "bank_bill")
        spoiled = take_bill_fault(db, SPOILED, "bank_bill")
        data = _make(db, keys, date, wrong)
    folder = here.store.directory / "bills"
    folder.mkdir(exist_ok=True, mode=0o700)
    path = folder / f"bank-{secrets.token_hex(16)}.txt"
    path.write_bytes(data)
    file = read_bill(path, spoiled, request.environ["werkzeug.socket"])
    headers = {"Content-Length": str(len(data))}
    return Response(file, content_type="text/plain; charset=us-ascii", headers=headers)


def _refuse(status: int, words: str) -> Response:
    return Response(words, status, content_type="text/plain; charset=utf-8")


def _make(db: sqlite3.Connection, keys: BankKeys, date: dt.datetime, fault: str) -> bytes:
    first = date.timestamp()
    rows = [dict(row) for row in db.execute(_ROWS, (first, first + 86400.0))]
    if fault == "wrong_amount" and rows:
        rows[0]["amount"] += 1
    if fault == "drop_row":
        rows = rows[1:]
    if fault == "extra_row":
        rows.append(_stranger(next(iter(keys.terminals)), first + 43200.0))
    lines = [f"H|{keys.merchant_id}|{date:%Y%m%d}", *map(_line, rows)]
    body = "".join(f"{line}\r\n" for line in lines).encode("ascii")
    sales, backs = (
        sum(row["amount"] for row in rows if row["kind"] == kind) for kind in ("sale", "refund")
    )
    digest = hashlib.sha256(body).hexdigest()
    return body + f"T|{len(rows):06d}|{sales:012d}|{backs:012d}|{digest}\r\n".encode("ascii")


def _line(row: dict[str, Any]) -> str:
    moment = dt.datetime.fromtimestamp(row["happened_at"], CHINA)
    return "|".join(
        (
            *("D", "S" if row["kind"] == "sale" else "R", row["terminal_id"]),
            *(f"{row['batch']:06d}", row["stan"], row["rrn"], row["auth_code"], row["card"]),
            *(f"{row['amount']:012d}", f"{moment:%Y%m%d%H%M%S}", row["original_rrn"] or ""),
        )
    )


def _stranger(terminal_id: str, at: float) -> dict[str, Any]:
    """A sale that no terminal of the hospital has sent."""
    return {
        "kind": "sale",
        "terminal_id": terminal_id,
        "batch": 999999,
        "stan": "999999",
        "rrn": "999999999999",
        "auth_code": "STRANG",
        "card": "629999******0017",
        "amount": 8800,
        "happened_at": at,
        "original_rrn": None,
    }
