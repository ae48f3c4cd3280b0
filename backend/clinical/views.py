"""What clinical shows: encounters with everything in them, and catalogue entries."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backend.clinical.rules import (
    ORDER_WORDS,
    STATE_WORDS,
    EncounterState,
    OrderKind,
    OrderState,
)
from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class DiagnosisView:
    """One diagnosis."""

    id: Id
    code: str
    name: str
    is_primary: bool


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order with what it costs (fen)."""

    id: Id
    kind: OrderKind
    state: OrderState
    item_code: str
    name: str
    specification: str
    unit: str
    quantity: int
    dose: str
    route: str
    frequency: str
    amount_fen: int
    is_billed: bool

    @property
    def state_words(self) -> str:
        """The state in words."""
        return str(ORDER_WORDS[self.state])


@dataclass(frozen=True, slots=True)
class EncounterView:
    """One encounter, whole."""

    id: Id
    hospital_id: Id
    patient_id: Id
    appointment_id: Id | None
    ticket_id: Id | None
    practitioner_id: Id
    practitioner_name: str
    department_id: Id
    department_name: str
    state: EncounterState
    started_at: dt.datetime
    finished_at: dt.datetime | None
    invoice_id: Id | None
    complaint: str
    history: str
    examination: str
    version: int
    diagnoses: tuple[DiagnosisView, ...]
    orders: tuple[OrderView, ...]

    @property
    def total_fen(self) -> int:
        """What the active orders cost."""
        return sum(o.amount_fen for o in self.orders if o.state is not OrderState.CANCELLED)

    @property
    def is_open(self) -> bool:
        """True while the practitioner may write."""
        return self.state is EncounterState.IN_PROGRESS

    @property
    def state_words(self) -> str:
        """The state in words."""
        return str(STATE_WORDS[self.state])


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One search result: what is stored, what is read, and a line of detail. Prices in fen, None for ICD codes."""

    code: str
    name: str
    detail: str
    price_fen: int | None = None
    dose: str = ""
    route: str = ""
    frequency: str = ""
    unit: str = ""
