"""The literal byte vectors both sides of each wire are held to, as the standards print them."""

from __future__ import annotations

# GA 467: commands and answers of the ID reader.
FIND = bytes.fromhex("AA AA AA 96 69 00 03 20 01 22")
FOUND = bytes.fromhex("AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97")
NO_CARD = bytes.fromhex("AA AA AA 96 69 00 04 00 00 80 84")
SELECT = bytes.fromhex("AA AA AA 96 69 00 03 20 02 21")
SELECTED = bytes.fromhex("AA AA AA 96 69 00 0C 00 00 90 00 00 00 00 00 00 00 00 9C")
READ = bytes.fromhex("AA AA AA 96 69 00 03 30 01 32")
READ_FAILED = bytes.fromhex("AA AA AA 96 69 00 04 00 00 41 45")
SELECT_FAILED = bytes.fromhex("AA AA AA 96 69 00 04 00 00 81 85")
BAD_CHECKSUM = bytes.fromhex("AA AA AA 96 69 00 04 00 00 10 14")
READ_HEAD = bytes.fromhex("AA AA AA 96 69 05 08 00 00 90 01 00 04 00")

# The text of a card, field by field, each with its length in bytes.
CARD_FIELDS = (
    ("张三", 30),
    ("1", 2),
    ("01", 4),
    ("19491231", 16),
    ("北京市朝阳区安定路1号", 70),
    ("11010519491231002X", 36),
    ("北京市公安局朝阳分局", 30),
    ("20180601", 16),
    ("长期", 16),
    ("", 36),
)
PHOTO = bytes(range(256)) * 4

# PC/SC part 3.
GET_UID = bytes.fromhex("FF CA 00 00 00")
LOAD_KEY = bytes.fromhex("FF 82 00 00 06 FF FF FF FF FF FF")
AUTHENTICATE_4 = bytes.fromhex("FF 86 00 00 05 01 00 04 60 00")
READ_4 = bytes.fromhex("FF B0 00 04 10")

# ESC/POS.
ASK_STATUS = (
    bytes.fromhex("10 04 01"),
    bytes.fromhex("10 04 02"),
    bytes.fromhex("10 04 03"),
    bytes.fromhex("10 04 04"),
)
AT_REST = b"\x12"
CONFIRM_HEAD = bytes.fromhex("1D 28 48 06 00 30 30")


def text_block(fields: tuple[tuple[str, int], ...] = CARD_FIELDS, letter: str = "") -> bytes:
    """The 256 text bytes; `letter` marks the layouts that are not resident cards."""
    data = b"".join(value.ljust(size // 2).encode("utf-16-le") for value, size in fields)
    return data[:248] + letter.encode("utf-16-le") + data[250:] if letter else data


def read_answer(text: bytes) -> bytes:
    """A whole answer to READ, its checksum computed here and not by the code under test."""
    frame = READ_HEAD + text + PHOTO
    check = 0
    for byte in frame[5:]:
        check ^= byte
    return frame + bytes([check])


def with_field(index: int, value: str) -> tuple[tuple[str, int], ...]:
    """The card's fields with one changed."""
    fields = list(CARD_FIELDS)
    fields[index] = (value, fields[index][1])
    return tuple(fields)
