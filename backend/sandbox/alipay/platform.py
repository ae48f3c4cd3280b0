"""Alipay as one object over the sandbox's platform: its keys, its payer's acts, its notifications."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import rsa

from backend.sandbox import notices
from backend.sandbox import wire as rsa2
from backend.sandbox.alipay import trade, wire
from backend.sandbox.alipay.keys import AlipayKeys
from backend.sandbox.errors import PlatformError
from backend.sandbox.faults import Fault, take_fault
from backend.sandbox.platform import Platform
from backend.sandbox.store import Store, find_one

#: What its rows in the outbox of notifications are marked with.
EVENT = ("trade_status_sync", "支付成功", "alipay")
STRANGE_APP = "2021000000000000"


@dataclass
class AlipayPlatform:
    """Everything Alipay is, beside HTTP; store, clock and faults are the sandbox's."""

    keys: AlipayKeys
    base: Platform

    def __post_init__(self) -> None:
        self.base.builders[EVENT[2]] = self.build_notification

    @property
    def store(self) -> Store:
        """The sandbox's memory."""
        return self.base.store

    @property
    def stopping(self) -> threading.Event:
        """Set when the sandbox ends."""
        return self.base.stopping

    def real_time(self) -> float:
        """The machine's time."""
        return self.base.real_time()

    def business_time(self, db: sqlite3.Connection) -> float:
        """The time by which codes expire and payments are dated."""
        return self.base.business_time(db)

    @cached_property
    def _stranger(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, message: bytes, *, is_forged: bool = False) -> str:
        """The platform's signature of `message`, or a stranger's."""
        return rsa2.sign(self._stranger if is_forged else self.keys.private_key, message)

    def look(self, code: str) -> sqlite3.Row | None:
        """The payer scans a code and sees what it asks; None when the code is not ours."""
        with self.store.write() as db:
            row = trade.find_by_code(db, code)
            return None if row is None else trade.scan(db, row, self.business_time(db))

    def pay(self, code: str) -> sqlite3.Row | None:
        """The payer scans and pays; None when the code is not ours."""
        with self.store.write() as db:
            row = trade.find_by_code(db, code)
            if row is None:
                return None
            paid = trade.pay(db, row, self.business_time(db))
            fault = take_fault(db, "notification", out_trade_no=paid["out_trade_no"])
            self._queue(db, paid, fault)
        self.base.wake.set()
        return paid

    def forge(self, out_trade_no: str, forgery: str) -> None:
        """An attacker claims that an order was paid; ORDER_NOT_EXIST for an order we do not know."""
        with self.store.write() as db:
            row = find_one(db, trade.BY_OUT_TRADE_NO, out_trade_no)
            if row is None:
                raise PlatformError("ORDER_NOT_EXIST", "订单不存在")
            self._queue(db, row, Fault(mode="forge", forgery=forgery))
        self.base.wake.set()

    def _queue(self, db: sqlite3.Connection, row: sqlite3.Row, fault: Fault) -> None:
        if row["notify_url"] is None:
            return
        notices.queue_notice(
            db,
            subject=row["out_trade_no"],
            url=row["notify_url"],
            event=EVENT,
            resource=trade.notice_parameters(row, self.keys.app_id, self.keys.seller_id),
            fault=fault,
            now=self.real_time(),
        )

    def build_notification(self, row: sqlite3.Row) -> tuple[dict[str, str], bytes]:
        """Headers and form of one stored notification, as it goes over the wire now."""
        parameters: dict[str, str] = json.loads(row["resource"])
        parameters |= {
            "notify_id": row["event_id"] + secrets.token_hex(4),
            "notify_time": wire.beijing(self.real_time()),
            "sign_type": "RSA2",
        }
        forgery = row["forgery"]
        if forgery == "amount":
            cents = wire.fen(parameters["total_amount"]) + 1
            parameters |= {"total_amount": wire.yuan(cents), "receipt_amount": wire.yuan(cents)}
        elif forgery == "serial":
            parameters["app_id"] = STRANGE_APP
        signature = self.sign(wire.notice_message(parameters), is_forged=forgery == "signature")
        if forgery == "signtest":
            signature = "SIGNTEST" + signature
        elif forgery in ("timestamp", "cipher"):
            # Signed as one thing, sent as another.
            parameters["gmt_payment"] = wire.beijing(row["created_at"] - 3600)
        body = urlencode({**parameters, "sign": signature}).encode()
        return {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}, body
