"""The platform as one object: keys, memory, clock, and the acts that join several tables.

`Platform` is what the HTTP routes and the notifier share. Business time is real time plus an offset
that the controls may set; signatures and deliveries always use real time.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from backend.sandbox import notices, refunds, trade, wire
from backend.sandbox.errors import PlatformError
from backend.sandbox.faults import Fault, take_fault
from backend.sandbox.keys import PlatformKeys
from backend.sandbox.store import Store, get_setting, put_setting

#: A request older or newer than this is refused, as is an answer by the merchant.
CLOCK_TOLERANCE = 300.0
STALE_BY = 600.0
#: Emptied by a reset, children before parents; the keys stay.
RESET_TABLES = (
    *("refunds", "orders", "alipay_refunds", "alipay_orders"),
    *("bank_transactions", "bank_terminals"),
    "einvoices",
    *(
        "insurance_fees",
        "insurance_cancellings",
        "insurance_settlements",
        "insurance_visits",
        "insurance_reversed",
    ),
)


@dataclass(frozen=True)
class Timing:
    """How fast this platform is. The real one retries after 15 s, 15 s, 30 s, 3 min … 6 h."""

    retry_seconds: tuple[float, ...] = (1.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
    settle_seconds: float = 1.0
    #: The platform waits this long for the merchant's answer to a notification.
    notify_timeout: float = 5.0


@dataclass
class Platform:
    """Everything the sandbox is, beside HTTP."""

    keys: PlatformKeys
    store: Store
    timing: Timing = field(default_factory=Timing)
    real_time: Callable[[], float] = time.time
    stopping: threading.Event = field(default_factory=threading.Event)
    #: Set whenever a notification may have become due.
    wake: threading.Event = field(default_factory=threading.Event)
    #: Who builds the notifications of another platform, by their original_type.
    builders: dict[str, Callable[[sqlite3.Row], tuple[dict[str, str], bytes]]] = field(
        default_factory=dict
    )

    @cached_property
    def _stranger(self) -> rsa.RSAPrivateKey:
        """A key that nobody was told of, for signatures that must fail."""
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    # --- clock -----------------------------------------------------------------------------

    def business_time(self, db: sqlite3.Connection) -> float:
        """The time by which orders expire and payments are dated, in epoch seconds."""
        return self.real_time() + float(get_setting(db, "clock_offset", 0.0))

    def set_clock_offset(self, seconds: float) -> None:
        """Move business time by `seconds` against real time."""
        with self.store.write() as db:
            put_setting(db, "clock_offset", seconds)
        self.wake.set()

    # --- signatures ------------------------------------------------------------------------

    def check_request(
        self, header: str | None, method: str, path_and_query: str, body: bytes
    ) -> None:
        """Accept only the merchant's own, fresh signature of exactly these bytes (SIGN_ERROR)."""
        if not header:
            raise PlatformError("SIGN_ERROR", "Http头缺少Authorization")
        try:
            given = wire.parse_authorization(header)
        except ValueError as error:
            raise PlatformError("SIGN_ERROR", "Http头Authorization值格式错误") from error
        if given.mchid != self.keys.mchid or given.serial_no != self.keys.merchant_serial_no:
            raise PlatformError("SIGN_ERROR", "商户证书序列号有误")
        if (
            not given.timestamp.isdecimal()
            or abs(self.real_time() - int(given.timestamp)) > CLOCK_TOLERANCE
        ):
            raise PlatformError("SIGN_ERROR", "timestamp与发起请求的时间不得超过5分钟")
        message = wire.request_message(
            method, path_and_query, given.timestamp, given.nonce_str, body
        )
        if not wire.verify(self.keys.merchant_public_key, message, given.signature):
            raise PlatformError("SIGN_ERROR", "签名错误，请检查后再试")

    def signed_headers(self, body: bytes, forgery: str | None = None) -> dict[str, str]:
        """The Wechatpay-* headers over `body`; `forgery` (a fault) makes them wrong in one way."""
        stale = STALE_BY if forgery == "timestamp" else 0.0
        timestamp, nonce = str(int(self.real_time() - stale)), notices.new_nonce(32)
        key = self._stranger if forgery == "signature" else self.keys.private_key
        signature = wire.sign(key, wire.answer_message(timestamp, nonce, body))
        if forgery == "signtest":
            signature = wire.SIGNTEST_PREFIX + signature
        serial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
        return {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": signature,
            "Wechatpay-Signature-Type": wire.SCHEME,
            "Wechatpay-Serial": serial if forgery == "serial" else self.keys.public_key_id,
        }

    def build_notification(self, row: sqlite3.Row) -> tuple[dict[str, str], bytes]:
        """Headers and body of one stored notification, as they go over the wire now."""
        if (builder := self.builders.get(row["original_type"])) is not None:
            return builder(row)
        resource, apiv3_key = json.loads(row["resource"]), self.keys.apiv3_key
        if row["forgery"] == "amount":
            amount = resource["amount"]
            amount["refund" if "refund" in amount else "total"] += 1
        elif row["forgery"] == "cipher":
            apiv3_key = apiv3_key[::-1]
        nonce = notices.new_nonce(12)
        ciphertext = wire.encrypt_resource(
            apiv3_key,
            nonce=nonce,
            associated_data=row["original_type"],
            plain=json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode(),
        )
        created = trade.rfc3339(row["created_at"])
        body = notices.envelope(row, created=created, ciphertext=ciphertext, nonce=nonce)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return headers | self.signed_headers(body, row["forgery"]), body

    # --- acts ------------------------------------------------------------------------------

    def pay(self, code_url: str) -> sqlite3.Row:
        """The payer pays the order behind `code_url`; PhoneError when that cannot be."""
        with self.store.write() as db:
            row = trade.find_by_code(db, code_url)
            paid = trade.pay_order(db, row, self.business_time(db))
            number = paid["out_trade_no"]
            fault = take_fault(db, "notification", out_trade_no=number)
            notices.queue_payment_notice(
                db,
                paid["notify_url"],
                trade.order_json(paid, self.keys),
                fault,
                self.real_time(),
            )
        self.wake.set()
        return paid

    def refund(self, body: dict[str, Any]) -> dict[str, Any]:
        """Accept a refund request and answer it as the API does."""
        refusal: PlatformError | None = None
        answer: dict[str, Any] = {}
        with self.store.write() as db:
            try:
                row = refunds.create_refund(
                    db,
                    body,
                    now=self.business_time(db),
                    settle_after=self.timing.settle_seconds,
                    take=lambda: take_fault(db, "refund", out_trade_no=body.get("out_trade_no")),
                )
                answer = refunds.refund_json(row, trade.find_order(db, row["out_trade_no"]))
            except PlatformError as error:
                # Raised after the commit: a fault that was used up stays used up.
                refusal = error
        if refusal is not None:
            raise refusal
        self.wake.set()
        return answer

    def settle(self, db: sqlite3.Connection) -> None:
        """Bring due refunds to their end and queue their notifications."""
        for row in refunds.settle_refunds(db, self.business_time(db)):
            if row["notify_url"] is None:
                continue
            order = trade.find_order(db, row["out_trade_no"])
            fault = take_fault(db, "notification", out_trade_no=row["out_trade_no"])
            notice = refunds.refund_notice_json(row, order, self.keys)
            notices.queue_refund_notice(db, row["notify_url"], notice, fault, self.real_time())
            self.wake.set()

    def forge(self, out_trade_no: str, forgery: str) -> None:
        """An attacker claims that an order was paid: queue one forged notification about it."""
        with self.store.write() as db:
            row = trade.find_order(db, out_trade_no)
            claim = trade.order_json(row, self.keys) | {
                "trade_state": "SUCCESS",
                "trade_state_desc": "支付成功",
                "trade_type": "NATIVE",
                "bank_type": "OTHERS",
                "success_time": trade.rfc3339(self.business_time(db)),
                "transaction_id": trade.order_number("420000", self.business_time(db), 28),
                "payer": {"openid": trade.PAYER_OPENID},
            }
            fault = Fault(mode="forge", forgery=forgery)
            notices.queue_payment_notice(db, row["notify_url"], claim, fault, self.real_time())
        self.wake.set()

    def reset(self) -> None:
        """Forget every order, refund, notification, fault and the clock; keep the keys."""
        with self.store.write() as db:
            db.execute("DELETE FROM notifications")
            for table in RESET_TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
            db.execute("DELETE FROM settings")
