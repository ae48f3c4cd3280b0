"""What scheduling needs from outside: what registrations cost, from whoever keeps the prices."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class Fee:
    """A registration fee in force: its price item's code and name, and the price in fen."""

    code: str
    name: str
    fee_fen: int


class FeeBook(Protocol):
    """Gives a hospital's registration fees in force on a day, by code."""

    def __call__(self, session: Session, hospital_id: Id, on: dt.date) -> list[Fee]:
        """At most one query."""
        ...
