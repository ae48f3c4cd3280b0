"""What the bank does with each message: sign-on, sale, reversal, refund, settlement.

A transaction is known by terminal, batch and trace number (STAN). A reversal without its sale leaves
a mark, so that the sale is refused should it still arrive. Amounts in fen.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from backend.sandbox.bank import iso8583
from backend.sandbox.bank.cards import Card, behaviour, masked
from backend.sandbox.bank.keys import BankKeys
from backend.sandbox.store import find_one
from backend.sandbox.trade import CHINA

APPROVED = "00"
ONE = "SELECT * FROM bank_transactions WHERE terminal_id = ? AND batch = ? AND stan = ?"
#: What an answer repeats of its request.
ECHOED = (3, 4, 11, 41, 42, 49, 60)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way: `card` says how it travels."""

    mti: str
    fields: dict[int, str]
    mac_key: bytes | None
    card: Card | None = None


def answer(db: sqlite3.Connection, keys: BankKeys, message: bytes, now: float) -> Reply:
    """The bank's answer to one message; Malformed when it is none."""
    mti, given = iso8583.unpack(message)
    terminal_id = given.get(41, "")
    reply_mti = f"{mti[:2]}{int(mti[2:3]) + 1}0"
    echo = {number: given[number] for number in ECHOED if number in given} | _dated(now)
    master_key = keys.terminals.get(terminal_id)
    if master_key is None or given.get(42) != keys.merchant_id:
        return Reply(reply_mti, {**echo, 39: "03"}, None)
    if mti == "0800":
        return Reply(reply_mti, {**echo, **_sign_on(db, terminal_id, master_key, now)}, None)
    terminal = find_one(db, "SELECT * FROM bank_terminals WHERE terminal_id = ?", terminal_id)
    if terminal is None or terminal["mac_key"] is None:
        return Reply(reply_mti, {**echo, 39: "77"}, None)
    mac_key = bytes.fromhex(terminal["mac_key"])
    if not iso8583.has_mac(mac_key, message):
        return Reply(reply_mti, {**echo, 39: "A0"}, None)
    batch = int(terminal["batch"])
    card: Card | None = None
    if mti == "0200":
        said, card = _sale(db, terminal_id, batch, given, now)
    elif mti in ("0400", "0401"):
        said = _reverse(db, terminal_id, given, now)
    elif mti in ("0220", "0221"):
        said = _refund(db, terminal_id, batch, given, now)
    elif mti == "0500":
        said = _settle(db, terminal_id, batch, given)
    else:
        said = {39: "40"}
    return Reply(reply_mti, {**echo, **said}, mac_key, card)


def _dated(now: float) -> dict[int, str]:
    moment = datetime.fromtimestamp(now, CHINA)
    return {12: moment.strftime("%H%M%S"), 13: moment.strftime("%m%d")}


def _new_rrn(now: float) -> str:
    moment = datetime.fromtimestamp(now, CHINA)
    return moment.strftime("%m%d") + "".join(secrets.choice("0123456789") for _ in range(8))


def _sign_on(
    db: sqlite3.Connection, terminal_id: str, master_key: bytes, now: float
) -> dict[int, str]:
    """A fresh working key, wrapped under the terminal's master key (RFC 3394), and the batch."""
    db.execute("INSERT OR IGNORE INTO bank_terminals VALUES (?, 1, NULL)", (terminal_id,))
    mac_key = secrets.token_bytes(16)
    db.execute(
        "UPDATE bank_terminals SET mac_key = ? WHERE terminal_id = ?",
        (mac_key.hex(), terminal_id),
    )
    row = db.execute(
        "SELECT batch FROM bank_terminals WHERE terminal_id = ?", (terminal_id,)
    ).fetchone()
    wrapped = aes_key_wrap(master_key, mac_key).hex().upper()
    return {
        37: _new_rrn(now),
        39: APPROVED,
        60: f"00{row['batch']:06d}003",
        62: wrapped,
    }


def _store(
    db: sqlite3.Connection, key: tuple[str, int, str], values: Mapping[str, object]
) -> sqlite3.Row:
    names = ("terminal_id", "batch", "stan", *values)
    db.execute(
        f"INSERT INTO bank_transactions ({', '.join(names)})"  # noqa: S608 - names of our own
        f" VALUES ({', '.join('?' * len(names))})",
        (*key, *values.values()),
    )
    row = find_one(db, ONE, *key)
    if row is None:
        raise LookupError("the transaction just stored")
    return row


def _told(row: sqlite3.Row) -> dict[int, str]:
    said = {37: row["rrn"], 39: row["response_code"]}
    return said | {38: row["auth_code"]} if row["auth_code"] else said


