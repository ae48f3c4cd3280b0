"""What queueing tells the rest of the house. Ids and times only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from backend.kernel.ids import Id


@dataclass(frozen=True, slots=True)
class TicketIssued:
    """A patient was given a place in a queue."""

    NAME: ClassVar[str] = "queueing.ticket_issued"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    ticket_id: Id
    queue_id: Id
    patient_id: Id


@dataclass(frozen=True, slots=True)
class TicketCalled:
    """A ticket was called to a room, for the first time of this turn or again."""

    NAME: ClassVar[str] = "queueing.ticket_called"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    ticket_id: Id
    call_id: Id
    room_id: Id
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class TicketServed:
    """The visit that the ticket was for is over."""

    NAME: ClassVar[str] = "queueing.ticket_served"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    ticket_id: Id
    patient_id: Id


@dataclass(frozen=True, slots=True)
class TicketMissed:
    """The patient did not come; ``has_left`` after the last allowed miss."""

    NAME: ClassVar[str] = "queueing.ticket_missed"
    VERSION: ClassVar[int] = 1

    hospital_id: Id
    ticket_id: Id
    patient_id: Id
    has_left: bool
