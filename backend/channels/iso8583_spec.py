"""The acquirer's message format, for pyiso8583: which field is what, and field 64.

ISO 8583:1987 in ASCII: type, bitmap as sixteen hexadecimal digits, ASCII lengths; two bytes of length
(big-endian) before each message. Field use follows bank-card POS terminals in China: 60 = kind of
message (2) + batch (6) + network code (3), 61 = batch (6), trace number (6) and date (MMDD) of the
original sale, 62 = working key, 48 = totals. An acquirer that packs BCD, or computes field 64 by
another cipher, changes this module and nothing else.
"""

from __future__ import annotations

import hmac
from typing import Any

import iso8583
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from iso8583.specs import default_ascii

#: Longest of each variable field, where it is shorter than the standard's.
_LONGEST = {"48": 62, "60": 17, "61": 29, "62": 512}
SPEC: dict[str, dict[str, Any]] = {
    name: {**default_ascii[name], **({"max_len": _LONGEST[name]} if name in _LONGEST else {})}
    for name in default_ascii
}
MAC = "64"
MAC_LENGTH = 16
LONGEST = 4096


class Unreadable(Exception):
    """Bytes that are no message of the bank, or whose field 64 is wrong."""


def encode(message: dict[str, str], mac_key: bytes | None) -> bytes:
    """The message's bytes; with a key, sealed in field 64."""
    if mac_key is None:
        raw, _parts = iso8583.encode(dict(message), SPEC)
        return bytes(raw)
    raw, _parts = iso8583.encode({**message, MAC: "0" * MAC_LENGTH}, SPEC)
    body = bytes(raw[:-MAC_LENGTH])
    return body + mac_of(mac_key, body)


def decode(raw: bytes, mac_key: bytes | None) -> dict[str, str]:
    """The fields of the bank's bytes ('t' is the type); Unreadable unless field 64 is right.

    Without a key the message must carry no seal of ours to check: only sign-on is read so.
    """
    try:
        message, _parts = iso8583.decode(raw, SPEC)
    except (iso8583.DecodeError, ValueError) as error:
        raise Unreadable("no ISO 8583 message") from error
    if mac_key is not None and MAC in message and not _is_sealed(raw, mac_key):
        raise Unreadable("wrong MAC")
    return dict(message)


def _is_sealed(raw: bytes, mac_key: bytes) -> bool:
    return hmac.compare_digest(raw[-MAC_LENGTH:], mac_of(mac_key, raw[:-MAC_LENGTH]))


def mac_of(key: bytes, body: bytes) -> bytes:
    """Field 64: the first eight bytes of AES-CMAC over everything before it, in hexadecimal digits."""
    cmac = CMAC(AES(key))
    cmac.update(body)
    return cmac.finalize()[:8].hex().upper().encode("ascii")
