"""What billing needs from the bank that clears cards: a terminal's dialogue, one message at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Protocol

from backend.billing.ports.platforms import GatewayUnknown


class SignOnNeeded(GatewayUnknown):
    """The bank says that it does not know this terminal's working key.

    Nobody signed that word, so it proves nothing about what became of the message: sign on, then
    treat the message as unanswered.
    """


@dataclass(frozen=True, slots=True)
class SignedOn:
    """What a sign-on gives: the batch that is open and the key messages are sealed with until the next."""

    batch: int
    mac_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Line:
    """A terminal that is signed on."""

    terminal_id: str
    batch: int
    mac_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardOrder:
    """One message about money: its trace number, amount, the terminal's time, and the card where one is read."""

    stan: str
    amount_fen: int
    at: dt.datetime
    #: None in a refund, which is found by its sale's reference number.
    card_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OriginalSale:
    """The sale that is reversed or refunded, as the bank knows it."""

    batch: int
    stan: str
    on: dt.date
    #: The bank's reference; empty where its answer never came.
    rrn: str = ""


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """The bank's answer: code 00 approves, every other code refuses and nothing has happened."""

    response_code: str
    rrn: str = ""
    auth_code: str = ""

    @property
    def is_approved(self) -> bool:
        """True when the bank did what it was asked."""
        return self.response_code == "00"


@dataclass(frozen=True, slots=True)
class BatchTotals:
    """What a terminal sold and gave back in one batch; reversed sales count for nothing."""

    sales_fen: int
    sales: int
    refunds_fen: int
    refunds: int


class CardGateway(Protocol):
    """The bank's front end. Every method may raise GatewayUnknown, none is called inside a transaction.

    GatewayRefused means that no connection came about, so nothing was sent. A dialogue is serial: the
    caller sends a terminal's next message when the last is answered or given up. No method retries.
    """

    @property
    def terminal_ids(self) -> tuple[str, ...]:
        """The terminals the bank gave us."""
        ...

    def sign_on(self, terminal_id: str, *, stan: str, at: dt.datetime) -> SignedOn:
        """Fetch a working key; it replaces the last one."""
        ...

    def sale(self, line: Line, order: CardOrder) -> CardAnswer:
        """Ask for money; unanswered it must be reversed, never repeated."""
        ...

    def reverse(self, line: Line, order: CardOrder, original: OriginalSale) -> CardAnswer:
        """Undo a sale whose answer did not come; repeated until it is answered. Code 25: it never arrived."""
        ...

    def refund(
        self, line: Line, order: CardOrder, original: OriginalSale, *, is_repeat: bool
    ) -> CardAnswer:
        """Give part of a sale back; unanswered it is repeated under the same trace number."""
        ...

    def settle(self, line: Line, *, stan: str, totals: BatchTotals) -> bool:
        """Close the line's batch; True when the bank's totals are ours. May be repeated."""
        ...
