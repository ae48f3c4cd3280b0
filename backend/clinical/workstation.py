"""What a doctor's workstation shows, read in a fixed number of queries: the line, and the encounter in hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.clinical import queries
from backend.clinical.errors import NotAPractitioner
from backend.clinical.rules import OrderKind, OrderState, allergy_warnings
from backend.clinical.views import EncounterInLine, EncounterView, PersonInHand, person_in_hand
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission, has, require
from backend.kernel.uow import actor
from backend.patients import queries as patients
from backend.queueing import queries as queues
from backend.queueing.views import PlaceOfWork, TicketView, Worklist
from backend.scheduling import queries as schedules


@dataclass(frozen=True, slots=True)
class Line:
    """The left side: the practitioner's people of today, and what was begun and never finished."""

    queue_id: Id
    queue_name: str
    work: Worklist
    encounter_ids: dict[Id, Id]
    unfinished: Sequence[EncounterInLine]

    @property
    def current(self) -> TicketView | None:
        """Who is called or in the room."""
        return self.work.current


@dataclass(frozen=True, slots=True)
class Record:
    """The middle: one encounter with its patient. ``warnings`` maps an order's id to allergies its name contains."""

    encounter: EncounterView
    person: PersonInHand
    can_write: bool
    warnings: dict[Id, list[str]]

    @property
    def active_count(self) -> int:
        """How many orders stand."""
        return sum(order.state is not OrderState.CANCELLED for order in self.encounter.orders)

    @property
    def can_plan(self) -> bool:
        """True when an examination is ordered, which then wants a time."""
        return any(
            order.kind is OrderKind.EXAMINATION and order.state is OrderState.ACTIVE
            for order in self.encounter.orders
        )


def place_of_actor(session: Session) -> PlaceOfWork:
    """Who works here, with the department's queue and rooms; NotAPractitioner (403) for other staff."""
    who = actor(session)
    if who.practitioner_id is None:
        raise NotAPractitioner
    return queues.place_of_work(session, who.practitioner_id)


def read_line(session: Session, place: PlaceOfWork) -> Line | None:
    """The practitioner's line in the department's queue, in five queries; None when the department has none."""
    if place.queue is None:
        return None
    who = place.practitioner.id
    work = queues.worklist(session, queue_id=place.queue.id, practitioner_id=who)
    seen = [ticket.id for ticket in (*work.done, *((work.current,) if work.current else ()))]
    encounters = queries.encounters_in_line(session, who, seen)
    return Line(
        queue_id=place.queue.id,
        queue_name=place.queue.name,
        work=work,
        encounter_ids={row.ticket_id: row.id for row in encounters if row.ticket_id is not None},
        unfinished=[
            row
            for row in encounters
            if row.is_unfinished and (work.current is None or row.ticket_id != work.current.id)
        ],
    )


def usual_room(session: Session, place: PlaceOfWork) -> Id | None:
    """The room of the practitioner's session that is on now (or next) today, when the queue calls there."""
    known = {room.id for room in place.rooms}
    rooms = schedules.rooms_of_today(session, place.practitioner.id)
    return next((room_id for room_id in rooms if room_id in known), None)


def read_record(session: Session, encounter_id: Id) -> Record:
    """One encounter as this actor may see it, in three queries.

    Writable for its practitioner, readable in the actor's departments.
    """
    who = actor(session)
    encounter = queries.get_encounter(session, encounter_id, hospital_id=who.hospital_id)
    is_own = who.practitioner_id == encounter.practitioner_id
    if not is_own:
        require(
            who,
            Permission.CLINICAL_ENCOUNTER_READ,
            hospital_id=encounter.hospital_id,
            department_id=encounter.department_id,
        )
    patient = patients.get_patient(session, encounter.patient_id)
    return Record(
        encounter=encounter,
        person=person_in_hand(patient),
        can_write=is_own and encounter.is_open and has(who, Permission.CLINICAL_ENCOUNTER_WRITE),
        warnings={
            order.id: found
            for order in encounter.orders
            if order.kind is OrderKind.DRUG
            and order.state is not OrderState.CANCELLED
            and (found := allergy_warnings(patient.allergies, order.name))
        },
    )
