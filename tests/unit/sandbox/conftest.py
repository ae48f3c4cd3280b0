"""A platform of the test's own: fixed keys, an empty store and a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from backend.sandbox.keys import PlatformKeys
from backend.sandbox.platform import Platform, Timing
from backend.sandbox.store import Store
from tests.unit.sandbox import vectors

#: 2026-11-23 09:30:00 in China.
NOW = 1795397400.0


@dataclass
class Clock:
    """Epoch seconds that move only when told."""

    now: float = field(default=NOW)

    def __call__(self) -> float:
        return self.now


def make_keys() -> PlatformKeys:
    key = cast(RSAPrivateKey, load_pem_private_key(vectors.PRIVATE_KEY.encode(), None))
    return PlatformKeys(
        mchid="1900000001",
        appid="wx0123456789abcdef",
        merchant_name="杏林肿瘤医院",
        merchant_serial_no="A" * 40,
        merchant_public_key=key.public_key(),
        apiv3_key="k" * 32,
        public_key_id="PUB_KEY_ID_0119000000010000",
        private_key=key,
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(tmp_path: Path, clock: Clock) -> Iterator[Platform]:
    store = Store(tmp_path / "sandbox.sqlite3")
    timing = Timing(retry_seconds=(15.0, 30.0), settle_seconds=2.0)
    yield Platform(make_keys(), store, timing, real_time=clock)
    store.close()


def order_body(**changes: Any) -> dict[str, Any]:
    """A rightful Native request, with some fields changed; None takes a field away."""
    body = {
        "mchid": "1900000001",
        "appid": "wx0123456789abcdef",
        "description": "挂号费",
        "out_trade_no": "XL20261123001",
        "time_expire": "2026-11-23T09:45:00+08:00",
        "notify_url": "http://127.0.0.1:9/notify",
        "amount": {"total": 2500, "currency": "CNY"},
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def refund_body(**changes: Any) -> dict[str, Any]:
    """A rightful refund of the whole of `order_body`'s order."""
    body = {
        "out_trade_no": "XL20261123001",
        "out_refund_no": "RF20261123001",
        "reason": "停诊",
        "notify_url": "http://127.0.0.1:9/notify",
        "amount": {"refund": 2500, "total": 2500, "currency": "CNY"},
    } | changes
    return {name: value for name, value in body.items() if value is not None}
