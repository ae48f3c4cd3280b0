"""What a doctor's workstation shows, read in a fixed number of queries: the line, and the encounter in hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.clinical import queries
from backend.clinical.errors import NotAPractitioner
from backend.clinical.rules import OrderKind, OrderState, allergy_warnings
from backend.clinical.views import EncounterView, PersonInHand, person_in_hand
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission, has, require
from backend.kernel.uow import actor, now, today
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.queueing import queries as queues
from backend.queueing.errors import QueueUnknown
from backend.queueing.views import TicketView, Worklist
from backend.scheduling import queries as schedules


@dataclass(frozen=True, slots=True)
class Line:
    """The left side: the practitioner's people of today, and what was begun and never finished."""

    queue_id: Id
    queue_name: str
    rooms: Sequence[organization.Location]
    work: Worklist
    encounter_ids: dict[Id, Id]
    unfinished: Sequence[EncounterView]

    @property
    def current(self) -> TicketView | None:
        """Who is called or in the room."""
        return self.work.current


@dataclass(frozen=True, slots=True)
class Record:
    """The middle: one encounter with its patient. ``warnings`` maps an order's id to allergies its name contains."""

    encounter: EncounterView
    person: PersonInHand
    past: Sequence[EncounterView]
    can_write: bool
    warnings: dict[Id, list[str]]
    number: str

    @property
    def active_count(self) -> int:
        """How many orders stand."""
        return sum(order.state is not OrderState.CANCELLED for order in self.encounter.orders)


def practitioner_of_actor(session: Session) -> organization.Practitioner:
    """The practitioner who works here; NotAPractitioner (403) for other staff."""
    who = actor(session)
    if who.practitioner_id is None:
        raise NotAPractitioner
    return organization.get_practitioner(session, who.practitioner_id)


def read_line(session: Session, practitioner: organization.Practitioner) -> Line | None:
    """The practitioner's line in the department's queue; None when the department has none."""
    try:
        queue = queues.queue_of_department(session, practitioner.department_id)
    except QueueUnknown:
        return None
    work = queues.worklist(session, queue_id=queue.id, practitioner_id=practitioner.id)
    seen = [ticket.id for ticket in (*work.done, *((work.current,) if work.current else ()))]
    return Line(
        queue_id=queue.id,
        queue_name=queue.name,
        rooms=queues.list_rooms(session, queue.id),
        work=work,
        encounter_ids=queries.encounters_of_tickets(session, seen),
        unfinished=[
            encounter
            for encounter in queries.list_unfinished(session, practitioner.id)
            if work.current is None or encounter.ticket_id != work.current.id
        ],
    )


def usual_room(session: Session, practitioner: organization.Practitioner, line: Line) -> Id | None:
    """The room of the practitioner's session that is on now (or next) today, when the queue calls there."""
    day = today(session)
    sessions = [
        view
        for view in schedules.list_schedules(
            session,
            hospital_id=practitioner.hospital_id,
            first=day,
            last=day,
            department_id=practitioner.department_id,
        )
        if view.practitioner_id == practitioner.id and not view.is_stopped
    ]
    at = now(session)
    ahead = [view for view in sessions if view.last_ends_at > at] or sessions
    known = {room.id for room in line.rooms}
    return next((view.location_id for view in ahead if view.location_id in known), None)


def read_record(session: Session, encounter_id: Id) -> Record:
    """One encounter as this actor may see it: writable for its practitioner, readable in the actor's departments.

    Past visits are shown to the practitioner in charge only.
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
    can_write = is_own and encounter.is_open and has(who, Permission.CLINICAL_ENCOUNTER_WRITE)
    numbers = queues.ticket_numbers(session, [encounter.ticket_id] if encounter.ticket_id else [])
    return Record(
        encounter=encounter,
        person=person_in_hand(patient),
        past=(
            queries.encounter_history(session, encounter.patient_id, but_not=encounter.id)
            if can_write
            else ()
        ),
        can_write=can_write,
        warnings={
            order.id: found
            for order in encounter.orders
            if order.kind is OrderKind.DRUG
            and order.state is not OrderState.CANCELLED
            and (found := allergy_warnings(patient.allergies, order.name))
        },
        number=next(iter(numbers.values()), ""),
    )
