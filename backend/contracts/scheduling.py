"""What scheduling tells the rest of the house. Payloads carry ids and times, never personal data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class AppointmentHeld:
    """A place is kept for a patient until it is paid or ``hold_until`` comes."""

    NAME: ClassVar[str] = "scheduling.appointment_held"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    appointment_id: Id
    patient_id: Id
    slot_id: Id
    hold_until: dt.datetime


@dataclass(frozen=True, slots=True)
class HoldDue:
    """Published with the hold and delivered when it ends: look whether it was paid."""

    NAME: ClassVar[str] = "scheduling.hold_due"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    appointment_id: Id


@dataclass(frozen=True, slots=True)
class HoldExpired:
    """A hold ended unpaid; its place is free, or already somebody else's."""

    NAME: ClassVar[str] = "scheduling.hold_expired"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    appointment_id: Id
    patient_id: Id
    slot_id: Id


@dataclass(frozen=True, slots=True)
class AppointmentBooked:
    """A place was paid for (or needs no payment) and is the patient's; without a practitioner it is a device's."""

    NAME: ClassVar[str] = "scheduling.appointment_booked"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    appointment_id: Id
    patient_id: Id
    slot_id: Id
    practitioner_id: Id | None
    starts_at: dt.datetime


@dataclass(frozen=True, slots=True)
class AppointmentCancelled:
    """A hold was given back (``was_booked`` False) or a booked place was cancelled."""

    NAME: ClassVar[str] = "scheduling.appointment_cancelled"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    appointment_id: Id
    patient_id: Id
    slot_id: Id
    was_booked: bool


@dataclass(frozen=True, slots=True)
class AppointmentMissed:
    """The day is over and nobody came: a paid place that was never checked in."""

    NAME: ClassVar[str] = "scheduling.appointment_missed"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    appointment_id: Id
    patient_id: Id


@dataclass(frozen=True, slots=True)
class ExaminationBooked:
    """A patient is to be examined on a device at a time; its places are appointments of their own."""

    NAME: ClassVar[str] = "scheduling.examination_booked"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    examination_id: Id
    patient_id: Id
    device_id: Id
    starts_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ExaminationCancelled:
    """A booked examination was given back; its orders are open again."""

    NAME: ClassVar[str] = "scheduling.examination_cancelled"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    examination_id: Id
    patient_id: Id
    device_id: Id


@dataclass(frozen=True, slots=True)
class VisitDisrupted:
    """The hospital cannot keep a visit as booked. ``kind``: stop (no session) or substitute (somebody else sits)."""

    NAME: ClassVar[str] = "scheduling.visit_disrupted"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    disruption_id: Id
    appointment_id: Id
    patient_id: Id
    kind: str


@dataclass(frozen=True, slots=True)
class VisitOffered:
    """Equivalents of a lost visit wait for the patient's choice until ``decide_by``."""

    NAME: ClassVar[str] = "scheduling.visit_offered"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    disruption_id: Id
    appointment_id: Id
    patient_id: Id
    decide_by: dt.datetime


@dataclass(frozen=True, slots=True)
class ChoiceDue:
    """Published with the offer and delivered when it ends: whoever has not chosen gets the money back."""

    NAME: ClassVar[str] = "scheduling.choice_due"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    disruption_id: Id


@dataclass(frozen=True, slots=True)
class DisruptionEnded:
    """It is decided what becomes of the visit. ``outcome``: moved, refunded, released or kept."""

    NAME: ClassVar[str] = "scheduling.disruption_ended"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    disruption_id: Id
    appointment_id: Id
    patient_id: Id
    outcome: str


@dataclass(frozen=True, slots=True)
class AppointmentMoved:
    """A booked visit has another place; appointment, bill and payment are the same."""

    NAME: ClassVar[str] = "scheduling.appointment_moved"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    appointment_id: Id
    patient_id: Id
    from_slot_id: Id
    slot_id: Id
    starts_at: dt.datetime


@dataclass(frozen=True, slots=True)
class SessionStopped:
    """A session does not take place; nobody can book in it."""

    NAME: ClassVar[str] = "scheduling.session_stopped"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    schedule_id: Id
    stop_id: Id


@dataclass(frozen=True, slots=True)
class SessionResumed:
    """A stopped session takes place after all."""

    NAME: ClassVar[str] = "scheduling.session_resumed"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    schedule_id: Id
    stop_id: Id
