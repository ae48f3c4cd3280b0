"""How a refund is spread over the payments of its bill. Pure; amounts are integer fen.

The order: prepaid money first, then platforms and bank cards, cash last, the newest payment first within
each. Electronic money goes back where it came from before any cash leaves the drawer, so that nobody can turn
a card into cash. What the insurance paid comes back only whole, as the cancelled settlement it is: while a
bill has an insurance part, it is refunded whole or not at all (and settled anew over what is kept).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from backend.billing.errors import InsuranceWholeOnly, RefundTooMuch
from backend.billing.rules.states import Channel, Tender
from backend.kernel.ids import Id

_RANK = {Tender.PREPAID: 0, Tender.CASH: 2}
_ELECTRONIC = 1


@dataclass(frozen=True, slots=True)
class RefundSource:
    """A payment that paid its bill, and what of it has not gone back yet."""

    payment_id: Id
    tender: Tender
    left_fen: int
    paid_at: dt.datetime


@dataclass(frozen=True, slots=True)
class RefundShare:
    """So much of one charge goes back to one payment."""

    payment_id: Id
    charge_id: Id
    amount_fen: int


def spread_refund(amount_fen: int, sources: Sequence[RefundSource]) -> list[tuple[Id, int]]:
    """Which payment gives back how much, in the order above; payments that give nothing are left out.

    RefundTooMuch (409) when nothing or more than all have left is asked for; InsuranceWholeOnly (409) for a
    part of a bill with an insurance part.
    """
    left = sum(source.left_fen for source in sources)
    if not 0 < amount_fen <= left:
        raise RefundTooMuch(refundable_fen=left)
    has_insurance = any(source.tender is Tender.INSURANCE and source.left_fen for source in sources)
    if has_insurance and amount_fen != left:
        raise InsuranceWholeOnly(refundable_fen=left)
    spread = []
    for source in sorted(sources, key=_urgency):
        part = min(source.left_fen, amount_fen)
        amount_fen -= part
        if part:
            spread.append((source.payment_id, part))
    return spread


def pair_off(
    charges: Sequence[tuple[Id, int]], payments: Sequence[tuple[Id, int]]
) -> list[RefundShare]:
    """Match what charges lose with what payments give back, both in their order; the sums must be equal."""
    if sum(fen for _id, fen in charges) != sum(fen for _id, fen in payments):
        raise ValueError("what charges lose is what payments give back")
    shares = []
    waiting = iter(charges)
    charge_id, charge_left = next(waiting, (None, 0))
    for payment_id, amount_fen in payments:
        left = amount_fen
        while left:
            while charge_id is None or not charge_left:
                charge_id, charge_left = next(waiting)
            part = min(left, charge_left)
            shares.append(RefundShare(payment_id, charge_id, part))
            left -= part
            charge_left -= part
    return shares


def is_handed_over_at_once(channel: Channel) -> bool:
    """Cash leaves the drawer only at a counter; anywhere else it waits there for the payer."""
    return channel is Channel.COUNTER


def _urgency(source: RefundSource) -> tuple[int, float, Id]:
    return _RANK.get(source.tender, _ELECTRONIC), -source.paid_at.timestamp(), source.payment_id
