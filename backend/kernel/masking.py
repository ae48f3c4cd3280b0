"""Masking: how personal data looks to those who need not see it whole. Pure functions on text."""

from __future__ import annotations


def mask_name(name: str) -> str:
    """张三 → 张*, 张小三 → 张*三, 欧阳小三 → 欧**三; Latin names keep their first and last letter."""
    name = name.strip()
    if len(name) <= 1:
        return name or "*"
    if len(name) == 2:
        return f"{name[0]}*"
    hidden = min(len(name) - 2, 3)
    return f"{name[0]}{'*' * hidden}{name[-1]}"


def mask_phone(phone: str) -> str:
    """13812341234 → 138****1234."""
    if len(phone) < 8:
        return "*" * len(phone)
    return f"{phone[:3]}****{phone[-4:]}"


def mask_id_number(number: str) -> str:
    """110101199003078888 → 1101**********8888; short passport numbers keep one character at each end."""
    if len(number) < 12:
        return f"{number[:1]}{'*' * max(len(number) - 2, 1)}{number[-1:]}"
    return f"{number[:4]}{'*' * (len(number) - 8)}{number[-4:]}"


def mask_card(number: str) -> str:
    """A card number by its last four characters: ****3456."""
    return f"****{number[-4:]}"


def mask_address(address: str) -> str:
    """The first six characters (about the district), the rest hidden."""
    return f"{address[:6]}****" if address else ""
