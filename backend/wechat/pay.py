"""The WeChat Pay gateway (Native, API v3): billing's `PaymentGateway` over `wechatpayv3`.

The only module that imports the library. It adds what the library leaves open: an answer or
notification counts only with a known key, a fresh timestamp and a signature that is no probe, and
must be about the order that was asked for; everything else is *unknown* or *forged*. Nothing here
logs bodies, and no method retries.

Source: WeChat Pay API v3 documentation (direct merchant; public-key mode).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core
from wechatpayv3.type import RequestType
from wechatpayv3.utils import build_authorization

from backend.billing.ports import (
    ForgedNotification,
    GatewayRefused,
    GatewayUnknown,
    RefundState,
    RefundStatus,
    TradeState,
    TradeStatus,
)
from backend.kernel.clock import utc_now

CHINA = timezone(timedelta(hours=8))
#: Older or newer than this and a signature is somebody's replay (or our clock is wrong).
MAX_CLOCK_DIFFERENCE = timedelta(minutes=5)
SIGNTEST_PREFIX = "WECHATPAY/SIGNTEST/"
LONGEST_DESCRIPTION = 127
LONGEST_REASON = 80

_HEADERS = (
    "Wechatpay-Timestamp",
    "Wechatpay-Nonce",
    "Wechatpay-Signature",
    "Wechatpay-Signature-Type",
    "Wechatpay-Serial",
)
_TRADE_STATES = {
    "SUCCESS": TradeState.SUCCESS,
    "REFUND": TradeState.REFUNDED,
    "NOTPAY": TradeState.NOT_PAID,
    "CLOSED": TradeState.CLOSED,
    "REVOKED": TradeState.CLOSED,
    "USERPAYING": TradeState.PAYING,
    "PAYERROR": TradeState.FAILED,
}
_REFUND_STATES = {
    "SUCCESS": RefundState.SUCCESS,
    "CLOSED": RefundState.CLOSED,
    "PROCESSING": RefundState.PROCESSING,
    "ABNORMAL": RefundState.ABNORMAL,
}
#: Refusals that may pass by themselves or say nothing about what happened.
_UNDECIDED_CODES = {
    "SYSTEM_ERROR",
    "BANK_ERROR",
    "BIZ_ERR_NEED_RETRY",
    "FREQUENCY_LIMITED",
    "RATELIMIT_EXCEEDED",
    "USERPAYING",
}


class UntrustedError(Exception):
    """Something signed reached us that we may not believe; the text says why, without its body."""


@dataclass(frozen=True)
class WeChatPayConfig:
    """A direct merchant's account in public-key mode. Keys are PEM texts and never shown."""

    mchid: str
    appid: str
    serial_no: str
    private_key: str = field(repr=False)
    apiv3_key: str = field(repr=False)
    platform_public_key: str = field(repr=False)
    platform_public_key_id: str
    base_url: str
    #: Where the platform sends payment and refund notifications; absolute, without a query.
    notify_url: str
    #: Seconds to connect, and to wait for an answer.
    timeout_seconds: float = 5.0


def load_merchant_file(path: Path, *, notify_url: str) -> WeChatPayConfig:
    """Read the JSON file a merchant account is handed over in.

    Fields: mchid, appid, serial_no, private_key, apiv3_key, public_key, public_key_id, base_url.
    OSError when it cannot be read, KeyError or ValueError when it is incomplete.
    """
    data = json.loads(path.read_text("utf-8"))
    return WeChatPayConfig(
        mchid=data["mchid"],
        appid=data["appid"],
        serial_no=data["serial_no"],
        private_key=data["private_key"],
        apiv3_key=data["apiv3_key"],
        platform_public_key=data["public_key"],
        platform_public_key_id=data["public_key_id"],
        base_url=data["base_url"],
        notify_url=notify_url,
    )


