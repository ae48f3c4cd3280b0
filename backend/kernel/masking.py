"""Masking: how personal data looks to those who need not see it whole. Pure functions on text.

However short the text, at least about half of it stays hidden.
"""

from __future__ import annotations

import re

_LONG_NUMBER = re.compile(r"\d{8,}[Xx]?")


def mask_name(name: str) -> str:
    """张三 → 张*, 张小三 → 张*三, 欧阳小三 → 欧**三; Latin names keep their first and last letter."""
    name = name.strip()
    if len(name) <= 1:
        return "*"
    if len(name) == 2:
        return f"{name[0]}*"
    hidden = min(len(name) - 2, 3)
    return f"{name[0]}{'*' * hidden}{name[-1]}"


def mask_phone(phone: str) -> str:
    """13812341234 → 138****1234; shorter numbers show a quarter at each end."""
    if len(phone) >= 11:
        return f"{phone[:3]}****{phone[-4:]}"
    return _ends(phone, len(phone) // 4)


def mask_id_number(number: str) -> str:
    """110101199003078888 → 1101**********8888; short passport numbers keep one character at each end."""
    return _ends(number, 4 if len(number) >= 16 else min(1, len(number) // 4))


def mask_card(number: str) -> str:
    """A card number by its last four characters, ****3456; by fewer when it is short."""
    shown = min(4, len(number) // 2)
    return f"****{number[len(number) - shown :]}"


def mask_address(address: str) -> str:
    """The first six characters (about the district), at most half of it; the rest hidden."""
    return f"{address[: min(6, len(address) // 2)]}****" if address else ""


def _ends(text: str, shown: int) -> str:
    """``shown`` characters at each end, a star for each of the others."""
    return f"{text[:shown]}{'*' * (len(text) - 2 * shown)}{text[len(text) - shown :]}"


def strike_numbers(text: str) -> str:
    """Free words without what looks like a resident's number, a phone or a card: for reasons that audit rows keep."""
    return _LONG_NUMBER.sub("***", text)
