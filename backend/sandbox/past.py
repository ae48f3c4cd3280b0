"""What the platform remembers from before it was started: trades of an earlier time, handed over in a file.

`past.jsonl` beside the database, one paid order a line:
``{"out_trade_no", "transaction_id", "description", "total", "paid_at", "refunds": [{"out_refund_no", "refund_id",
"amount", "created_at", "success_at"}]}``; amounts in fen, times in epoch seconds. Read once, at the start.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

from backend.sandbox.store import Store

FILE = "past.jsonl"
DONE = "past.read.jsonl"
NOWHERE = "http://127.0.0.1:9/past"
log = logging.getLogger("sandbox.past")


def remember_past(store: Store, directory: Path) -> int:
    """Take the file's trades into memory, those that are not there; how many lines there were."""
    path = directory / FILE
    if not path.is_file():
        return 0
    count = 0
    with store.write() as db, path.open(encoding="utf-8") as lines:
        for line in lines:
            _remember(db, json.loads(line))
            count += 1
    path.replace(directory / DONE)
    log.info("remembered %d earlier orders", count)
    return count


def _remember(db: sqlite3.Connection, order: dict[str, Any]) -> None:
    number = order["out_trade_no"]
    db.execute(
        "INSERT OR IGNORE INTO orders (out_trade_no, description, total, notify_url, code_token, state,"
        " created_at, transaction_id, paid_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(number, order["description"], order["total"], NOWHERE, f"past-{number}"),
            "REFUND" if order["refunds"] else "SUCCESS",
            *(order["paid_at"], order["transaction_id"], order["paid_at"]),
        ),
    )
    for refund in order["refunds"]:
        db.execute(
            "INSERT OR IGNORE INTO refunds (out_refund_no, refund_id, out_trade_no, amount, status, outcome,"
            " created_at, settle_at, success_at) VALUES (?, ?, ?, ?, 'SUCCESS', 'SUCCESS', ?, ?, ?)",
            (
                *(refund["out_refund_no"], refund["refund_id"], number, refund["amount"]),
                *(refund["created_at"], refund["success_at"], refund["success_at"]),
            ),
        )
