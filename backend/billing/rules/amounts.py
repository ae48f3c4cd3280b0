"""Amounts in integer fen: products and change."""

from __future__ import annotations

from backend.billing.errors import CashTooLittle
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
