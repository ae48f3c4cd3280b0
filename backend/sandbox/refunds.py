"""Refunds at the platform: asked once per `out_refund_no`, settled a moment later.

A refund reserves its amount at once, so refunds in flight can never give back more than was paid.
ABNORMAL keeps the reservation (the platform waits for the merchant), CLOSED releases it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from backend.sandbox.errors import PlatformError
from backend.sandbox.faults import Fault
from backend.sandbox.keys import PlatformKeys
from backend.sandbox.store import find_one
from backend.sandbox.trade import (
    BY_OUT_TRADE_NO,
    BY_TRANSACTION_ID,
    amount_field,
    check_notify_url,
    order_number,
    rfc3339,
    text_field,
)

#: The platform gives money back for one year after the payment.
LONGEST_AGE = 365 * 86400.0
BY_OUT_REFUND_NO = "SELECT * FROM refunds WHERE out_refund_no = ?"
_OUTCOMES = {"abnormal": "ABNORMAL", "closed": "CLOSED"}


def create_refund(
    db: sqlite3.Connection,
    body: dict[str, Any],
    *,
    now: float,
    settle_after: float,
    take: Callable[[], Fault],
) -> sqlite3.Row:
    """Accept a refund, or answer the one this `out_refund_no` already made.

    RESOURCE_NOT_EXISTS: no such order. INVALID_REQUEST: unpaid, amounts that do not fit, too old,
    or another request under the same number. NOT_ENOUGH: by fault only. `take` uses up the fault of
    refunds; it is called for new, rightful refunds alone. Nothing is written before a refusal.
    """
    out_refund_no = text_field(body, "out_refund_no", 64)
    amount, total = amount_field(body, "refund"), amount_field(body, "total")
    notify_url = text_field(body, "notify_url", 255, required=False) or None
    if notify_url is not None:
        check_notify_url(notify_url)
    reason = text_field(body, "reason", 80, required=False) or None
    order = _find_paid_order(db, body)
    known = find_one(db, BY_OUT_REFUND_NO, out_refund_no)
    if known is not None:
        if (known["out_trade_no"], known["amount"]) != (order["out_trade_no"], amount):
            raise PlatformError("INVALID_REQUEST", "订单金额或退款金额与之前请求不一致")
        return known
    if total != order["total"]:
        raise PlatformError("INVALID_REQUEST", "订单总金额与支付订单不一致")
    if amount > total - refunded_amount(db, order["out_trade_no"]):
        raise PlatformError("INVALID_REQUEST", "申请退款金额超过可退金额")
    if now - order["paid_at"] > LONGEST_AGE:
        raise PlatformError("INVALID_REQUEST", "订单已超过可退款的最大期限")
    fault = take()
    if fault.mode == "not_enough":
        raise PlatformError("NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")
    wait = fault.seconds if fault.mode == "slow" else settle_after
    db.execute(
        "INSERT INTO refunds (out_refund_no, refund_id, out_trade_no, amount, reason, notify_url,"
        " status, outcome, created_at, settle_at) VALUES (?, ?, ?, ?, ?, ?, 'PROCESSING', ?, ?, ?)",
        (
            out_refund_no,
            order_number("503000", now, 29),
            order["out_trade_no"],
            amount,
            reason,
            notify_url,
            _OUTCOMES.get(fault.mode, "SUCCESS"),
            now,
            now + wait,
        ),
    )
    db.execute(
        "UPDATE orders SET state = 'REFUND' WHERE out_trade_no = ?", (order["out_trade_no"],)
    )
    return find_refund(db, out_refund_no)


def _find_paid_order(db: sqlite3.Connection, body: dict[str, Any]) -> sqlite3.Row:
    if body.get("transaction_id"):
        row = find_one(db, BY_TRANSACTION_ID, text_field(body, "transaction_id", 32))
    else:
        row = find_one(db, BY_OUT_TRADE_NO, text_field(body, "out_trade_no", 32))
    if row is None:
        raise PlatformError("RESOURCE_NOT_EXISTS", "订单号不存在")
    if row["transaction_id"] is None:
        raise PlatformError("INVALID_REQUEST", "订单未支付，不能退款")
    return row


def refunded_amount(db: sqlite3.Connection, out_trade_no: str) -> int:
    """Fen given back or reserved for it so far."""
    row = db.execute(
        "SELECT COALESCE(SUM(amount), 0) FROM refunds"
        " WHERE out_trade_no = ? AND status <> 'CLOSED'",
        (out_trade_no,),
    ).fetchone()
    return int(row[0])


def find_refund(db: sqlite3.Connection, out_refund_no: str) -> sqlite3.Row:
    """The refund of that number; RESOURCE_NOT_EXISTS otherwise."""
    row = find_one(db, BY_OUT_REFUND_NO, out_refund_no)
    if row is None:
        raise PlatformError("RESOURCE_NOT_EXISTS", "退款单不存在")
    return row


def settle_refunds(db: sqlite3.Connection, now: float) -> list[sqlite3.Row]:
    """Bring refunds whose moment has come to their outcome; returns them."""
    due = db.execute(
        "SELECT out_refund_no FROM refunds WHERE status = 'PROCESSING' AND settle_at <= ?"
        " ORDER BY settle_at",
        (now,),
    ).fetchall()
    for row in due:
        db.execute(
            "UPDATE refunds SET status = outcome,"
            " success_at = CASE outcome WHEN 'SUCCESS' THEN ? END WHERE out_refund_no = ?",
            (now, row["out_refund_no"]),
        )
    return [find_refund(db, row["out_refund_no"]) for row in due]


def refund_json(row: sqlite3.Row, order: sqlite3.Row) -> dict[str, Any]:
    """A refund as the API answers it."""
    answer: dict[str, Any] = {
        "refund_id": row["refund_id"],
        "out_refund_no": row["out_refund_no"],
        "transaction_id": order["transaction_id"],
        "out_trade_no": row["out_trade_no"],
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": rfc3339(row["created_at"]),
        "status": row["status"],
        "funds_account": "AVAILABLE",
        "promotion_detail": [],
        "amount": {
            "total": order["total"],
            "refund": row["amount"],
            "from": [],
            "payer_total": order["total"],
            "payer_refund": row["amount"],
            "settlement_refund": row["amount"],
            "settlement_total": order["total"],
            "discount_refund": 0,
            "currency": "CNY",
        },
    }
    if row["success_at"] is not None:
        answer["success_time"] = rfc3339(row["success_at"])
    return answer


def refund_notice_json(row: sqlite3.Row, order: sqlite3.Row, keys: PlatformKeys) -> dict[str, Any]:
    """A refund as its notification carries it (other field names than the API's)."""
    notice: dict[str, Any] = {
        "mchid": keys.mchid,
        "out_trade_no": row["out_trade_no"],
        "transaction_id": order["transaction_id"],
        "out_refund_no": row["out_refund_no"],
        "refund_id": row["refund_id"],
        "refund_status": row["status"],
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": order["total"],
            "refund": row["amount"],
            "payer_total": order["total"],
            "payer_refund": row["amount"],
        },
    }
    if row["success_at"] is not None:
        notice["success_time"] = rfc3339(row["success_at"])
    return notice
