"""Closing shifts and days: kinds of money's moves, counted cash, when a day may be closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum

from backend.billing.rules.ledger import TENDER_ACCOUNTS
from backend.billing.rules.states import Tender
from backend.kernel.clock import day_bounds
from backend.kernel.money import Fen


class MovementKind(StrEnum):
    """Why money came or went, as a cashier counts it."""

    PAYMENT = "payment"
    #: Paid ahead into a patient's account (预交金).
    TOP_UP = "top_up"
    REFUND = "refund"
    #: Out of a patient's account, back to the tender it came from.
    WITHDRAWAL = "withdrawal"


#: Notes and coins of the renminbi that a drawer is counted in, in fen.
DENOMINATIONS_FEN = (10000, 5000, 2000, 1000, 500, 100, 50, 10)

#: A unit of work that began before midnight has ended by then: nothing more is dated to the day before.
DAY_SETTLES_AFTER = dt.timedelta(minutes=10)

#: Accounts in which a tender's money lies; prepaid money is no tender's, it is owed to patients.
MONEY_ACCOUNTS = frozenset(
    account for tender, account in TENDER_ACCOUNTS.items() if tender is not Tender.PREPAID
)

#: How many of one note or coin a drawer can hold: more is a slip of the finger.
MOST_PIECES = 9999


def counted_fen(pieces: Mapping[int, int]) -> Fen:
    """The cash in a drawer from how many of each denomination; ValueError for one that does not exist."""
    for denomination, number in pieces.items():
        if denomination not in DENOMINATIONS_FEN or not 0 <= number <= MOST_PIECES:
            raise ValueError(f"{number} of {denomination} fen")
    return Fen(sum(denomination * number for denomination, number in pieces.items()))


def can_close_day(day: dt.date, now: dt.datetime) -> bool:
    """Whether nothing can be dated to ``day`` any more."""
    return now >= day_bounds(day)[1] + DAY_SETTLES_AFTER
