"""The 256 text bytes of an ID card: UTF-16LE fields at fixed places. Pure.

Source: GA 450/GA 467. Cards of foreign permanent residents and residence permits of Hong Kong,
Macao and Taiwan residents carry a letter at byte 248 and other layouts; they are recognised and
refused by name, never misread.
"""

from __future__ import annotations

from datetime import date

from hardware_drivers.errors import PermanentError, TransientError
from hardware_drivers.id_card.protocol import IdCard

TEXT_BYTES = 256
PHOTO_BYTES = 1024
LONG_TERM = "长期"
_FIELDS = (
    ("name", 30),
    ("sex", 2),
    ("ethnic_group", 4),
    ("birth", 16),
    ("address", 70),
    ("number", 36),
    ("authority", 30),
    ("valid_from", 16),
    ("valid_until", 16),
)
_KIND_AT = 248
_OTHER_LAYOUTS = {"I": "foreigner_card", "Y": "foreigner_card", "J": "hmt_resident_card"}
_CHECK_CHARACTERS = "10X98765432"


def split_answer(data: bytes) -> tuple[bytes, bytes]:
    """Split the data of a read answer into text and photo bytes. Raises TransientError
    `torn_frame`.
    """
    if len(data) < 4:
        raise TransientError("torn_frame", "read answer without lengths")
    text_length = int.from_bytes(data[0:2], "big")
    photo_length = int.from_bytes(data[2:4], "big")
    if text_length != TEXT_BYTES or len(data) != 4 + text_length + photo_length:
        raise TransientError(
            "torn_frame", f"text {text_length}, photo {photo_length}, data {len(data)}"
        )
    return data[4 : 4 + text_length], data[4 + text_length :]


def is_valid_number(number: str) -> bool:
    """Whether an 18-character resident number satisfies ISO 7064 MOD 11-2 (GB 11643-1999)."""
    if len(number) != 18 or not number[:17].isascii() or not number[:17].isdigit():
        return False
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    return _CHECK_CHARACTERS[total % 11] == number[17]


def parse_text(text: bytes, photo: bytes = b"") -> IdCard:
    """Turn the text bytes into a card. Raises PermanentError with the code of the layout, or
    `malformed_card`.
    """
    kind = text[_KIND_AT : _KIND_AT + 2].decode("utf-16-le", "replace")
    if kind in _OTHER_LAYOUTS:
        raise PermanentError(_OTHER_LAYOUTS[kind], "recognised, not a resident ID card")
    try:
        values = _split_fields(text)
        birth_date = _parse_date(values["birth"])
        valid_from = _parse_date(values["valid_from"])
        until = values["valid_until"]
        valid_until = None if until == LONG_TERM else _parse_date(until)
    except ValueError as error:
        # The cause may quote what the card says, which is personal.
        raise PermanentError("malformed_card", type(error).__name__) from None
    number = values["number"]
    if (
        not values["name"]
        or values["sex"] not in {"0", "1", "2", "9"}
        or not values["ethnic_group"].isdigit()
    ):
        raise PermanentError("malformed_card", "name, sex or ethnic group")
    if not is_valid_number(number) or number[6:14] != values["birth"]:
        raise PermanentError("malformed_card", "number")
    return IdCard(
        name=values["name"],
        sex=values["sex"],
        ethnic_group=values["ethnic_group"],
        birth_date=birth_date,
        address=values["address"],
        number=number,
        authority=values["authority"],
        valid_from=valid_from,
        valid_until=valid_until,
        photo=photo,
    )


def _split_fields(text: bytes) -> dict[str, str]:
    values = {}
    offset = 0
    for name, size in _FIELDS:
        values[name] = text[offset : offset + size].decode("utf-16-le").strip(" \x00\u3000")
        offset += size
    return values


def _parse_date(value: str) -> date:
    if len(value) != 8 or not value.isascii() or not value.isdigit():
        raise ValueError("not a date")
    return date(int(value[:4]), int(value[4:6]), int(value[6:]))
