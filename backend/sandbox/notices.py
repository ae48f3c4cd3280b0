"""The outbox of notifications: queued with the payment, due by time, marked by outcome.

State of a row: held (waits for its reordered group) → pending → sending → delivered, or dropped
(by fault), or given_up (every retry was used). Times here are real epoch seconds, whatever the
platform's business clock says.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from typing import Any

from backend.sandbox.faults import Fault
from backend.sandbox.trade import order_number

#: Seconds between the copies of a repeated notification, and within a reordered group.
SPACING = 0.3
_TRADE_EVENT = ("TRANSACTION.SUCCESS", "支付成功", "transaction")
_REFUND_EVENTS = {
    "SUCCESS": ("REFUND.SUCCESS", "退款成功", "refund"),
    "ABNORMAL": ("REFUND.ABNORMAL", "退款异常", "refund"),
    "CLOSED": ("REFUND.CLOSED", "退款关闭", "refund"),
}


def queue_notice(
    db: sqlite3.Connection,
    *,
    subject: str,
    url: str,
    event: tuple[str, str, str],
    resource: dict[str, Any],
    fault: Fault,
    now: float,
) -> None:
    """Store one notification as `fault` wants it delivered."""
    state, wait, deliveries = "pending", 0.0, 1
    if fault.mode == "drop":
        state = "dropped"
    elif fault.mode == "delay":
        wait = fault.seconds
    elif fault.mode == "repeat":
        deliveries = fault.times
    elif fault.mode == "reorder":
        state, wait = "held", fault.seconds
    elif fault.mode == "forge":
        _insert(db, subject, url, event, resource, "pending", fault.forgery, 1, now)
        if not fault.then_genuine:
            return
    _insert(db, subject, url, event, resource, state, None, deliveries, now, wait)
    if fault.mode == "reorder":
        release_held(db, now=now, group=fault.times)


def _insert(
    db: sqlite3.Connection,
    subject: str,
    url: str,
    event: tuple[str, str, str],
    resource: dict[str, Any],
    state: str,
    forgery: str | None,
    deliveries: int,
    now: float,
    wait: float = 0.0,
) -> None:
    event_type, summary, original_type = event
    db.execute(
        "INSERT INTO notifications (event_id, subject, url, event_type, summary, original_type,"
        " resource, forgery, created_at, state, deliveries_left, next_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            order_number("EV-", now, 24),
            subject,
            url,
            event_type,
            summary,
            original_type,
            json.dumps(resource, ensure_ascii=False),
            forgery,
            now,
            state,
            deliveries,
            now + wait,
        ),
    )


def queue_payment_notice(
    db: sqlite3.Connection, url: str, resource: dict[str, Any], fault: Fault, now: float
) -> None:
    """Tell the merchant that an order was paid."""
    queue_notice(
        db,
        subject=resource["out_trade_no"],
        url=url,
        event=_TRADE_EVENT,
        resource=resource,
        fault=fault,
        now=now,
    )


def queue_refund_notice(
    db: sqlite3.Connection, url: str, resource: dict[str, Any], fault: Fault, now: float
) -> None:
    """Tell the merchant how a refund ended."""
    queue_notice(
        db,
        subject=resource["out_refund_no"],
        url=url,
        event=_REFUND_EVENTS[resource["refund_status"]],
        resource=resource,
        fault=fault,
        now=now,
    )


def release_held(db: sqlite3.Connection, *, now: float, group: int) -> None:
    """Send held notifications, newest first, once `group` of them are waiting."""
    held = _held(db)
    if len(held) >= group:
        _release(db, held, now)


def release_due_held(db: sqlite3.Connection, now: float) -> None:
    """Send held notifications, newest first, when the oldest has waited its time."""
    held = _held(db)
    if held and held[-1]["next_at"] <= now:
        _release(db, held, now)


def _held(db: sqlite3.Connection) -> list[sqlite3.Row]:
    return db.execute(
        "SELECT number, next_at FROM notifications WHERE state = 'held' ORDER BY number DESC"
    ).fetchall()


def _release(db: sqlite3.Connection, held: list[sqlite3.Row], now: float) -> None:
    for place, row in enumerate(held):
        db.execute(
            "UPDATE notifications SET state = 'pending', next_at = ? WHERE number = ?",
            (now + place * SPACING, row["number"]),
        )


def take_due(db: sqlite3.Connection, now: float, limit: int) -> list[sqlite3.Row]:
    """Mark up to `limit` due notifications as being sent and return them, earliest first."""
    due = db.execute(
        "SELECT * FROM notifications WHERE state = 'pending' AND next_at <= ?"
        " ORDER BY next_at, number LIMIT ?",
        (now, limit),
    ).fetchall()
    for row in due:
        db.execute("UPDATE notifications SET state = 'sending' WHERE number = ?", (row["number"],))
    return due


def next_due_at(db: sqlite3.Connection) -> float | None:
    """When the next notification wants attention, or None when nothing waits."""
    row = db.execute(
        "SELECT MIN(next_at) FROM notifications WHERE state IN ('held', 'pending')"
    ).fetchone()
    return None if row[0] is None else float(row[0])


def record_result(
    db: sqlite3.Connection,
    row: sqlite3.Row,
    *,
    is_accepted: bool,
    result: str,
    retry_seconds: tuple[float, ...],
    now: float,
) -> None:
    """Book one delivery: again when repeats are left, later when refused, else the end.

    A forged notification is sent once: nobody retries an attack on the platform's behalf.
    """
    attempts = row["attempts"] + 1
    left = row["deliveries_left"]
    state, next_at = "delivered", row["next_at"]
    if is_accepted and left > 1:
        state, left, next_at = "pending", left - 1, now + SPACING
    elif not is_accepted:
        if row["forgery"] is not None or attempts > len(retry_seconds):
            state = "given_up"
        else:
            state, next_at = "pending", now + retry_seconds[attempts - 1]
    db.execute(
        "UPDATE notifications SET state = ?, attempts = ?, deliveries_left = ?, next_at = ?,"
        " last_result = ? WHERE number = ?",
        (state, attempts, left, next_at, result, row["number"]),
    )


def recover(db: sqlite3.Connection) -> None:
    """After a start: what was being sent when the process died is sent again."""
    db.execute("UPDATE notifications SET state = 'pending' WHERE state = 'sending'")


def envelope(row: sqlite3.Row, *, created: str, ciphertext: str, nonce: str) -> bytes:
    """The notification's body around its encrypted resource."""
    body = {
        "id": row["event_id"],
        "create_time": created,
        "resource_type": "encrypt-resource",
        "event_type": row["event_type"],
        "summary": row["summary"],
        "resource": {
            "original_type": row["original_type"],
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": ciphertext,
            "associated_data": row["original_type"],
            "nonce": nonce,
        },
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def new_nonce(characters: int) -> str:
    """A random text of `characters` hex digits."""
    return secrets.token_hex((characters + 1) // 2)[:characters]
