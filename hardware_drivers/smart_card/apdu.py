"""The APDUs of both card kinds, as pure encoders and decoders.

Sources: PC/SC part 3 (contactless storage cards), ISO 7816-4 (SELECT, READ BINARY, GET RESPONSE).
"""

from __future__ import annotations

from hardware_drivers.errors import PermanentError

SW_SUCCESS = 0x9000
GET_UID = bytes.fromhex("FF CA 00 00 00")
BLOCK_BYTES = 16


def load_key(key: bytes) -> bytes:
    """Put a 6-byte key into slot 0 of the reader."""
    return bytes.fromhex("FF 82 00 00 06") + key


def authenticate(block: int, key_type: int) -> bytes:
    """Open the sector of `block` with the loaded key; 0x60 key A, 0x61 key B."""
    return bytes([0xFF, 0x86, 0x00, 0x00, 0x05, 0x01, 0x00, block, key_type, 0x00])


def read_block(block: int) -> bytes:
    """Read 16 bytes."""
    return bytes([0xFF, 0xB0, 0x00, block, BLOCK_BYTES])


def select_application(aid: bytes) -> bytes:
    """SELECT by name (P1 04)."""
    return bytes([0x00, 0xA4, 0x04, 0x00, len(aid)]) + aid


def select_file(file_id: bytes) -> bytes:
    """SELECT an elementary file by its 2-byte identifier (P1 00)."""
    return bytes([0x00, 0xA4, 0x00, 0x00, len(file_id)]) + file_id


def read_binary(offset: int, length: int) -> bytes:
    """READ BINARY of 1..256 bytes (256 is sent as 00)."""
    return bytes([0x00, 0xB0, offset >> 8, offset & 0xFF, length & 0xFF])


def get_response(length: int) -> bytes:
    """GET RESPONSE of what 61xx announced."""
    return bytes([0x00, 0xC0, 0x00, 0x00, length])


def with_length(apdu: bytes, length: int) -> bytes:
    """The same command with the exact length that 6Cxx asked for."""
    return apdu[:-1] + bytes([length])


def parse_number(data: bytes) -> str:
    """The card number in a block or file: ASCII, padded with 00, FF or blanks.

    Raises PermanentError `unknown_card` when nothing or something else is written there.
    """
    text = data.rstrip(b"\x00\xff ").lstrip(b" ")
    if not text or not text.isalnum() or not text.isascii():
        raise PermanentError("unknown_card", "no card number where the profile says")
    return text.decode("ascii")
