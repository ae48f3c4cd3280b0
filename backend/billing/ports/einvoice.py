"""What billing needs from the platform of electronic fiscal bills (电子票据)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EInvoiceLine:
    """One line of a bill."""

    item_code: str
    name: str
    quantity: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class EInvoiceOrder:
    """What is to be billed; `number` is ours and makes the bill one for ever. The payer's name is masked."""

    number: str
    payer: str
    at: dt.datetime
    lines: Sequence[EInvoiceLine]

    @property
    def total_fen(self) -> int:
        """The sum of the lines."""
        return sum(line.amount_fen for line in self.lines)


@dataclass(frozen=True, slots=True)
class IssuedEInvoice:
    """A bill as the platform knows it. `red_number` is there once it was written off."""

    batch_code: str
    number: str
    check_code: str
    url: str
    total_fen: int
    red_number: str = ""


class EInvoiceGateway(Protocol):
    """The platform. Every method may raise GatewayRefused or GatewayUnknown; none is called in a transaction."""

    def issue(self, order: EInvoiceOrder) -> IssuedEInvoice:
        """Issue a bill; the same number again answers the bill that is there."""
        ...

    def find(self, number: str) -> IssuedEInvoice | None:
        """The bill of our number, or None: it was never issued."""
        ...

    def write_off(self, bill: IssuedEInvoice, *, number: str, reason: str) -> IssuedEInvoice:
        """Write a bill off whole by a red one (冲红); again it is the same red bill."""
        ...
