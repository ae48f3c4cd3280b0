"""What billing needs from the national insurance: a visit, its fees, what the fund pays, and the way back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class InsuredPerson:
    """Whom a credential belongs to, and by which kind of insurance (310 employees, 390 residents)."""

    psn_no: str
    insutype: str


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One line of a bill. `category` is ours; the adapter knows the insurance's code for it."""

    number: str
    item_code: str
    name: str
    category: str
    quantity: int
    unit_price_fen: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class InsuranceVisit:
    """A visit as it is registered: our number for it, the diagnosis, the bill's lines."""

    number: str
    at: dt.datetime
    diagnosis_code: str
    diagnosis_name: str
    department: str
    lines: Sequence[FeeLine] = field(default=())

    @property
    def total_fen(self) -> int:
        """The sum of the lines."""
        return sum(line.amount_fen for line in self.lines)


@dataclass(frozen=True, slots=True)
class InsuranceSplit:
    """Who pays what of a bill: the fund, the personal account with it, and the patient."""

    total_fen: int
    fund_fen: int
    account_fen: int
    self_fen: int
    #: Empty until it is settled.
    settlement_id: str = ""
    settled_at: dt.datetime | None = None

    @property
    def insured_fen(self) -> int:
        """What does not come from the patient's purse."""
        return self.fund_fen + self.account_fen


@dataclass(frozen=True, slots=True)
class InsuredDocument:
    """A settlement of ours, or what took one back, as a statement with the centre names it."""

    #: Ours: out_trade_no, or out_refund_no of what was taken back.
    number: str
    out_trade_no: str
    is_refund: bool
    #: False while its outcome is in doubt.
    is_settled: bool
    person: InsuredPerson
    visit_id: str
    settlement_id: str
    message_id: str
    #: Of the settlement, also where it was taken back.
    total_fen: int
    fund_fen: int
    account_fen: int
    happened_at: dt.datetime

    @property
    def insured_fen(self) -> int:
        """What does not come from the patient's purse."""
        return self.fund_fen + self.account_fen


class InsuranceGateway(Protocol):
    """The insurance centre. Every method may raise GatewayRefused (its words) or GatewayUnknown.

    None may be called inside a database transaction, none retries. ``message_id`` names a message that
    changes money, so that it can be reversed when its answer is lost.
    """

    def identify(self, credential: str, *, at: dt.datetime) -> InsuredPerson:
        """1101: the holder of an electronic credential or a social-security card."""
        ...

    def register(self, person: InsuredPerson, visit: InsuranceVisit) -> str:
        """2201, 2203, 2204: registration, visit and fees; the insurance's number of the visit.

        The same visit again is the same visit.
        """
        ...

    def unregister(self, person: InsuredPerson, visit_id: str, *, at: dt.datetime) -> None:
        """2205, 2202: takes fees and registration back; refused while a settlement stands."""
        ...

    def pre_settle(
        self, person: InsuredPerson, visit_id: str, visit: InsuranceVisit
    ) -> InsuranceSplit:
        """2206: what the insurance would pay. Changes nothing."""
        ...

    def settle(
        self, person: InsuredPerson, visit_id: str, visit: InsuranceVisit, *, message_id: str
    ) -> InsuranceSplit:
        """2207: the insurance pays."""
        ...

    def cancel(
        self,
        person: InsuredPerson,
        visit_id: str,
        settlement_id: str,
        *,
        at: dt.datetime,
        message_id: str,
    ) -> None:
        """2208: takes a settlement back whole; there is no part of it."""
        ...

    def reverse(
        self, person: InsuredPerson, *, infno: str, message_id: str, at: dt.datetime
    ) -> None:
        """2601: a 2207 or 2208 whose outcome is unknown never was; repeated until it is answered."""
        ...

    def new_message_id(self, at: dt.datetime) -> str:
        """A name for a message, to be stored before it is sent."""
        ...
