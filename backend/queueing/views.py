"""What queueing shows to other domains, staff, screens and phones; names are masked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from backend.kernel.ids import Id
from backend.organization.queries import Label, Location, Practitioner
from backend.queueing.models import Call, Queue, Ticket
from backend.queueing.rules import (
    CLASS_WORDS,
    STATE_WORDS,
    PastCall,
    TicketClass,
    TicketState,
    Waiting,
    WaitRange,
    expected_wait,
    order_line,
    order_queue,
    wait_words,
)

#: So many of the latest visits tell how long one takes.
EXPERIENCE = 20


@dataclass(frozen=True, slots=True)
class TicketView:
    """One ticket. ``ahead`` and ``expected`` are None unless it waits; ``why`` is for staff."""

    id: Id
    hospital_id: Id
    number: str
    queue_id: Id
    queue_name: str
    department_id: Id
    hall_location_id: Id
    hall_name: str
    patient_id: Id
    patient_name_masked: str
    appointment_id: Id | None
    practitioner_id: Id | None
    practitioner_name: str
    state: TicketState
    ticket_class: TicketClass
    business_date: dt.date
    arrived_at: dt.datetime
    window_starts_at: dt.datetime | None
    window_ends_at: dt.datetime | None
    room_id: Id | None
    room_name: str
    called_at: dt.datetime | None
    call_count: int
    miss_count: int
    printed_at: dt.datetime | None
    ahead: int | None = None
    expected: WaitRange | None = None
    why: str = ""

    @property
    def state_words(self) -> str:
        """The state in the patient's words."""
        return str(STATE_WORDS[self.state])

    @property
    def wait_words(self) -> str:
        """The expected wait in words; empty when the ticket does not wait."""
        return wait_words(self.expected) if self.expected is not None else ""

    @property
    def class_words(self) -> str:
        """The class in words."""
        return str(CLASS_WORDS[self.ticket_class])


@dataclass(frozen=True, slots=True)
class CallView:
    """One call as a screen shows and a voice says it."""

    id: Id
    ticket_id: Id
    number: str
    patient_name_masked: str
    queue_id: Id
    queue_name: str
    room_name: str
    kind: str
    at: dt.datetime

    def as_payload(self) -> dict[str, object]:
        """The live message of this call."""
        return {
            "kind": "call",
            "call_id": str(self.id),
            "number": self.number,
            "name": self.patient_name_masked,
            "queue_id": str(self.queue_id),
            "queue": self.queue_name,
            "room": self.room_name,
            "call_kind": self.kind,
            "at": self.at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class QueueView:
    """One queue as a hall screen shows it: who is being served where, who is next."""

    id: Id
    name: str
    prefix: str
    hall_location_id: Id
    serving: tuple[TicketView, ...]
    waiting: tuple[TicketView, ...]
    waiting_count: int

    def as_payload(self, shown: int = 6) -> dict[str, object]:
        """The live message of this queue's state."""
        return {
            "kind": "queue",
            "queue_id": str(self.id),
            "queue": self.name,
            "waiting_count": self.waiting_count,
            "serving": [
                {"number": t.number, "room": t.room_name, "state": t.state.value}
                for t in self.serving
            ],
            "waiting": [
                {"number": t.number, "name": t.patient_name_masked} for t in self.waiting[:shown]
            ],
        }


@dataclass(frozen=True, slots=True)
class HallView:
    """One waiting hall: its queues and the latest calls, newest first."""

    location_id: Id
    name: str
    queues: tuple[QueueView, ...]
    calls: tuple[CallView, ...]


@dataclass(frozen=True, slots=True)
class Worklist:
    """A practitioner's day in one queue: in the room or called, next ones, missed, done."""

    current: TicketView | None
    waiting: tuple[TicketView, ...]
    missed: tuple[TicketView, ...]
    done: tuple[TicketView, ...]


@dataclass(frozen=True, slots=True)
class PlaceOfWork:
    """A practitioner, the department's queue if it has one, and the rooms that call from it, by code."""

    practitioner: Practitioner
    queue: Queue | None
    rooms: tuple[Location, ...]


def waiting_of(row: Ticket) -> Waiting:
    """What the rules of order need of a row."""
    return Waiting(
        id=row.id,
        ticket_class=row.ticket_class,
        ordinal=row.ordinal,
        arrived_at=row.arrived_at,
        window_starts_at=row.window_starts_at,
        window_ends_at=row.window_ends_at,
        returned_at=row.returned_at,
        practitioner_id=row.practitioner_id,
    )


def wait_of(row: Ticket, live: Sequence[Ticket], past: Sequence[PastCall]) -> tuple[int, WaitRange]:
    """How many of the queue's ``live`` tickets go before ``row``, and how long that may take."""
    mine = row.practitioner_id
    waiting = [waiting_of(other) for other in live if other.state is TicketState.WAITING]
    line = order_line(waiting, mine, past) if mine else order_queue(waiting, past)
    ahead = [placed.id for placed in line].index(row.id)
    of_mine = [call for call in past if mine in (None, call.practitioner_id)]
    minutes = [call.minutes for call in of_mine if call.minutes is not None]
    in_room = [other for other in live if other.state is not TicketState.WAITING]
    expected = expected_wait(
        ahead,
        minutes[:EXPERIENCE],
        being_served=sum(mine in (None, other.served_by_id) for other in in_room),
        practitioners=1 if mine else max(len({call.practitioner_id for call in past}), 1),
    )
    return ahead, expected


@dataclass(frozen=True, slots=True)
class Around:
    """What tickets and calls are shown with: their queues, what places and doctors are called, masked names."""

    queues: dict[Id, Queue]
    labels: dict[Id, Label]
    people: dict[Id, str]

    def ticket(self, row: Ticket) -> TicketView:
        """The view of one ticket."""
        queue = self.queues[row.queue_id]
        return TicketView(
            id=row.id,
            hospital_id=row.hospital_id,
            number=row.number,
            queue_id=queue.id,
            queue_name=queue.name,
            department_id=queue.department_id,
            hall_location_id=queue.hall_location_id,
            hall_name=self._name(queue.hall_location_id),
            patient_id=row.patient_id,
            patient_name_masked=self.people[row.patient_id],
            appointment_id=row.appointment_id,
            practitioner_id=row.practitioner_id,
            practitioner_name=self._name(row.served_by_id or row.practitioner_id),
            state=row.state,
            ticket_class=row.ticket_class,
            business_date=row.business_date,
            arrived_at=row.arrived_at,
            window_starts_at=row.window_starts_at,
            window_ends_at=row.window_ends_at,
            room_id=row.room_id,
            room_name=self._name(row.room_id),
            called_at=row.called_at,
            call_count=row.call_count,
            miss_count=row.miss_count,
            printed_at=row.printed_at,
        )

    def call(self, call: Call, ticket: Ticket) -> CallView:
        """The view of one call of a ticket."""
        return CallView(
            id=call.id,
            ticket_id=call.ticket_id,
            number=ticket.number,
            patient_name_masked=self.people[ticket.patient_id],
            queue_id=call.queue_id,
            queue_name=self.queues[call.queue_id].name,
            room_name=self._name(call.room_id),
            kind=call.kind.value,
            at=call.at,
        )

    def _name(self, id_: Id | None) -> str:
        return self.labels[id_].name if id_ else ""
