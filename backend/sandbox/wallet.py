"""The payer's wallet: one look and one payment for a code of either platform.

A scanned code belongs to WeChat Pay or to Alipay by its prefix; the phone's pages and its JSON acts
know only this module.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from backend.sandbox import trade
from backend.sandbox.alipay import trade as alipay_trade
from backend.sandbox.alipay.gateway import alipay
from backend.sandbox.payapi import platform

WECHAT = ("wechat", "微信支付")
ALIPAY = ("alipay", "支付宝")
#: Alipay's tokens are longer than WeChat's, which have twelve characters.
ALIPAY_TOKEN = 19
#: Both platforms' orders, in the columns the phone shows.
_COLUMNS = (
    "out_trade_no, description, total, code_token, state, created_at, expires_at, time_expire,"
    " transaction_id, paid_at"
)
ORDERS = (
    f"SELECT 'wechat' AS wallet, {_COLUMNS}, (SELECT COALESCE(SUM(amount), 0) FROM refunds r WHERE"  # noqa: S608
    " r.out_trade_no = o.out_trade_no AND r.status = 'SUCCESS') AS refunded FROM orders o"
    f" UNION ALL SELECT 'alipay', {_COLUMNS}, (SELECT COALESCE(SUM(amount), 0) FROM alipay_refunds r"
    " WHERE r.out_trade_no = o.out_trade_no) FROM alipay_orders o"
)
WAITING = (
    f"SELECT * FROM ({ORDERS}) WHERE state IN ('NOTPAY', 'UNSCANNED', 'WAIT_BUYER_PAY')"  # noqa: S608
    " AND (expires_at IS NULL OR expires_at > ?) ORDER BY created_at DESC LIMIT ?"
)
PAID = f"SELECT * FROM ({ORDERS}) WHERE paid_at IS NOT NULL ORDER BY paid_at DESC LIMIT ?"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Found:
    """An order the payer has scanned, and whose it is."""

    row: sqlite3.Row
    wallet: str
    wallet_name: str

    @property
    def is_paid(self) -> bool:
        """True once the payer has paid it."""
        return self.row["paid_at"] is not None


def code_of(token: str) -> str:
    """The code's text for the token in the phone's addresses."""
    is_alipay = len(token) == ALIPAY_TOKEN and token.startswith("bax")
    return (alipay_trade.CODE_PREFIX if is_alipay else trade.CODE_URL_PREFIX) + token


def find(code: str) -> Found:
    """The order behind a code, scanned or not; PhoneError when it is no payment code."""
    with platform().store.read() as db:
        if code.strip().startswith(alipay_trade.CODE_PREFIX):
            row = alipay_trade.find_by_code(db, code)
            if row is not None:
                return Found(row, *ALIPAY)
        return Found(trade.find_by_code(db, code), *WECHAT)


def scan(code: str) -> Found:
    """The payer scans: PhoneError unless the order can be paid."""
    found = find(code)
    if found.wallet == "alipay":
        row = alipay().look(code)
        return Found(row or found.row, *ALIPAY)
    here = platform()
    with here.store.read() as db:
        trade.check_payable(found.row, here.business_time(db))
    return found


def pay(code: str) -> Found:
    """The payer pays: PhoneError when that cannot be."""
    found = find(code)
    if found.wallet == "alipay":
        row = alipay().pay(code)
        return Found(row or found.row, *ALIPAY)
    return Found(platform().pay(code), *WECHAT)
