"""The merchant's signature on requests, and forgetting everything."""

from __future__ import annotations

import pytest

from backend.sandbox import trade, wire
from backend.sandbox.errors import STATUS_OF_CODE, PlatformError
from backend.sandbox.platform import Platform
from tests.unit.sandbox.conftest import NOW, order_body

PATH = "/v3/pay/transactions/native"


def header(
    platform: Platform, timestamp: float = NOW, changes: dict[str, str] | None = None
) -> str:
    """An Authorization header over POST `PATH`; the test key is the merchant's here too."""
    stamp = str(int(timestamp))
    message = wire.request_message("POST", PATH, stamp, "N" * 32, b"{}")
    values = {
        "mchid": platform.keys.mchid,
        "nonce_str": "N" * 32,
        "signature": wire.sign(platform.keys.private_key, message),
        "timestamp": stamp,
        "serial_no": platform.keys.merchant_serial_no,
    } | (changes or {})
    return wire.SCHEME + " " + ",".join(f'{name}="{value}"' for name, value in values.items())


@pytest.mark.parametrize("difference", [0, 299, -299])
def test_a_fresh_signature_is_accepted(difference: float, platform: Platform) -> None:
    platform.check_request(header(platform, NOW + difference), "POST", PATH, b"{}")


@pytest.mark.parametrize("difference", [301, -301])
def test_an_old_or_future_signature_is_refused(difference: float, platform: Platform) -> None:
    with pytest.raises(PlatformError) as refusal:
        platform.check_request(header(platform, NOW + difference), "POST", PATH, b"{}")
    assert refusal.value.code == "SIGN_ERROR"
    assert refusal.value.status == 401


def test_a_signature_covers_method_path_and_body(platform: Platform) -> None:
    good = header(platform)
    for method, path, body in (
        ("PUT", PATH, b"{}"),
        ("POST", PATH + "?x=1", b"{}"),
        ("POST", PATH, b"{ }"),
    ):
        with pytest.raises(PlatformError, match="SIGN_ERROR"):
            platform.check_request(good, method, path, body)


@pytest.mark.parametrize(
    "fields",
    [
        {"mchid": "1900000002"},
        {"serial_no": "B" * 40},
        {"timestamp": "soon"},
        {"signature": ""},
        {"nonce_str": "other"},
    ],
)
def test_a_changed_field_is_refused(fields: dict[str, str], platform: Platform) -> None:
    with pytest.raises(PlatformError, match="SIGN_ERROR"):
        platform.check_request(header(platform, changes=fields), "POST", PATH, b"{}")


@pytest.mark.parametrize("value", [None, "", "Bearer x"])
def test_no_signature_is_refused(value: str | None, platform: Platform) -> None:
    with pytest.raises(PlatformError, match="SIGN_ERROR"):
        platform.check_request(value, "POST", PATH, b"{}")


def test_every_code_has_an_http_status() -> None:
    assert all(400 <= status <= 500 for status in STATUS_OF_CODE.values())


def test_reset_forgets_all_but_the_keys(platform: Platform) -> None:
    with platform.store.write() as db:
        code_url = trade.create_order(db, platform.keys, order_body(), NOW)
    platform.pay(code_url)
    platform.refund(
        {
            "out_trade_no": "XL20261123001",
            "out_refund_no": "RF1",
            "amount": {"refund": 1, "total": 2500},
        }
    )
    platform.set_clock_offset(60)
    platform.reset()
    with platform.store.read() as db:
        assert platform.business_time(db) == NOW
        for table in ("orders", "refunds", "notifications", "settings"):
            assert db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] == 0
