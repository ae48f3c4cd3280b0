"""The gateway's side of the wire against the same literal bytes as the platform's side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from backend.wechat.pay import UntrustedError, WeChatPayConfig, WeChatPayGateway
from tests.unit.sandbox import vectors

SIGNED_AT = datetime.fromtimestamp(int(vectors.ANSWER_TIMESTAMP), UTC)
KEY_ID = "PUB_KEY_ID_0119000000010000"
HEADERS = {
    "Wechatpay-Timestamp": vectors.ANSWER_TIMESTAMP,
    "Wechatpay-Nonce": vectors.ANSWER_NONCE,
    "Wechatpay-Signature": vectors.ANSWER_SIGNATURE,
    "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    "Wechatpay-Serial": KEY_ID,
}


def make_gateway(now: Callable[[], datetime] = lambda: SIGNED_AT) -> WeChatPayGateway:
    config = WeChatPayConfig(
        mchid="1900000001",
        appid="wx0123456789abcdef",
        serial_no="A" * 40,
        private_key=vectors.PRIVATE_KEY,
        apiv3_key="k" * 32,
        platform_public_key=vectors.PUBLIC_KEY,
        platform_public_key_id=KEY_ID,
        # Port 9 is never served here: a call out would be seen as an error.
        base_url="http://127.0.0.1:9",
        notify_url="http://127.0.0.1:9/notify",
    )
    return WeChatPayGateway(config, now=now)


def verify(headers: dict[str, str], *, away: timedelta = timedelta()) -> bool:
    core = make_gateway(lambda: SIGNED_AT + away)._core
    return core._verify_signature(headers, vectors.ANSWER_BODY.decode())


def test_what_openssl_signed_is_believed() -> None:
    assert verify(HEADERS)


@pytest.mark.parametrize("minutes", [5, -5])
def test_five_minutes_are_still_fresh(minutes: int) -> None:
    assert verify(HEADERS, away=timedelta(minutes=minutes))


@pytest.mark.parametrize("seconds", [301, -301])
def test_more_than_five_minutes_are_not(seconds: int) -> None:
    with pytest.raises(UntrustedError, match="five minutes"):
        verify(HEADERS, away=timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("Wechatpay-Serial", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", "unknown key serial"),
        ("Wechatpay-Serial", "", "unknown key serial"),
        ("Wechatpay-Timestamp", "", "no timestamp"),
        ("Wechatpay-Timestamp", "-1554209980", "no timestamp"),
        ("Wechatpay-Timestamp", "１５５４２０９９８０", "no timestamp"),
        ("Wechatpay-Timestamp", "9" * 400, "no timestamp"),
        ("Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3", "unknown signature type"),
        ("Wechatpay-Nonce", "other", "wrong signature"),
        ("Wechatpay-Signature", "", "wrong signature"),
        ("Wechatpay-Signature", "不是签名", "wrong signature"),
        ("Wechatpay-Signature", vectors.REQUEST_SIGNATURE, "wrong signature"),
        (
            "Wechatpay-Signature",
            "WECHATPAY/SIGNTEST/" + vectors.ANSWER_SIGNATURE,
            "signature probe",
        ),
    ],
)
def test_any_other_header_is_not_believed(name: str, value: str, reason: str) -> None:
    with pytest.raises(UntrustedError, match=reason):
        verify({**HEADERS, name: value})


def test_a_missing_header_is_not_believed() -> None:
    for name in HEADERS:
        with pytest.raises(UntrustedError):
            verify({key: value for key, value in HEADERS.items() if key != name})
