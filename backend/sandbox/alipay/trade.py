"""Trades at Alipay: precreated, scanned, paid, closed, cancelled, refunded.

As Alipay documents it: precreate only makes a code; the trade exists from the moment the code is
scanned (before that a query answers ACQ.TRADE_NOT_EXIST). `close` ends an unpaid trade and refuses a
paid one; `cancel` also ends a code that nobody has scanned, and gives the money of a paid trade
back. A refund is answered at once; its money may follow (fund_change N until then). Amounts in fen.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Callable
from typing import Any

from backend.sandbox.alipay import wire
from backend.sandbox.errors import PhoneError
from backend.sandbox.faults import Fault
from backend.sandbox.store import find_one
from backend.sandbox.trade import order_number

CODE_PREFIX = "https://qr.alipay.com/"
BY_OUT_TRADE_NO = "SELECT * FROM alipay_orders WHERE out_trade_no = ?"
_TRADE_NO = re.compile(r"[0-9A-Za-z_]{1,64}")
BUYER_ID = "2088000000000001"
BUYER_LOGON = "138****0001"
#: A refund fault and how Alipay words it.
_REFUND_REFUSALS = {
    "not_enough": ("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"),
    "abnormal": ("ACQ.BUYER_ERROR", "买家状态异常"),
    "closed": ("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效"),
}


class AlipayError(Exception):
    """A business refusal (code 40004) with its sub_code, or a gateway error with a code of its own."""

    def __init__(self, sub_code: str, sub_msg: str, code: str = "40004") -> None:
        super().__init__(f"{sub_code}: {sub_msg}")
        self.code, self.sub_code, self.sub_msg = code, sub_code, sub_msg


def _text(content: dict[str, Any], name: str, longest: int) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value or len(value) > longest:
        raise AlipayError("ACQ.INVALID_PARAMETER", f"参数无效：{name}")
    return value


def _amount(content: dict[str, Any], name: str) -> int:
    try:
        return wire.fen(content.get(name))
    except ValueError as error:
        raise AlipayError("ACQ.INVALID_PARAMETER", f"参数无效：{name}") from error


def find_trade(db: sqlite3.Connection, out_trade_no: str) -> sqlite3.Row:
    """The trade of that number, once it was scanned; ACQ.TRADE_NOT_EXIST otherwise."""
    row = find_one(db, BY_OUT_TRADE_NO, out_trade_no)
    if row is None or (row["state"] == "UNSCANNED"):
        raise AlipayError("ACQ.TRADE_NOT_EXIST", "交易不存在")
    return row


def precreate(
    db: sqlite3.Connection, content: dict[str, Any], notify_url: str | None, now: float
) -> dict[str, Any]:
    """Make a code; the same request again answers the same code."""
    number = _text(content, "out_trade_no", 64)
    if not _TRADE_NO.fullmatch(number):
        raise AlipayError("ACQ.INVALID_PARAMETER", "参数无效：out_trade_no")
    total, subject = _amount(content, "total_amount"), _text(content, "subject", 256)
    time_expire = content.get("time_expire")
    try:
        expires_at = None if time_expire is None else wire.from_beijing(time_expire)
    except (ValueError, TypeError) as error:
        raise AlipayError("ACQ.INVALID_PARAMETER", "参数无效：time_expire") from error
    row = find_one(db, BY_OUT_TRADE_NO, number)
    if row is None:
        if expires_at is not None and expires_at <= now:
            raise AlipayError("ACQ.INVALID_PARAMETER", "参数无效：time_expire 早于当前时间")
        token = "bax" + secrets.token_hex(8)
        db.execute(
            "INSERT INTO alipay_orders (out_trade_no, description, total, notify_url, time_expire,"
            " expires_at, code_token, state, created_at) VALUES (?,?,?,?,?,?,?,'UNSCANNED',?)",
            (number, subject, total, notify_url, time_expire, expires_at, token, now),
        )
        return {"out_trade_no": number, "qr_code": CODE_PREFIX + token}
    if row["state"] == "TRADE_CLOSED":
        raise AlipayError("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
    if row["state"] == "TRADE_SUCCESS":
        raise AlipayError("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
    if (row["description"], row["total"], row["time_expire"]) != (subject, total, time_expire):
        raise AlipayError("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
    return {"out_trade_no": number, "qr_code": CODE_PREFIX + row["code_token"]}


def query(db: sqlite3.Connection, content: dict[str, Any]) -> dict[str, Any]:
    """How a scanned trade stands."""
    row = find_trade(db, _text(content, "out_trade_no", 64))
    answer = {
        "out_trade_no": row["out_trade_no"],
        "trade_no": row["transaction_id"],
        "trade_status": row["state"],
        "total_amount": wire.yuan(row["total"]),
        "buyer_logon_id": BUYER_LOGON,
        "buyer_user_id": BUYER_ID,
    }
    if row["paid_at"] is not None:
        answer |= {
            "send_pay_date": wire.beijing(row["paid_at"]),
            "receipt_amount": wire.yuan(row["total"]),
            "buyer_pay_amount": wire.yuan(row["total"]),
        }
    return answer


def close(db: sqlite3.Connection, content: dict[str, Any]) -> dict[str, Any]:
    """End an unpaid trade; one that is paid or closed is refused (ACQ.TRADE_STATUS_ERROR)."""
    row = find_trade(db, _text(content, "out_trade_no", 64))
    if row["state"] != "WAIT_BUYER_PAY":
        raise AlipayError("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    _set_closed(db, row["out_trade_no"])
    return {"out_trade_no": row["out_trade_no"], "trade_no": row["transaction_id"]}


def cancel(db: sqlite3.Connection, content: dict[str, Any], now: float) -> dict[str, Any]:
    """End it whatever it is: unscanned or unpaid closed, paid given back whole."""
    number = _text(content, "out_trade_no", 64)
    row = find_one(db, BY_OUT_TRADE_NO, number)
    answer = {"out_trade_no": number, "retry_flag": "N"}
    if row is None:
        return answer
    if row["state"] == "TRADE_SUCCESS":
        left = row["total"] - refunded_amount(db, number)
        if left:
            db.execute(
                "INSERT INTO alipay_refunds VALUES (?, ?, ?, '撤销', ?, ?, ?)",
                (number, f"cancel-{number}", left, now, now, now),
            )
        answer["action"] = "refund"
    elif row["state"] != "TRADE_CLOSED":
        answer["action"] = "close"
    _set_closed(db, number)
    if row["transaction_id"] is not None:
        answer["trade_no"] = row["transaction_id"]
    return answer


def _set_closed(db: sqlite3.Connection, number: str) -> None:
    db.execute("UPDATE alipay_orders SET state = 'TRADE_CLOSED' WHERE out_trade_no = ?", (number,))


def refunded_amount(db: sqlite3.Connection, out_trade_no: str) -> int:
    """Fen given back, or promised, so far."""
    row = db.execute(
        "SELECT COALESCE(SUM(amount), 0) FROM alipay_refunds WHERE out_trade_no = ?",
        (out_trade_no,),
    ).fetchone()
    return int(row[0])


def refund(
    db: sqlite3.Connection,
    content: dict[str, Any],
    *,
    now: float,
    take: Callable[[], Fault],
) -> dict[str, Any]:
    """Give money back; the same out_request_no answers the refund it made (fund_change N)."""
    row = find_trade(db, _text(content, "out_trade_no", 64))
    number, request_no = row["out_trade_no"], _text(content, "out_request_no", 64)
    amount = _amount(content, "refund_amount")
    known = _find_refund(db, number, request_no)
    if known is not None:
        if known["amount"] != amount:
            raise AlipayError("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额与原请求不一致")
        return _refund_json(db, row, known, "N")
    if row["paid_at"] is None or row["state"] != "TRADE_SUCCESS":
        raise AlipayError("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    if amount > row["total"] - refunded_amount(db, number):
        raise AlipayError("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
    fault = take()
    if fault.mode in _REFUND_REFUSALS:
        raise AlipayError(*_REFUND_REFUSALS[fault.mode])
    is_slow = fault.mode == "slow"
    db.execute(
        "INSERT INTO alipay_refunds VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(number, request_no, amount, content.get("refund_reason"), now),
            now + (fault.seconds if is_slow else 0.0),
            None if is_slow else now,
        ),
    )
    if refunded_amount(db, number) == row["total"]:
        _set_closed(db, number)
    made = _find_refund(db, number, request_no)
    if made is None:
        raise LookupError("the refund just made")
    return _refund_json(db, row, made, "N" if is_slow else "Y")


def _find_refund(db: sqlite3.Connection, number: str, request_no: str) -> sqlite3.Row | None:
    return find_one(
        db,
        "SELECT * FROM alipay_refunds WHERE out_trade_no = ? AND out_request_no = ?",
        number,
        request_no,
    )


def _refund_json(
    db: sqlite3.Connection, order: sqlite3.Row, row: sqlite3.Row, fund_change: str
) -> dict[str, Any]:
    return {
        "trade_no": order["transaction_id"],
        "out_trade_no": order["out_trade_no"],
        "buyer_logon_id": BUYER_LOGON,
        "fund_change": fund_change,
        "refund_fee": wire.yuan(refunded_amount(db, order["out_trade_no"])),
        "send_back_fee": wire.yuan(row["amount"] if fund_change == "Y" else 0),
    }


def query_refund(db: sqlite3.Connection, content: dict[str, Any], now: float) -> dict[str, Any]:
    """How a refund stands: refund_status is there only once the money is back."""
    row = find_trade(db, _text(content, "out_trade_no", 64))
    request_no = _text(content, "out_request_no", 64)
    found = _find_refund(db, row["out_trade_no"], request_no)
    if found is None:
        return {}
    answer = {
        "trade_no": row["transaction_id"],
        "out_trade_no": row["out_trade_no"],
        "out_request_no": request_no,
        "total_amount": wire.yuan(row["total"]),
        "refund_amount": wire.yuan(found["amount"]),
    }
    if found["settle_at"] <= now:
        moment = found["settled_at"] or found["settle_at"]
        answer |= {"refund_status": "REFUND_SUCCESS", "gmt_refund_pay": wire.beijing(moment)}
    return answer


# --- the payer ---------------------------------------------------------------------------


def find_by_code(db: sqlite3.Connection, code: str) -> sqlite3.Row | None:
    """The order behind a scanned code of ours, or None."""
    token = code.strip().removeprefix(CODE_PREFIX)
    return find_one(db, "SELECT * FROM alipay_orders WHERE code_token = ?", token)


def check_payable(row: sqlite3.Row, now: float) -> None:
    """PhoneError unless the payer may still pay this order."""
    if row["state"] == "TRADE_CLOSED":
        raise PhoneError("order_closed", "订单已关闭", "请在商户处重新下单", 409)
    if row["state"] == "TRADE_SUCCESS":
        raise PhoneError("order_paid", "该订单已支付", "请勿重复付款", 409)
    if row["expires_at"] is not None and now >= row["expires_at"]:
        raise PhoneError("code_expired", "二维码已过期", "请在商户处刷新后重新扫码", 409)


def scan(db: sqlite3.Connection, row: sqlite3.Row, now: float) -> sqlite3.Row:
    """The payer scans the code: from now on the trade exists."""
    check_payable(row, now)
    if row["state"] == "UNSCANNED":
        db.execute(
            "UPDATE alipay_orders SET state = 'WAIT_BUYER_PAY', transaction_id = ?"
            " WHERE out_trade_no = ?",
            (order_number("", now, 28), row["out_trade_no"]),
        )
    return find_trade(db, row["out_trade_no"])


def pay(db: sqlite3.Connection, row: sqlite3.Row, now: float) -> sqlite3.Row:
    """The payer confirms: the trade is paid now, in full; returns it."""
    scanned = scan(db, row, now)
    db.execute(
        "UPDATE alipay_orders SET state = 'TRADE_SUCCESS', paid_at = ? WHERE out_trade_no = ?",
        (now, scanned["out_trade_no"]),
    )
    return find_trade(db, scanned["out_trade_no"])


def notice_parameters(row: sqlite3.Row, app_id: str, seller_id: str) -> dict[str, str]:
    """What a trade_status_sync notification says about a paid trade, before it is signed."""
    return {
        "notify_type": "trade_status_sync",
        "app_id": app_id,
        "charset": "utf-8",
        "version": "1.0",
        "trade_no": row["transaction_id"] or order_number("", row["created_at"], 28),
        "out_trade_no": row["out_trade_no"],
        "buyer_id": BUYER_ID,
        "seller_id": seller_id,
        "trade_status": "TRADE_SUCCESS",
        "total_amount": wire.yuan(row["total"]),
        "receipt_amount": wire.yuan(row["total"]),
        "subject": row["description"],
        "gmt_create": wire.beijing(row["created_at"]),
        "gmt_payment": wire.beijing(row["paid_at"] or row["created_at"]),
    }
