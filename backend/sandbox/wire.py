"""The bytes of WeChat Pay API v3: what is signed, how, and how a notification is encrypted.

Pure functions. Source: WeChat Pay API v3 documentation, "签名生成", "签名验证" and
"如何解密回调报文". Signatures are RSASSA-PKCS1-v1_5 with SHA-256, base64.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

SCHEME = "WECHATPAY2-SHA256-RSA2048"
#: Probes which the platform sends with a wrong signature begin with this.
SIGNTEST_PREFIX = "WECHATPAY/SIGNTEST/"
_FIELD = re.compile(r'\s*(\w+)="([^"]*)"\s*(?:,|$)')
_FIELDS = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}


@dataclass(frozen=True, slots=True)
class Authorization:
    """The five fields of the merchant's Authorization header."""

    mchid: str
    nonce_str: str
    signature: str
    timestamp: str
    serial_no: str


def parse_authorization(header: str) -> Authorization:
    """Read an Authorization header; ValueError when scheme or fields are not exactly right."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme != SCHEME:
        raise ValueError("unknown authorization scheme")
    fields: dict[str, str] = {}
    position = 0
    while position < len(rest):
        match = _FIELD.match(rest, position)
        if match is None or match.group(1) in fields:
            raise ValueError("malformed authorization fields")
        fields[match.group(1)] = match.group(2)
        position = match.end()
    if set(fields) != _FIELDS:
        raise ValueError("missing or unknown authorization fields")
    return Authorization(**fields)


def request_message(
    method: str, path_and_query: str, timestamp: str, nonce: str, body: bytes
) -> bytes:
    """The bytes a merchant signs: five lines, each ended by a line feed."""
    head = f"{method}\n{path_and_query}\n{timestamp}\n{nonce}\n"
    return head.encode() + body + b"\n"


def answer_message(timestamp: str, nonce: str, body: bytes) -> bytes:
    """The bytes the platform signs, in answers and notifications: three lines."""
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def sign(key: RSAPrivateKey, message: bytes) -> str:
    """Sign with RSA-SHA256 and return base64."""
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode()


def verify(key: RSAPublicKey, message: bytes, signature: str) -> bool:
    """True when `signature` (strict base64) is `key`'s signature of `message`."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def encrypt_resource(apiv3_key: str, *, nonce: str, associated_data: str, plain: bytes) -> str:
    """AES-256-GCM under the 32-byte APIv3 key; base64 of ciphertext and 16-byte tag."""
    sealed = AESGCM(apiv3_key.encode()).encrypt(nonce.encode(), plain, associated_data.encode())
    return base64.b64encode(sealed).decode()