class _StrictCore(Core):  # type: ignore[misc]
    """The library's wire, believing less: every signed thing passes `_verify_signature`."""

    def __init__(self, config: WeChatPayConfig, now: Callable[[], datetime]) -> None:
        host = urlsplit(config.base_url).hostname or ""
        super().__init__(
            mchid=config.mchid,
            cert_serial_no=config.serial_no,
            private_key=config.private_key,
            apiv3_key=config.apiv3_key,
            timeout=config.timeout_seconds,
            public_key=config.platform_public_key,
            public_key_id=config.platform_public_key_id,
            # This machine is never reached through a proxy, whatever the environment says.
            proxy={"http": "", "https": ""} if host in ("127.0.0.1", "localhost") else None,
        )
        self._gate_way = config.base_url.rstrip("/")
        self._now = now

    def _verify_signature(self, headers: Mapping[str, str], body: str) -> bool:
        """True or UntrustedError; never asks the platform for certificates.

        The library would, for an unknown serial: a forged notification must not make us call out.
        """
        given = {name: headers.get(name, "") for name in _HEADERS}
        if given["Wechatpay-Serial"] != self._public_key_id:
            raise UntrustedError("unknown key serial")
        timestamp = given["Wechatpay-Timestamp"]
        if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
            raise UntrustedError("no timestamp")
        difference = self._now() - datetime.fromtimestamp(int(timestamp), UTC)
        if abs(difference) > MAX_CLOCK_DIFFERENCE:
            raise UntrustedError("timestamp more than five minutes off")
        if given["Wechatpay-Signature"].startswith(SIGNTEST_PREFIX):
            raise UntrustedError("signature probe")
        if given["Wechatpay-Signature-Type"] != "WECHATPAY2-SHA256-RSA2048":
            raise UntrustedError("unknown signature type")
        if not super()._verify_signature(given, body):
            raise UntrustedError("wrong signature")
        return True

    def open_stream(self, path: str) -> requests.Response:
        """A signed GET whose answer is read piece by piece; the library has whole answers only."""
        key = (self._mchid, self._cert_serial_no, self._private_key)
        signed = build_authorization(path, "GET", *key)
        headers = {"Authorization": signed, "Wechatpay-Serial": self._public_key_id}
        options = {"headers": headers, "proxies": self._proxy, "timeout": self._timeout}
        return requests.get(self._gate_way + path, stream=True, **options)  # noqa: S113 - in options


class WeChatPayGateway:
    """`PaymentGateway` for Native payment; thread-safe, keeps no state between calls."""

    channel = "wechat_native"

    def __init__(self, config: WeChatPayConfig, *, now: Callable[[], datetime] = utc_now) -> None:
        self._config = config
        self._client = WeChatPay(
            wechatpay_type=WeChatPayType.NATIVE,
            mchid=config.mchid,
            private_key=config.private_key,
            cert_serial_no=config.serial_no,
            appid=config.appid,
            apiv3_key=config.apiv3_key,
            notify_url=config.notify_url,
            public_key=config.platform_public_key,
            public_key_id=config.platform_public_key_id,
        )
        self._core = _StrictCore(config, now)
        # The library has no setting for address or strictness: replacing its wire is the one way.
        self._client._core = self._core  # noqa: SLF001

    def create_native(
        self, *, out_trade_no: str, amount_fen: int, description: str, expires_at: datetime
    ) -> str:
        """Open an order; see the port. `description` is cut to the platform's 127 characters."""
        if expires_at.tzinfo is None:
            raise ValueError("expires_at must be timezone-aware")
        answer = self._ask(
            lambda: self._client.pay(
                description=description[:LONGEST_DESCRIPTION],
                out_trade_no=out_trade_no,
                amount={"total": amount_fen, "currency": "CNY"},
                time_expire=expires_at.astimezone(CHINA).isoformat(timespec="seconds"),
            )
        )
        return _text(answer, "code_url")

    def query(self, out_trade_no: str) -> TradeStatus:
        """Ask for an order by our number; see the port."""
        path = f"/v3/pay/transactions/out-trade-no/{quote(out_trade_no, safe='')}"
        try:
            answer = self._ask(lambda: self._core.request(f"{path}?mchid={self._config.mchid}"))
        except GatewayRefused as refusal:
            if refusal.code in ("ORDER_NOT_EXIST", "ORDERNOTEXIST"):
                return TradeStatus(out_trade_no, TradeState.NOT_FOUND)
            raise
        status = self._read_trade(answer)
        if status.out_trade_no != out_trade_no:
            raise GatewayUnknown("the answer is about another order")
        return status

    def close(self, out_trade_no: str) -> None:
        """Close an unpaid order; see the port."""
        path = f"/v3/pay/transactions/out-trade-no/{quote(out_trade_no, safe='')}/close"
        body = {"mchid": self._config.mchid}
        try:
            self._ask(lambda: self._core.request(path, method=RequestType.POST, data=body))
        except GatewayRefused as refusal:
            if refusal.code not in ("ORDER_CLOSED", "ORDERCLOSED"):
                raise

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
            lambda: self._client.refund(
                out_refund_no=out_refund_no,
                out_trade_no=out_trade_no,
                amount={"refund": amount_fen, "total": total_fen, "currency": "CNY"},
                reason=reason[:LONGEST_REASON] or None,
                notify_url=self._config.notify_url,
            )
        )
        return self._expect_refund(answer, out_refund_no)

    def query_refund(self, out_refund_no: str, out_trade_no: str) -> RefundStatus:
        """Ask for a refund by our number; see the port."""
        path = f"/v3/refund/domestic/refunds/{quote(out_refund_no, safe='')}"
        try:
            answer = self._ask(lambda: self._core.request(path))
        except GatewayRefused as refusal:
            if refusal.code in ("RESOURCE_NOT_EXISTS", "REFUND_NOT_EXISTS", "REFUNDNOTEXIST"):
                return RefundStatus(out_refund_no, None, RefundState.NOT_FOUND)
            raise
        return self._expect_refund(answer, out_refund_no)

    def parse_notification(
        self, headers: Mapping[str, str], body: bytes
    ) -> TradeStatus | RefundStatus:
        """Verify and decrypt one notification; ForgedNotification says why it is not believed.

        Header names are matched without regard to case.
        """
        by_lower_name = {name.lower(): value for name, value in headers.items()}
        given = {name: by_lower_name.get(name.lower(), "") for name in _HEADERS}
        try:
            notice = self._client.callback(given, body.decode("utf-8"))
            if not isinstance(notice, dict) or not isinstance(notice.get("resource"), dict):
                raise UntrustedError("nothing readable inside")
            resource = notice["resource"]
            if resource.get("mchid") != self._config.mchid:
                raise UntrustedError("another merchant")
            if "refund_status" in resource:
                return _read_refund(resource, resource["refund_status"])
            if resource.get("appid") != self._config.appid:
                raise UntrustedError("another application")
            return _read_trade(resource)
        except UntrustedError as error:
            raise ForgedNotification(str(error)) from error
        except (ValueError, TypeError, AttributeError, KeyError, GatewayUnknown) as error:
            # Signed by the platform yet unreadable: never taken for a payment.
            raise ForgedNotification("unreadable content") from error

    def ask_for(self, path: str) -> dict[str, Any]:
        """GET a signed answer by its path and query; for the account's other papers."""
        return self._ask(lambda: self._core.request(path))

    def open_download(self, address: str) -> requests.Response:
        """GET a file of this account, signed, as a stream; its answer carries no signature."""
        base = self._config.base_url.rstrip("/")
        if not address.startswith(f"{base}/v3/"):
            raise GatewayUnknown("a download address that is not the platform's")
        return self._core.open_stream(address.removeprefix(base))

    def _ask(self, call: Callable[[], tuple[int, str | bytes]]) -> dict[str, Any]:
        """One call: its JSON object ({} for 204), or GatewayRefused, or GatewayUnknown."""
        try:
            status, content = call()
        except requests.RequestException as error:
            raise GatewayUnknown(f"no answer: {type(error).__name__}") from error
        except UntrustedError as error:
            raise GatewayUnknown(f"answer not believed: {error}") from error
        if status == 204:
            return {}
        answer = _json_object(content)
        if status == 200 and answer is not None:
            return answer
        code = answer.get("code") if answer else None
        if not 400 <= status < 500 or status == 429 or not isinstance(code, str):
            raise GatewayUnknown(f"HTTP {status}")
        if code in _UNDECIDED_CODES:
            raise GatewayUnknown(f"HTTP {status} {code}")
        raise GatewayRefused(code, str(answer.get("message", "")) if answer else "")

    def _read_trade(self, answer: dict[str, Any]) -> TradeStatus:
        mine = (self._config.mchid, self._config.appid)
        if (answer.get("mchid"), answer.get("appid")) != mine:
            raise GatewayUnknown("the answer is about another merchant")
        return _read_trade(answer)

    def _expect_refund(self, answer: dict[str, Any], out_refund_no: str) -> RefundStatus:
        status = _read_refund(answer, answer.get("status"))
        if status.out_refund_no != out_refund_no:
            raise GatewayUnknown("the answer is about another refund")
        return status


