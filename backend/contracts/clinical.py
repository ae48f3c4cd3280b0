"""What clinical tells the rest of the house. Ids only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class EncounterStarted:
    """A practitioner began to see a patient."""

    NAME: ClassVar[str] = "clinical.encounter_started"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    encounter_id: Id
    patient_id: Id
    appointment_id: Id | None


@dataclass(frozen=True, slots=True)
class EncounterFinished:
    """The practitioner closed the encounter; ``invoice_id`` is the bill over its orders, if there are any."""

    NAME: ClassVar[str] = "clinical.encounter_finished"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    encounter_id: Id
    patient_id: Id
    appointment_id: Id | None
    invoice_id: Id | None


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """A drug or laboratory examination was ordered."""

    NAME: ClassVar[str] = "clinical.order_placed"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    encounter_id: Id
    order_id: Id
    patient_id: Id
    kind: str


@dataclass(frozen=True, slots=True)
class OrderExecuted:
    """An order was carried out: a test was done, a drug dispensed."""

    NAME: ClassVar[str] = "clinical.order_executed"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    order_id: Id
    patient_id: Id
    kind: str


@dataclass(frozen=True, slots=True)
class OrderExecutionReversed:
    """``OrderExecuted`` was undone: a drug came back, a test was not valid. ``reason_code`` is a short code."""

    NAME: ClassVar[str] = "clinical.order_execution_reversed"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    order_id: Id
    patient_id: Id
    reason_code: str
