"""Payment orders at the platform: open, ask, close, and the payer's payment.

Rules as the platform documents them for Native payment (direct merchant): after `time_expire`
nobody can pay, but the order stays NOTPAY until it is closed; one `out_trade_no` is one order for
ever. Amounts in fen. Functions take the open transaction and the platform's time (epoch seconds).
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from datetime import datetime, timedelta, timezone
from typing import Any

from backend.sandbox.errors import PhoneError, PlatformError
from backend.sandbox.keys import PlatformKeys
from backend.sandbox.store import find_one

CHINA = timezone(timedelta(hours=8))
CODE_URL_PREFIX = "weixin://wxpay/bizpayurl?pr="
BY_OUT_TRADE_NO = "SELECT * FROM orders WHERE out_trade_no = ?"
BY_TRANSACTION_ID = "SELECT * FROM orders WHERE transaction_id = ?"
PAYER_OPENID = "oXL0sandboxPayer00000000001"
_TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
_STATE_WORDS = {
    "NOTPAY": "订单未支付",
    "SUCCESS": "支付成功",
    "CLOSED": "订单已关闭",
    "REFUND": "订单发生过退款，退款详情请查询退款单",
}


def rfc3339(moment: float) -> str:
    """Epoch seconds as the platform writes times: ``2026-11-23T09:30:00+08:00``."""
    return datetime.fromtimestamp(moment, CHINA).isoformat(timespec="seconds")


def order_number(prefix: str, now: float, digits: int) -> str:
    """A platform-side number: prefix, the day, then random digits up to `digits` in all."""
    head = prefix + datetime.fromtimestamp(now, CHINA).strftime("%Y%m%d")
    return head + "".join(secrets.choice("0123456789") for _ in range(digits - len(head)))


def text_field(body: dict[str, Any], name: str, longest: int, *, required: bool = True) -> str:
    """A text of `body` within its documented length; PARAM_ERROR otherwise."""
    value = body.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or not value or len(value) > longest:
        raise PlatformError("PARAM_ERROR", f"参数错误：{name} 长度应为 1 至 {longest} 个字符")
    return value


def amount_field(body: dict[str, Any], name: str) -> int:
    """A positive whole number of fen in ``body["amount"]``; PARAM_ERROR otherwise."""
    amount = body.get("amount")
    value = amount.get(name) if isinstance(amount, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise PlatformError("PARAM_ERROR", f"参数错误：amount.{name} 应为大于 0 的整数（分）")
    return value


def check_notify_url(url: str) -> None:
    """A notification address is absolute http(s) and carries no query (PARAM_ERROR)."""
    if not re.fullmatch(r"https?://[^\s?#/]+[^\s?#]*", url) or len(url) > 255:
        raise PlatformError("PARAM_ERROR", "通知地址必须为可直接访问的 URL，且不携带参数")


def find_order(db: sqlite3.Connection, out_trade_no: str) -> sqlite3.Row:
    """The order of that number; ORDER_NOT_EXIST otherwise."""
    row = find_one(db, BY_OUT_TRADE_NO, out_trade_no)
    if row is None:
        raise PlatformError("ORDER_NOT_EXIST", "订单不存在")
    return row


def create_order(
    db: sqlite3.Connection, keys: PlatformKeys, body: dict[str, Any], now: float
) -> str:
    """Open a Native order and return its code_url; the same request again, the same answer."""
    if text_field(body, "mchid", 32) != keys.mchid:
        raise PlatformError("MCH_NOT_EXISTS", "商户号不存在")
    if text_field(body, "appid", 32) != keys.appid:
        raise PlatformError("APPID_MCHID_NOT_MATCH", "appid 和 mchid 不匹配")
    out_trade_no = text_field(body, "out_trade_no", 32)
    if not _TRADE_NO.fullmatch(out_trade_no):
        raise PlatformError("PARAM_ERROR", "商户订单号只能是 6 至 32 位数字、字母及 _-|*")
    wanted = {
        "description": text_field(body, "description", 127),
        "total": amount_field(body, "total"),
        "attach": text_field(body, "attach", 128, required=False) or None,
        "notify_url": text_field(body, "notify_url", 255),
        "time_expire": text_field(body, "time_expire", 64, required=False) or None,
    }
    if body["amount"].get("currency", "CNY") != "CNY":
        raise PlatformError("PARAM_ERROR", "境内商户号仅支持人民币 CNY")
    check_notify_url(str(wanted["notify_url"]))
    expires_at = _parse_expiry(wanted["time_expire"])
    row = find_one(db, BY_OUT_TRADE_NO, out_trade_no)
    if row is not None:
        return _repeat_order(row, wanted)
    if expires_at is not None and expires_at <= now:
        raise PlatformError("PARAM_ERROR", "time_expire 早于当前时间")
    token = secrets.token_urlsafe(9)
    db.execute(
        "INSERT INTO orders (out_trade_no, description, total, attach, notify_url, time_expire,"
        " expires_at, code_token, state, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'NOTPAY', ?)",
        (out_trade_no, *wanted.values(), expires_at, token, now),
    )
    return CODE_URL_PREFIX + token


def _parse_expiry(text: Any) -> float | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise PlatformError("PARAM_ERROR", "time_expire 应遵循 rfc3339 标准格式")
    return moment.timestamp()


def _repeat_order(row: sqlite3.Row, wanted: dict[str, Any]) -> str:
    if row["state"] == "CLOSED":
        raise PlatformError("ORDER_CLOSED", "订单已关闭")
    if row["state"] != "NOTPAY":
        raise PlatformError("ORDERPAID", "该订单已支付")
    if any(row[name] != value for name, value in wanted.items()):
        raise PlatformError("OUT_TRADE_NO_USED", "商户订单号重复")
    return CODE_URL_PREFIX + str(row["code_token"])


def close_order(db: sqlite3.Connection, out_trade_no: str) -> None:
    """Close an unpaid order; ORDERPAID when paid, ORDER_CLOSED when closed already."""
    row = find_order(db, out_trade_no)
    if row["state"] == "CLOSED":
        raise PlatformError("ORDER_CLOSED", "订单已关闭")
    if row["state"] != "NOTPAY":
        raise PlatformError("ORDERPAID", "订单已支付，不能关闭")
    db.execute("UPDATE orders SET state = 'CLOSED' WHERE out_trade_no = ?", (out_trade_no,))


def order_json(row: sqlite3.Row, keys: PlatformKeys) -> dict[str, Any]:
    """An order as the query answers it, and as a payment notification carries it."""
    answer: dict[str, Any] = {
        "mchid": keys.mchid,
        "appid": keys.appid,
        "out_trade_no": row["out_trade_no"],
        "trade_state": row["state"],
        "trade_state_desc": _STATE_WORDS[row["state"]],
        "amount": {"total": row["total"], "currency": "CNY"},
        "promotion_detail": [],
    }
    if row["attach"] is not None:
        answer["attach"] = row["attach"]
    if row["transaction_id"] is not None:
        answer["amount"] |= {"payer_total": row["total"], "payer_currency": "CNY"}
        answer |= {
            "transaction_id": row["transaction_id"],
            "trade_type": "NATIVE",
            "bank_type": "OTHERS",
            "success_time": rfc3339(row["paid_at"]),
            "payer": {"openid": PAYER_OPENID},
        }
    return answer


def find_by_code(db: sqlite3.Connection, code_url: str) -> sqlite3.Row:
    """The order behind a scanned QR code; PhoneError when it is not a payment code of ours."""
    token = code_url.strip().removeprefix(CODE_URL_PREFIX)
    row = find_one(db, "SELECT * FROM orders WHERE code_token = ?", token)
    if row is None or not code_url.strip().startswith(CODE_URL_PREFIX):
        raise PhoneError(
            "unknown_code", "这不是付款二维码", "请扫描收银台或自助机屏幕上的付款码", 404
        )
    return row


def check_payable(row: sqlite3.Row, now: float) -> None:
    """PhoneError unless the payer may still pay this order."""
    if row["state"] == "CLOSED":
        raise PhoneError("order_closed", "订单已关闭", "请在商户处重新下单", 409)
    if row["state"] != "NOTPAY":
        raise PhoneError("order_paid", "该订单已支付", "请勿重复付款", 409)
    if row["expires_at"] is not None and now >= row["expires_at"]:
        raise PhoneError("code_expired", "二维码已过期", "请在商户处刷新后重新扫码", 409)


def pay_order(db: sqlite3.Connection, row: sqlite3.Row, now: float) -> sqlite3.Row:
    """The payer confirms: the order is paid now, in full; returns the paid order."""
    check_payable(row, now)
    db.execute(
        "UPDATE orders SET state = 'SUCCESS', transaction_id = ?, paid_at = ?"
        " WHERE out_trade_no = ?",
        (order_number("420000", now, 28), now, row["out_trade_no"]),
    )
    return find_order(db, row["out_trade_no"])
