"""Money: whole fen (1/100 yuan) everywhere in code and database; yuan only where a person or another system reads
or writes them."""

from __future__ import annotations

import re
from typing import NewType

from flask_babel import lazy_gettext as _

from backend.kernel.errors import InvalidInput

Fen = NewType("Fen", int)

_YUAN = re.compile(r"^\s*[¥￥]?\s*(\d{1,9})(?:\.(\d{1,2}))?\s*元?\s*$")


def format_yuan(fen: int) -> str:
    """``2500`` → ``¥25.00``; negative amounts as ``-¥25.00``."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}¥{yuan:,}.{rest:02d}"


def parse_yuan(text: str) -> Fen:
    """What a person typed (``25``, ``25.5``, ``¥25.00``) in fen; InvalidInput when it is no amount."""
    match = _YUAN.match(text.replace(",", ""))
    if match is None:
        raise InvalidInput(_("金额写法有误，请写成 25.00 这样的数字"), code="amount_malformed")
    yuan, cents = match.groups()
    return Fen(int(yuan) * 100 + int((cents or "0").ljust(2, "0")))


def to_yuan(fen: int) -> str:
    """``2500`` → ``25.00``, as other systems read it; never for a negative amount."""
    return f"{fen // 100}.{fen % 100:02d}"


def from_yuan(text: str) -> Fen:
    """What another system wrote (``25.00``, ``25.5``, ``25``) in fen; ValueError for anything else."""
    whole, _point, part = text.partition(".")
    if not (whole.isascii() and whole.isdecimal() and len(whole) <= 12 and len(part) <= 2):
        raise ValueError("no amount")
    if part and not (part.isascii() and part.isdecimal()):
        raise ValueError("no amount")
    return Fen(int(whole) * 100 + int(part.ljust(2, "0")))
