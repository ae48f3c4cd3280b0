"""What clinical shows: encounters with everything in them, and catalogue entries."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

from flask_babel import lazy_gettext as _

from backend.clinical.rules import (
    ORDER_WORDS,
    STATE_WORDS,
    EncounterState,
    OrderKind,
    OrderState,
)
from backend.kernel.ids import Id
from backend.patients.queries import PatientView

#: GB/T 2261.1.
SEX_WORDS = {0: _("未知"), 1: _("男"), 2: _("女"), 9: _("未说明")}


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
class ExaminationOrder:
    """An order to be planned; ``type_code`` names the examination in scheduling's catalogue."""

    id: Id
    type_code: str
    name: str
    is_paid: bool
    ordered_at: dt.datetime


@dataclass(frozen=True, slots=True)
class EncounterView:
    """One encounter, whole. ``past_count``: how many others the patient has had."""

    id: Id
    hospital_id: Id
    patient_id: Id
    appointment_id: Id | None
    ticket_id: Id | None
    ticket_number: str
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
    past_count: int

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
class EncounterInLine:
    """What a practitioner's line needs of an encounter; unfinished ones are the practitioner's own."""

    id: Id
    ticket_id: Id | None
    started_at: dt.datetime
    is_unfinished: bool


@dataclass(frozen=True, slots=True)
class PastEncounter:
    """One line of a patient's past; ``diagnoses`` are names."""

    started_at: dt.datetime
    practitioner_name: str
    department_name: str
    complaint: str
    diagnoses: list[str] = field(default_factory=list)


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


@dataclass(frozen=True, slots=True)
class PersonInHand:
    """The patient a practitioner sees: whole name, masked numbers, allergies one by one."""

    id: Id
    name: str
    sex_words: str
    age: int
    id_number_masked: str
    phone_masked: str | None
    allergies: tuple[str, ...]


def person_in_hand(patient: PatientView) -> PersonInHand:
    """What the bar above a record says of its patient."""
    return PersonInHand(
        id=patient.id,
        name=patient.name,
        sex_words=str(SEX_WORDS.get(patient.sex, SEX_WORDS[9])),
        age=patient.age,
        id_number_masked=patient.id_number_masked,
        phone_masked=patient.phone_masked,
        allergies=tuple(word for word in re.split(r"[、，,;；\s]+", patient.allergies) if word),
    )
