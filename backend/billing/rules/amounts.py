"""Amounts in integer fen: products, change, and how a refund is spread."""

from __future__ import annotations

from collections.abc import Sequence

from backend.billing.errors import CashTooLittle, RefundTooMuch
from backend.kernel.money import Fen


def charge_amount(unit_price_fen: int, quantity: int) -> Fen:
    """Price times quantity; both are whole numbers, quantity at least 1."""
    if quantity < 1 or unit_price_fen < 0:
        raise ValueError("a charge needs a quantity of at least 1 and no negative price")
    return Fen(unit_price_fen * quantity)


def cash_change(due_fen: int, received_fen: int) -> Fen:
    """What to hand back; CashTooLittle (422) when less than due was handed over."""
    if received_fen < due_fen:
        raise CashTooLittle(due_fen=due_fen, received_fen=received_fen)
    return Fen(received_fen - due_fen)


def allocate_refund(amount_fen: int, remaining: Sequence[int]) -> list[int]:
    """Spread a refund over charges in the order given, each at most what it has left.

    RefundTooMuch (409) when nothing is asked for or more than they have left together.
    """
    left = sum(remaining)
    if not 0 < amount_fen <= left:
        raise RefundTooMuch(refundable_fen=left)
    parts = []
    for available in remaining:
        part = min(available, amount_fen)
        parts.append(part)
        amount_fen -= part
    return parts