def _json_object(content: str | bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _read_trade(answer: dict[str, Any]) -> TradeStatus:
    state = _TRADE_STATES.get(_text(answer, "trade_state"))
    if state is None:
        raise GatewayUnknown("unknown trade state")
    is_paid = state.is_paid
    return TradeStatus(
        out_trade_no=_text(answer, "out_trade_no"),
        state=state,
        amount_fen=_fen(answer, "total") if is_paid or "amount" in answer else None,
        transaction_id=_text(answer, "transaction_id") if is_paid else None,
        paid_at=_moment(answer, "success_time") if is_paid else None,
    )


def _read_refund(answer: dict[str, Any], state_word: object) -> RefundStatus:
    state = _REFUND_STATES.get(str(state_word))
    if state is None:
        raise GatewayUnknown("unknown refund state")
    return RefundStatus(
        out_refund_no=_text(answer, "out_refund_no"),
        out_trade_no=_text(answer, "out_trade_no"),
        state=state,
        amount_fen=_fen(answer, "refund"),
        refund_id=_text(answer, "refund_id"),
        succeeded_at=_moment(answer, "success_time") if state is RefundState.SUCCESS else None,
    )


def _text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise GatewayUnknown(f"the answer has no {name}")
    return value


def _fen(answer: dict[str, Any], name: str) -> int:
    amount = answer.get("amount")
    value = amount.get(name) if isinstance(amount, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise GatewayUnknown(f"the answer has no amount.{name}")
    if isinstance(amount, dict) and amount.get("currency", "CNY") != "CNY":
        raise GatewayUnknown("the answer is not in CNY")
    return value


def _moment(answer: dict[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(answer, name))
    except ValueError as error:
        raise GatewayUnknown(f"{name} is no time") from error
    if moment.tzinfo is None:
        raise GatewayUnknown(f"{name} has no zone")
    return moment.astimezone(UTC)
