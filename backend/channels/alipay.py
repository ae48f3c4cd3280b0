"""The Alipay gateway (face-to-face QR, 当面付): billing's `PaymentGateway` over Alipay's open gateway.

What Alipay does differently from WeChat Pay, and what follows:

- A code is no trade until somebody scans it: a query before that says *not found*. So an order is
  ended by `alipay.trade.close`, and only when no trade exists by `alipay.trade.cancel`. (Cancel also
  gives the money of a paid trade back, which is why it never comes first.)
- A trade whose money went back whole is TRADE_CLOSED, paid before or not: we hold nothing of it, so
  it counts as closed. Partly refunded trades stay TRADE_SUCCESS.
- Refunds answer at once; ``fund_change`` N leaves the outcome to the refund query, and a query
  without ``refund_status`` means *ask again under the same number*, which Alipay recognises.

Nothing here logs bodies, and no method retries. Source: Alipay open platform, 当面付 API 1.0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import Any, cast
from urllib.parse import parse_qsl

import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from backend.billing.ports import (
    ForgedNotification,
    GatewayRefused,
    GatewayUnknown,
    RefundState,
    RefundStatus,
    TradeState,
    TradeStatus,
)
from backend.channels import alipay_wire as wire
from backend.channels.http import session_to
from backend.kernel.clock import utc_now
from backend.kernel.money import from_yuan, to_yuan

LONGEST_SUBJECT = 128
NOTIFY_PATH = "/alipay/notify"

_TRADE_STATES = {
    "WAIT_BUYER_PAY": TradeState.NOT_PAID,
    "TRADE_SUCCESS": TradeState.SUCCESS,
    "TRADE_FINISHED": TradeState.SUCCESS,
    "TRADE_CLOSED": TradeState.CLOSED,
}
#: Refusals that mean the same as a word the port already has.
_PORT_WORDS = {
    "ACQ.TRADE_HAS_SUCCESS": "ORDERPAID",
    "ACQ.TRADE_HAS_CLOSE": "ORDER_CLOSED",
    "ACQ.CONTEXT_INCONSISTENT": "OUT_TRADE_NO_USED",
}
#: Refusals that say nothing about what happened.
_UNDECIDED = ("SYSTEM_ERROR", "UNKNOW-ERROR", "UNKNOWN", "TRY_AGAIN")
TRADE_ABSENT = "ACQ.TRADE_NOT_EXIST"


@dataclass(frozen=True)
class AlipayConfig:
    """A merchant's application at Alipay. Keys are never shown."""

    app_id: str
    seller_id: str
    gateway: str
    notify_url: str
    private_key: RSAPrivateKey = field(repr=False)
    alipay_public_key: RSAPublicKey = field(repr=False)
    timeout_seconds: float = 5.0


def load_alipay_file(path: Path, *, notify_url: str) -> AlipayConfig:
    """Read the JSON file an application is handed over in.

    Fields: app_id, seller_id, gateway, private_key and alipay_public_key (PEM). OSError when it
    cannot be read, KeyError or ValueError when it is incomplete.
    """
    data = json.loads(path.read_text("utf-8"))
    return AlipayConfig(
        app_id=data["app_id"],
        seller_id=data["seller_id"],
        gateway=data["gateway"],
        notify_url=notify_url,
        private_key=cast(
            RSAPrivateKey, load_pem_private_key(data["private_key"].encode(), password=None)
        ),
        alipay_public_key=cast(
            RSAPublicKey, load_pem_public_key(data["alipay_public_key"].encode())
        ),
    )


