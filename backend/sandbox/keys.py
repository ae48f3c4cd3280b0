"""Keys and account numbers of the one merchant: made once, kept in two files of mode 0600.

`merchant.json` is what a hospital receives when it opens its merchant account; `platform.json` is
what the platform keeps. Neither holds the other side's private key.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

MERCHANT_FILE = "merchant.json"
PLATFORM_FILE = "platform.json"
DEFAULT_MERCHANT_NAME = "杏林肿瘤医院"


@dataclass(frozen=True)
class PlatformKeys:
    """The platform's side: its private key, and what it knows about the merchant."""

    mchid: str
    appid: str
    merchant_name: str
    merchant_serial_no: str
    merchant_public_key: rsa.RSAPublicKey
    apiv3_key: str
    public_key_id: str
    private_key: rsa.RSAPrivateKey


def ensure_keys(directory: Path, *, base_url: str) -> PlatformKeys:
    """Make the two files when one is missing, else only bring `base_url` up to date.

    Safe against two processes starting at once (a lock file). The directory gets mode 0700.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / "keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        merchant, platform = directory / MERCHANT_FILE, directory / PLATFORM_FILE
        if not (merchant.exists() and platform.exists()):
            _generate(merchant, platform, base_url)
        else:
            known = json.loads(merchant.read_text("utf-8"))
            if known["base_url"] != base_url:
                write_whole(merchant, {**known, "base_url": base_url})
        return _load(platform)


def _load(path: Path) -> PlatformKeys:
    data = json.loads(path.read_text("utf-8"))
    return PlatformKeys(
        mchid=data["mchid"],
        appid=data["appid"],
        merchant_name=data["merchant_name"],
        merchant_serial_no=data["merchant_serial_no"],
        merchant_public_key=cast(
            rsa.RSAPublicKey, load_pem_public_key(data["merchant_public_key"].encode())
        ),
        apiv3_key=data["apiv3_key"],
        public_key_id=data["public_key_id"],
        private_key=cast(
            rsa.RSAPrivateKey, load_pem_private_key(data["private_key"].encode(), password=None)
        ),
    )


def _generate(merchant: Path, platform: Path, base_url: str) -> None:
    merchant_key, platform_key = new_key(), new_key()
    mchid = "19" + digits(8)
    shared = {
        "mchid": mchid,
        "appid": "wx" + secrets.token_hex(8),
        "apiv3_key": "".join(
            secrets.choice(string.ascii_letters + string.digits) for _ in range(32)
        ),
    }
    serial_no = secrets.token_hex(20).upper()
    public_key_id = f"PUB_KEY_ID_01{mchid}{digits(20)}"
    write_whole(
        merchant,
        {
            **shared,
            "serial_no": serial_no,
            "private_key": private_pem(merchant_key),
            "public_key": public_pem(platform_key),
            "public_key_id": public_key_id,
            "base_url": base_url,
        },
    )
    write_whole(
        platform,
        {
            **shared,
            "merchant_name": DEFAULT_MERCHANT_NAME,
            "merchant_serial_no": serial_no,
            "merchant_public_key": public_pem(merchant_key),
            "public_key_id": public_key_id,
            "private_key": private_pem(platform_key),
        },
    )


def new_key() -> rsa.RSAPrivateKey:
    """A fresh RSA key of 2048 bits."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def digits(count: int) -> str:
    """`count` random decimal digits."""
    return "".join(secrets.choice(string.digits) for _ in range(count))


def private_pem(key: rsa.RSAPrivateKey) -> str:
    """A private key as PKCS 8 PEM text."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    """The public half of a key as PEM text."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def write_whole(path: Path, data: dict[str, Any]) -> None:
    """Write whole or not at all: a half-written key file would lock both sides out."""
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False, indent=2)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
