"""Alipay's keys: `alipay.json` is what the hospital receives, `alipay-platform.json` stays here."""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from backend.sandbox.keys import digits, new_key, private_pem, public_pem, write_whole

MERCHANT_FILE = "alipay.json"
PLATFORM_FILE = "alipay-platform.json"
GATEWAY_PATH = "/alipay/gateway.do"


@dataclass(frozen=True)
class AlipayKeys:
    """Alipay's side: its private key, and what it knows about the merchant."""

    app_id: str
    seller_id: str
    merchant_public_key: rsa.RSAPublicKey
    private_key: rsa.RSAPrivateKey


def ensure_keys(directory: Path, *, base_url: str) -> AlipayKeys:
    """Make both files when one is missing, else only bring the gateway's address up to date."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    merchant, platform = directory / MERCHANT_FILE, directory / PLATFORM_FILE
    gateway = base_url + GATEWAY_PATH
    with (directory / "alipay-keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (merchant.exists() and platform.exists()):
            _generate(merchant, platform, gateway)
        else:
            known = json.loads(merchant.read_text("utf-8"))
            if known["gateway"] != gateway:
                write_whole(merchant, {**known, "gateway": gateway})
        data = json.loads(platform.read_text("utf-8"))
    return AlipayKeys(
        app_id=data["app_id"],
        seller_id=data["seller_id"],
        merchant_public_key=cast(
            rsa.RSAPublicKey, load_pem_public_key(data["merchant_public_key"].encode())
        ),
        private_key=cast(
            rsa.RSAPrivateKey, load_pem_private_key(data["private_key"].encode(), password=None)
        ),
    )


def _generate(merchant: Path, platform: Path, gateway: str) -> None:
    merchant_key, platform_key = new_key(), new_key()
    shared = {"app_id": "2021" + digits(12), "seller_id": "2088" + digits(12)}
    write_whole(
        merchant,
        {
            **shared,
            "private_key": private_pem(merchant_key),
            "alipay_public_key": public_pem(platform_key),
            "gateway": gateway,
        },
    )
    write_whole(
        platform,
        {
            **shared,
            "merchant_public_key": public_pem(merchant_key),
            "private_key": private_pem(platform_key),
        },
    )
