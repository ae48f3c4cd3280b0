"""ISO 8583:1987 messages as this bank writes them: pure functions from bytes to fields and back.

Everything is ASCII: a type of four digits, a bitmap of sixteen hexadecimal digits, then each field;
variable ones are led by a length of two or three digits. On the wire a message follows its length in
two bytes, big-endian. Field 64 is the first eight bytes of an AES-CMAC over everything before it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

#: field → digits of its length (0 = fixed), its longest (or only) length.
FIELDS: Mapping[int, tuple[int, int]] = {
    2: (2, 19),
    3: (0, 6),
    4: (0, 12),
    11: (0, 6),
    12: (0, 6),
    13: (0, 4),
    22: (0, 3),
    25: (0, 2),
    37: (0, 12),
    38: (0, 6),
    39: (0, 2),
    41: (0, 8),
    42: (0, 15),
    48: (3, 999),
    49: (0, 3),
    60: (3, 17),
    61: (3, 29),
    62: (3, 512),
    64: (0, 16),
}
MAC_FIELD = 64
LONGEST = 4096


class Malformed(ValueError):
    """Bytes that are no message of this bank."""


def pack(mti: str, fields: Mapping[int, str], mac_key: bytes | None = None) -> bytes:
    """The message; with a key it ends with field 64."""
    numbers = sorted({*fields} | ({MAC_FIELD} if mac_key is not None else set()))
    bits = sum(1 << (64 - number) for number in numbers)
    text = f"{mti}{bits:016X}"
    for number in numbers:
        if number != MAC_FIELD:
            text += _field(number, fields[number])
    body = text.encode("ascii")
    return body if mac_key is None else body + mac(mac_key, body).encode("ascii")


def _field(number: int, value: str) -> str:
    width, longest = FIELDS[number]
    if len(value) > longest or (not width and len(value) != longest):
        raise Malformed(f"field {number} has {len(value)} characters")
    return f"{len(value):0{width}d}{value}" if width else value


def unpack(message: bytes) -> tuple[str, dict[int, str]]:
    """The type and the fields; Malformed for anything left over, missing or unknown."""
    try:
        text = message.decode("ascii")
        mti, bits = text[:4], int(text[4:20], 16)
    except ValueError as error:
        raise Malformed("no type or bitmap") from error
    if not mti.isdecimal() or len(text) < 20:
        raise Malformed("no type or bitmap")
    fields: dict[int, str] = {}
    at = 20
    for number in range(1, 65):
        if not bits >> (64 - number) & 1:
            continue
        if number not in FIELDS:
            raise Malformed(f"unknown field {number}")
        width, size = FIELDS[number]
        if width:
            length = text[at : at + width]
            if len(length) != width or not length.isdecimal() or int(length) > size:
                raise Malformed(f"length of field {number}")
            at, size = at + width, int(length)
        value = text[at : at + size]
        if len(value) != size:
            raise Malformed(f"field {number} ends early")
        fields[number] = value
        at += size
    if at != len(text):
        raise Malformed("something follows the last field")
    return mti, fields


def mac(key: bytes, body: bytes) -> str:
    """Field 64 over everything before it, as sixteen hexadecimal digits."""
    cmac = CMAC(AES(key))
    cmac.update(body)
    return cmac.finalize()[:8].hex().upper()


def has_mac(key: bytes, message: bytes) -> bool:
    """True when the message ends with its right field 64."""
    return hmac.compare_digest(message[-16:], mac(key, message[:-16]).encode("ascii"))
