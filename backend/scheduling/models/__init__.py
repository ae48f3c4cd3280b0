"""Tables of the pool: weekly templates, schedules, slots, appointments, and the life of every slot."""

from __future__ import annotations

from backend.scheduling.models.calendar import CalendarDay
from backend.scheduling.models.devices import Device
from backend.scheduling.models.disruptions import (
    Disruption,
    StopNotice,
    StoppedSession,
    Substitution,
    is_cared_for,
    is_hit,
)
from backend.scheduling.models.examinations import (
    BookedExamination,
    ExaminationItem,
    ExaminationPlace,
    ExaminationScreening,
    ExaminationType,
)
from backend.scheduling.models.places import (
    IS_BOOKED,
    IS_FREE,
    IS_HELD,
    Appointment,
    Slot,
    SlotEvent,
    claimable,
    open_to,
    out_of_line,
)
from backend.scheduling.models.rush import Rush, RushTicket
from backend.scheduling.models.sessions import Schedule, TemplateEntry
from backend.scheduling.models.waiting import IS_OFFERED, IS_WAITING, WaitingEntry, has_line

__all__ = [
    "IS_BOOKED",
    "IS_FREE",
    "IS_HELD",
    "IS_OFFERED",
    "IS_WAITING",
    "Appointment",
    "BookedExamination",
    "CalendarDay",
    "Device",
    "Disruption",
    "ExaminationItem",
    "ExaminationPlace",
    "ExaminationScreening",
    "ExaminationType",
    "Rush",
    "RushTicket",
    "Schedule",
    "Slot",
    "SlotEvent",
    "StopNotice",
    "StoppedSession",
    "Substitution",
    "TemplateEntry",
    "WaitingEntry",
    "claimable",
    "has_line",
    "is_cared_for",
    "is_hit",
    "open_to",
    "out_of_line",
]