class AlipayGateway:
    """`PaymentGateway` for Alipay's QR codes; thread-safe, keeps no state between calls.

    ``load`` gives the account; it is asked again at each use until it does: where the file may come
    later than the program (the platform is started beside it), acts end *unknown* until then.
    """

    channel = "alipay_qr"

    def __init__(
        self,
        load: Callable[[], AlipayConfig],
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._load, self._now = load, now
        self._lock = Lock()
        self._opened: AlipayConfig | None = None

    @property
    def config(self) -> AlipayConfig:
        """The account; GatewayUnknown while its file is missing."""
        with self._lock:
            if self._opened is None:
                try:
                    self._opened = self._load()
                except FileNotFoundError as error:
                    raise GatewayUnknown("the Alipay account is not there yet") from error
            return self._opened

    # --- the port ------------------------------------------------------------------------

    def create_native(
        self, *, out_trade_no: str, amount_fen: int, description: str, expires_at: datetime
    ) -> str:
        """Make a code for an order (alipay.trade.precreate); see the port."""
        if expires_at.tzinfo is None:
            raise ValueError("expires_at must be timezone-aware")
        content = {
            "out_trade_no": out_trade_no,
            "total_amount": to_yuan(amount_fen),
            "subject": description[:LONGEST_SUBJECT],
            "time_expire": wire.to_beijing(expires_at),
            "product_code": "FACE_TO_FACE_PAYMENT",
        }
        answer = self._ask("alipay.trade.precreate", content, notify=True)
        self._expect(answer, out_trade_no)
        return _text(answer, "qr_code")

    def query(self, out_trade_no: str) -> TradeStatus:
        """Ask for a trade by our number; a code nobody has scanned is NOT_FOUND."""
        try:
            answer = self._ask("alipay.trade.query", {"out_trade_no": out_trade_no})
        except GatewayRefused as refusal:
            if refusal.code == TRADE_ABSENT:
                return TradeStatus(out_trade_no, TradeState.NOT_FOUND)
            raise
        self._expect(answer, out_trade_no)
        return _read_trade(answer, "send_pay_date")

    def close(self, out_trade_no: str) -> None:
        """End an order: close its trade, or cancel a code that nobody has scanned; see the port."""
        content = {"out_trade_no": out_trade_no}
        try:
            answer = self._ask("alipay.trade.close", content)
        except GatewayRefused as refusal:
            if refusal.code == TRADE_ABSENT:
                answer = self._ask("alipay.trade.cancel", content)
            elif refusal.code == "ACQ.TRADE_STATUS_ERROR":
                self._require_closed(out_trade_no, refusal)
                return
            else:
                raise
        self._expect(answer, out_trade_no)

    def refund(
        self,
        *,
        out_refund_no: str,
        out_trade_no: str,
        amount_fen: int,
        total_fen: int,
        reason: str,
    ) -> RefundStatus:
        """Give money back to where it came from; see the port."""
        answer = self._ask(
            "alipay.trade.refund",
            {
                "out_trade_no": out_trade_no,
                "out_request_no": out_refund_no,
                "refund_amount": to_yuan(amount_fen),
                "refund_reason": reason[:LONGEST_SUBJECT],
            },
        )
        self._expect(answer, out_trade_no)
        if answer.get("fund_change") != "Y":
            found = self.query_refund(out_refund_no, out_trade_no)
            if found.state is RefundState.NOT_FOUND:  # it has just arrived
                return RefundStatus(out_refund_no, out_trade_no, RefundState.PROCESSING)
            return found
        return RefundStatus(
            out_refund_no,
            out_trade_no,
            RefundState.SUCCESS,
            amount_fen,
            str(answer.get("trade_no", ""))[:64] or None,
            self._now(),
        )

    def query_refund(self, out_refund_no: str, out_trade_no: str) -> RefundStatus:
        """Ask how a refund stands.

        Alipay names no refund that has not arrived, and gives one that has no ``refund_status`` before the money
        is back. Either may have failed, so both are NOT_FOUND: who asked sends it again under the same number.
        """
        content = {"out_trade_no": out_trade_no, "out_request_no": out_refund_no}
        try:
            answer = self._ask("alipay.trade.fastpay.refund.query", content)
        except GatewayRefused as refusal:
            if refusal.code == TRADE_ABSENT:
                return RefundStatus(out_refund_no, None, RefundState.NOT_FOUND)
            raise
        if "out_request_no" not in answer or "refund_status" not in answer:
            return RefundStatus(out_refund_no, None, RefundState.NOT_FOUND)
        self._expect(answer, out_trade_no)
        if answer["out_request_no"] != out_refund_no:
            raise GatewayUnknown("the answer is about another refund")
        if answer["refund_status"] != "REFUND_SUCCESS":
            return RefundStatus(out_refund_no, out_trade_no, RefundState.PROCESSING)
        arrived = answer.get("gmt_refund_pay")
        return RefundStatus(
            out_refund_no,
            out_trade_no,
            RefundState.SUCCESS,
            _fen(answer, "refund_amount"),
            str(answer.get("trade_no", ""))[:64] or None,
            _moment(arrived) if isinstance(arrived, str) else None,
        )

    def find_bill(self, day: date) -> str:
        """Where the trade bill of a day can be fetched within the next half minute, by anybody who knows the address.

        GatewayRefused (``…bill_not_exist``) while there is none, or for a day without one.
        """
        content = {"bill_type": "trade", "bill_date": day.isoformat()}
        answer = self._ask("alipay.data.dataservice.bill.downloadurl.query", content)
        return _text(answer, "bill_download_url")

    def parse_notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> TradeStatus | RefundStatus:
        """Verify one notification (a signed form) and read what it says about its trade.

        Alipay signs no freshness worth checking: a replay repeats a true word about the same order,
        which billing recognises.
        """
        try:
            pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True)
            given = dict(pairs)
            if len(given) != len(pairs):
                raise wire.Untrusted("a name twice")
            if given.get("sign_type") != "RSA2":
                raise wire.Untrusted("unknown signature type")
            message = wire.message_of(given, without=("sign", "sign_type"))
            wire.verify(self.config.alipay_public_key, message, given.get("sign", ""))
            mine = (self.config.app_id, self.config.seller_id)
            if (given.get("app_id"), given.get("seller_id")) != mine:
                raise wire.Untrusted("another merchant")
            return _read_trade(given, "gmt_payment")
        except wire.Untrusted as error:
            raise ForgedNotification(str(error)) from error
        except (ValueError, GatewayUnknown) as error:
            raise ForgedNotification("unreadable content") from error

    # --- the wire ------------------------------------------------------------------------

    def _require_closed(self, out_trade_no: str, refusal: GatewayRefused) -> None:
        """A trade that cannot be closed is either closed already or paid."""
        state = self.query(out_trade_no).state
        if state.is_paid:
            raise GatewayRefused("ORDERPAID", "the trade is paid") from refusal
        if state is not TradeState.CLOSED:
            raise refusal

    def _ask(
        self, method: str, content: Mapping[str, str], *, notify: bool = False
    ) -> dict[str, Any]:
        """One call: the verified response object of a success, GatewayRefused or GatewayUnknown."""
        config = self.config
        parameters = {
            "app_id": config.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": wire.to_beijing(self._now()),
            "version": "1.0",
            "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        }
        if notify:
            parameters["notify_url"] = config.notify_url
        parameters["sign"] = wire.sign(config.private_key, wire.message_of(parameters))
        body = self._post(config, parameters)
        try:
            answer = wire.open_answer(config.alipay_public_key, method, body)
        except wire.Untrusted as error:
            raise GatewayUnknown(f"answer not believed: {error}") from error
        code, sub_code = str(answer.get("code")), str(answer.get("sub_code", ""))
        if code == "10000":
            return answer
        if code == "20000" or not sub_code or any(word in sub_code for word in _UNDECIDED):
            raise GatewayUnknown(f"{code} {sub_code}")
        raise GatewayRefused(_PORT_WORDS.get(sub_code, sub_code), str(answer.get("sub_msg", "")))

    def _post(self, config: AlipayConfig, parameters: Mapping[str, str]) -> bytes:
        try:
            with session_to(config.gateway) as session:
                answer = session.post(
                    config.gateway,
                    data=dict(parameters),
                    timeout=config.timeout_seconds,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise GatewayUnknown(f"no answer: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise GatewayUnknown(f"HTTP {answer.status_code}")
        return answer.content

    @staticmethod
    def _expect(answer: Mapping[str, Any], out_trade_no: str) -> None:
        if answer.get("out_trade_no") != out_trade_no:
            raise GatewayUnknown("the answer is about another order")


def _read_trade(said: Mapping[str, Any], paid_at: str) -> TradeStatus:
    """What an answer or a notification says; the payment's time stands under `paid_at`."""
    state = _TRADE_STATES.get(_text(said, "trade_status"))
    if state is None:
        raise GatewayUnknown("unknown trade state")
    moment = said.get(paid_at)
    trade_no = said.get("trade_no")
    return TradeStatus(
        _text(said, "out_trade_no"),
        state,
        _fen(said, "total_amount"),
        str(trade_no)[:64] if trade_no and state.is_paid else None,
        _moment(moment) if isinstance(moment, str) and moment and state.is_paid else None,
    )


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise GatewayUnknown(f"the answer has no {name}")
    return value


def _fen(answer: Mapping[str, Any], name: str) -> int:
    try:
        return from_yuan(_text(answer, name))
    except ValueError as error:
        raise GatewayUnknown(f"{name} is no amount") from error


def _moment(text: str) -> datetime:
    try:
        return wire.from_beijing(text)
    except ValueError as error:
        raise GatewayUnknown("no time") from error
