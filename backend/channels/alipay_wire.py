"""Alipay's signatures (RSA2) and number formats: pure functions over text and keys.

Our own thin layer rather than python-alipay-sdk: that library brings a second crypto stack, stamps
requests with the machine's local time, decodes base64 leniently and opens its own connections, so
none of its parts that matter here could be kept (ADR 16).

Source: Alipay open platform, "自行实现签名", "自行实现验签", "异步通知说明".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from backend.kernel.clock import SHANGHAI, local

TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


class Untrusted(Exception):
    """Something that should be signed by Alipay may not be believed; says why, never its content."""


def message_of(parameters: Mapping[str, str], *, without: tuple[str, ...] = ("sign",)) -> bytes:
    """The text that is signed: `name=value` of what has a value, sorted by name, joined by `&`."""
    names = sorted(name for name, value in parameters.items() if value and name not in without)
    return "&".join(f"{name}={parameters[name]}" for name in names).encode()


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """The RSA2 signature of `message`, in base64."""
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode("ascii")


def verify(key: RSAPublicKey, message: bytes, signature: str) -> None:
    """Untrusted unless `signature` is the key's own of exactly this message."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise Untrusted("wrong signature") from error


def open_answer(key: RSAPublicKey, method: str, body: bytes) -> dict[str, Any]:
    """The response object of an answer to `method`, verified over its exact text.

    Untrusted for anything but ``{"<method>_response": {…}, "sign": "…"}`` signed by the key: also
    for the gateway's unsigned complaints, whatever they say.
    """
    name = method.replace(".", "_") + "_response"
    try:
        text = body.decode("utf-8")
        whole = json.loads(text, object_pairs_hook=_once)
    except ValueError as error:
        raise Untrusted("no JSON") from error
    if not isinstance(whole, dict) or not set(whole) <= {name, "sign", "alipay_cert_sn"}:
        raise Untrusted("another shape")
    content, signature = whole.get(name), whole.get("sign")
    if not isinstance(content, dict) or not isinstance(signature, str):
        raise Untrusted("not signed")
    start = text.index(":", text.index(f'"{name}"') + len(name) + 2) + 1
    start += len(text[start:]) - len(text[start:].lstrip())
    _value, end = json.JSONDecoder().raw_decode(text, start)
    verify(key, text[start:end].encode(), signature)
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names are each there once; two of a name would let one be signed, one read."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def to_beijing(moment: datetime) -> str:
    """An aware time as Alipay writes it, in Beijing's time without a zone."""
    return local(moment).strftime(TIME_FORMAT)


def from_beijing(text: str) -> datetime:
    """The UTC time of ``2026-11-23 09:30:00``; ValueError otherwise."""
    return datetime.strptime(text[:19], TIME_FORMAT).replace(tzinfo=SHANGHAI).astimezone(UTC)
