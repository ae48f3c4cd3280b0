"""What scheduling's waiting lists tell the rest of the house. Payloads carry ids and times, never personal data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class WaitingJoined:
    """A patient stands in the line of a full session."""

    NAME: ClassVar[str] = "scheduling.waiting_joined"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    entry_id: Id
    patient_id: Id
    schedule_id: Id


@dataclass(frozen=True, slots=True)
class PlaceOffered:
    """A returned place is kept for the first in line until ``until``: pay, and it is theirs."""

    NAME: ClassVar[str] = "scheduling.place_offered"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    entry_id: Id
    patient_id: Id
    schedule_id: Id
    appointment_id: Id
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class OfferTaken:
    """The offered place was paid for."""

    NAME: ClassVar[str] = "scheduling.offer_taken"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    entry_id: Id
    patient_id: Id
    appointment_id: Id


@dataclass(frozen=True, slots=True)
class OfferLapsed:
    """Nobody paid in time. ``is_still_in_line``: at its end; else that was the last chance."""

    NAME: ClassVar[str] = "scheduling.offer_lapsed"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    entry_id: Id
    patient_id: Id
    appointment_id: Id
    is_still_in_line: bool


@dataclass(frozen=True, slots=True)
class WaitingEnded:
    """Somebody left a line without a place of it. ``reason`` is a ``scheduling.rules.WaitingEnd``."""

    NAME: ClassVar[str] = "scheduling.waiting_ended"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    entry_id: Id
    patient_id: Id
    schedule_id: Id
    reason: str