def _sale(
    db: sqlite3.Connection, terminal_id: str, batch: int, given: Mapping[int, str], now: float
) -> tuple[dict[int, str], Card | None]:
    pan, amount = given.get(2, ""), int(given.get(4, "0"))
    key = (terminal_id, batch, given[11])
    if find_one(db, ONE, *key) is not None:
        return {39: "94"}, None
    if given.get(3) != "000000" or amount < 1:
        return {39: "12"}, None
    card = behaviour(pan)
    is_approved = card.response_code == APPROVED
    row = _store(
        db,
        key,
        {
            "kind": "sale",
            "card": masked(pan),
            "amount": amount,
            "state": "approved" if is_approved else "declined",
            "response_code": card.response_code,
            "rrn": _new_rrn(now),
            "auth_code": secrets.token_hex(3).upper() if is_approved else "",
            "happened_at": now,
        },
    )
    return _told(row), card


def _reverse(
    db: sqlite3.Connection, terminal_id: str, given: Mapping[int, str], now: float
) -> dict[int, str]:
    """Undo a sale; again and again if need be. A sale that never came is marked and answered 25."""
    key = (terminal_id, int(given.get(61, "000000")[:6]), given[11])
    row = find_one(db, ONE, *key)
    if row is None:
        _store(
            db,
            key,
            {
                "kind": "sale",
                "card": masked(given.get(2, "0" * 16)),
                "amount": int(given.get(4, "0")),
                "state": "reversed",
                "response_code": "25",
                "rrn": _new_rrn(now),
                "auth_code": "",
                "happened_at": now,
            },
        )
        return {39: "25"}
    if row["state"] == "approved":
        db.execute("UPDATE bank_transactions SET state = 'reversed' WHERE rrn = ?", (row["rrn"],))
    return {37: row["rrn"], 39: "25" if row["response_code"] == "25" else APPROVED}


def _refund(
    db: sqlite3.Connection, terminal_id: str, batch: int, given: Mapping[int, str], now: float
) -> dict[int, str]:
    """Give back part of an earlier sale, found by its reference number; the same STAN answers again."""
    key, amount = (terminal_id, batch, given[11]), int(given.get(4, "0"))
    known = find_one(db, ONE, *key)
    if known is not None:
        is_same = (known["original_rrn"], known["amount"]) == (given.get(37), amount)
        return _told(known) if is_same else {39: "94"}
    sale = find_one(
        db,
        "SELECT * FROM bank_transactions WHERE rrn = ? AND kind = 'sale' AND state = 'approved'",
        given.get(37),
    )
    if sale is None:
        return {39: "25"}
    given_back = db.execute(
        "SELECT COALESCE(SUM(amount), 0) FROM bank_transactions WHERE original_rrn = ?"
        " AND state = 'approved'",
        (sale["rrn"],),
    ).fetchone()[0]
    if amount < 1 or given_back + amount > sale["amount"]:
        return {39: "64"}
    row = _store(
        db,
        key,
        {
            "kind": "refund",
            "card": sale["card"],
            "amount": amount,
            "state": "approved",
            "response_code": APPROVED,
            "rrn": _new_rrn(now),
            "auth_code": "",
            "original_rrn": sale["rrn"],
            "happened_at": now,
        },
    )
    return _told(row)


def totals(db: sqlite3.Connection, terminal_id: str, batch: int) -> tuple[int, int, int, int]:
    """A batch's sales and refunds: amount and count of each; what was reversed counts for nothing."""
    found = [0, 0, 0, 0]
    for row in db.execute(
        "SELECT kind, SUM(amount) AS amount, COUNT(*) AS count FROM bank_transactions"
        " WHERE terminal_id = ? AND batch = ? AND state = 'approved' GROUP BY kind",
        (terminal_id, batch),
    ):
        at = 0 if row["kind"] == "sale" else 2
        found[at : at + 2] = [row["amount"], row["count"]]
    return found[0], found[1], found[2], found[3]


def _settle(
    db: sqlite3.Connection, terminal_id: str, batch: int, given: Mapping[int, str]
) -> dict[int, str]:
    """Compare the batch's totals with ours and begin the next batch: flag 1 agrees, 2 does not.

    Field 48: sales (amount 12, count 3), refunds (the same), flag; then as much for foreign cards.
    A batch that was settled before answers by what it holds, and begins nothing.
    """
    asked = int(given.get(60, "00000000")[2:8])
    sales, sale_count, back, back_count = totals(db, terminal_id, asked)
    ours = f"{sales:012d}{sale_count:03d}{back:012d}{back_count:03d}"
    flag = "1" if given.get(48, "")[:30] == ours else "2"
    if asked == batch:
        db.execute(
            "UPDATE bank_terminals SET batch = batch + 1 WHERE terminal_id = ?", (terminal_id,)
        )
    return {39: APPROVED, 48: f"{ours}{flag}" + "0" * 31}
