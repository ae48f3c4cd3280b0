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
