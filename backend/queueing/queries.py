"""Reads of queueing. Lists are read in a fixed number of queries, whatever their length."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.kernel.uow import now, today
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.queueing import rules
from backend.queueing.errors import QueueUnknown, TicketUnknown
from backend.queueing.models import Call, Queue, QueueRoom, Ticket, TicketCounter
from backend.queueing.rules import Placed, TicketClass, TicketState, Waiting
from backend.queueing.views import CallView, HallView, QueueView, TicketView, Worklist

__all__ = ["Queue", "TicketState"]

LATEST_CALLS = 12
EXPERIENCE = 20


def get_queue(session: Session, queue_id: Id) -> Queue:
    """The queue; QueueUnknown (404)."""
    queue = session.get(Queue, queue_id)
    if queue is None:
        raise QueueUnknown
    return queue


def queue_of_department(session: Session, department_id: Id) -> Queue:
    """The clinic queue of a department, the first by code; QueueUnknown when it has none."""
    queue = session.scalar(
        select(Queue).where(Queue.department_id == department_id).order_by(Queue.code).limit(1)
    )
    if queue is None:
        raise QueueUnknown
    return queue


def list_queues(session: Session, *, hospital_id: Id) -> Sequence[Queue]:
    """All queues of a hospital, by code."""
    return session.scalars(
        select(Queue).where(Queue.hospital_id == hospital_id).order_by(Queue.code)
    ).all()


def list_rooms(session: Session, queue_id: Id) -> list[organization.Location]:
    """The rooms that call from a queue, by code, in two queries."""
    ids = session.scalars(select(QueueRoom.location_id).where(QueueRoom.queue_id == queue_id)).all()
    return sorted(organization.locations_by_id(session, ids).values(), key=lambda place: place.code)


def get_ticket(session: Session, ticket_id: Id) -> TicketView:
    """The ticket with people ahead and expected wait; TicketUnknown (404)."""
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise TicketUnknown
    return _with_ahead(session, [ticket])[0]


def find_ticket_of_appointment(session: Session, appointment_id: Id) -> TicketView | None:
    """The ticket that was issued for an appointment."""
    ticket = session.scalar(select(Ticket).where(Ticket.appointment_id == appointment_id))
    return _with_ahead(session, [ticket])[0] if ticket else None


def list_tickets_of_patient(
    session: Session, patient_id: Id, *, day: dt.date | None = None
) -> list[TicketView]:
    """A patient's tickets of a day (default today), in order of arrival."""
    rows = session.scalars(
        select(Ticket)
        .where(Ticket.patient_id == patient_id, Ticket.business_date == (day or today(session)))
        .order_by(Ticket.arrived_at)
    ).all()
    return _with_ahead(session, rows)


def people_ahead(session: Session, ticket_id: Id) -> int | None:
    """How many will be called before this ticket by its practitioner; None when it does not wait."""
    return get_ticket(session, ticket_id).ahead


def waiting_list(session: Session, queue_id: Id) -> list[TicketView]:
    """Who waits in a queue today, in calling order, with the reason of each place."""
    rows = _tickets(session, queue_id, [TicketState.WAITING])
    by_id = {row.id: row for row in rows}
    placed = placed_of(session, queue_id, rows)
    views = {view.id: view for view in _views(session, [by_id[p.id] for p in placed])}
    return [_replaced(views[p.id], why=str(p.why)) for p in placed]


def worklist(session: Session, *, queue_id: Id, practitioner_id: Id) -> Worklist:
    """A practitioner's day in a queue."""
    rows = _tickets(session, queue_id, list(TicketState))
    waiting = [row for row in rows if row.state is TicketState.WAITING]
    by_id = {row.id: row for row in waiting}
    order = [
        by_id[p.id]
        for p in placed_of(session, queue_id, waiting)
        if by_id[p.id].practitioner_id in (None, practitioner_id)
    ]
    mine = [
        row
        for row in rows
        if row.state is not TicketState.WAITING
        and practitioner_id in (row.served_by_id, row.practitioner_id)
    ]
    views = {view.id: view for view in _views(session, [*order, *mine])}

    def of(*states: TicketState) -> tuple[TicketView, ...]:
        return tuple(views[row.id] for row in mine if row.state in states)

    current = [
        views[row.id]
        for row in mine
        if row.state in (TicketState.CALLED, TicketState.SERVING)
        and row.served_by_id == practitioner_id
    ]
    return Worklist(
        current=current[0] if current else None,
        waiting=tuple(views[row.id] for row in order),
        missed=of(TicketState.MISSED),
        done=of(TicketState.DONE),
    )


def queue_view(session: Session, queue_id: Id) -> QueueView:
    """One queue as screens show it."""
    return _queue_views(session, [get_queue(session, queue_id)])[0]


def hall_view(session: Session, hall_location_id: Id) -> HallView:
    """A hall with its queues and latest calls; NotFound (404) when there is no such place."""
    hall = organization.get_location(session, hall_location_id)
    queues = session.scalars(
        select(Queue).where(Queue.hall_location_id == hall_location_id).order_by(Queue.code)
    ).all()
    calls = session.scalars(
        select(Call)
        .where(
            Call.hall_location_id == hall_location_id,
            Call.at >= now(session) - dt.timedelta(hours=12),
        )
        .order_by(Call.at.desc(), Call.id.desc())
        .limit(LATEST_CALLS)
    ).all()
    return HallView(
        location_id=hall.id,
        name=hall.name,
        queues=tuple(_queue_views(session, queues)),
        calls=tuple(call_views(session, calls)),
    )


def get_call(session: Session, call_id: Id) -> CallView:
    """One call; TicketUnknown (404) when there is none."""
    call = session.get(Call, call_id)
    if call is None:
        raise TicketUnknown
    return call_views(session, [call])[0]


def call_views(session: Session, calls: Sequence[Call]) -> list[CallView]:
    """The views of calls, in four queries."""
    tickets = {
        t.id: t
        for t in session.scalars(select(Ticket).where(Ticket.id.in_([c.ticket_id for c in calls])))
    }
    queues = _queues_by_id(session, {c.queue_id for c in calls})
    rooms = organization.locations_by_id(session, [c.room_id for c in calls])
    people = patients.patients_by_id(session, [t.patient_id for t in tickets.values()])
    return [
        CallView(
            id=call.id,
            ticket_id=call.ticket_id,
            number=tickets[call.ticket_id].number,
            patient_name_masked=people[tickets[call.ticket_id].patient_id].name_masked,
            queue_id=call.queue_id,
            queue_name=queues[call.queue_id].name,
            room_name=rooms[call.room_id].name,
            kind=call.kind.value,
            at=call.at,
        )
        for call in calls
    ]


def placed_of(session: Session, queue_id: Id, rows: Sequence[Ticket]) -> list[Placed]:
    """The waiting ``rows`` of one queue in calling order."""
    if not rows:
        return []
    day = rows[0].business_date
    counters = session.scalars(
        select(TicketCounter).where(
            TicketCounter.queue_id == queue_id, TicketCounter.business_date == day
        )
    ).all()
    called = session.scalars(
        select(Ticket.ticket_class)
        .where(
            Ticket.queue_id == queue_id,
            Ticket.business_date == day,
            Ticket.call_no.is_not(None),
        )
        .order_by(Ticket.called_at.desc())
        .limit(rules.DEFAULT_POLICY.first_visits_per_return + 10)
    ).all()
    return rules.order_queue(
        [_waiting(row) for row in rows],
        calls=sum(counter.calls for counter in counters),
        first_visits_since_return=rules.first_visits_since_return(called),
    )


def _waiting(row: Ticket) -> Waiting:
    return Waiting(
        id=row.id,
        ticket_class=TicketClass(row.ticket_class),
        ordinal=row.ordinal,
        arrived_at=row.arrived_at,
        window_starts_at=row.window_starts_at,
        window_ends_at=row.window_ends_at,
        return_after_calls=row.return_after_calls,
        practitioner_id=row.practitioner_id,
    )


def _tickets(session: Session, queue_id: Id, states: list[TicketState]) -> Sequence[Ticket]:
    return session.scalars(
        select(Ticket)
        .where(
            Ticket.queue_id == queue_id,
            Ticket.business_date == today(session),
            Ticket.state.in_(states),
        )
        .order_by(Ticket.called_at, Ticket.ordinal)
    ).all()


def _queues_by_id(session: Session, ids: set[Id]) -> dict[Id, Queue]:
    return {q.id: q for q in session.scalars(select(Queue).where(Queue.id.in_(ids)))}


def _queue_views(session: Session, queues: Sequence[Queue]) -> list[QueueView]:
    live = [TicketState.WAITING, TicketState.CALLED, TicketState.SERVING]
    rows = session.scalars(
        select(Ticket)
        .where(
            Ticket.queue_id.in_([q.id for q in queues]),
            Ticket.business_date == today(session),
            Ticket.state.in_(live),
        )
        .order_by(Ticket.called_at)
    ).all()
    views = {view.id: view for view in _views(session, rows)}
    found = []
    for queue in queues:
        mine = [row for row in rows if row.queue_id == queue.id]
        waiting = [row for row in mine if row.state is TicketState.WAITING]
        order = placed_of(session, queue.id, waiting)
        found.append(
            QueueView(
                id=queue.id,
                name=queue.name,
                prefix=queue.prefix,
                hall_location_id=queue.hall_location_id,
                serving=tuple(
                    views[row.id] for row in mine if row.state is not TicketState.WAITING
                ),
                waiting=tuple(views[p.id] for p in order),
                waiting_count=len(waiting),
            )
        )
    return found


def _with_ahead(session: Session, rows: Sequence[Ticket]) -> list[TicketView]:
    """Views of ``rows`` with people ahead and expected wait where they wait."""
    views = _views(session, rows)
    queue_ids = {
        row.queue_id
        for row in rows
        if row.state is TicketState.WAITING and row.business_date == today(session)
    }
    found = {view.id: view for view in views}
    for queue_id in queue_ids:
        waiting = {r.id: r for r in _tickets(session, queue_id, [TicketState.WAITING])}
        order = placed_of(session, queue_id, list(waiting.values()))
        for row in rows:
            if row.id not in waiting:
                continue
            ahead = 0
            for placed in order:
                if placed.id == row.id:
                    break
                other = waiting[placed.id].practitioner_id
                ahead += row.practitioner_id is None or other in (None, row.practitioner_id)
            durations = _durations(session, queue_id, row.practitioner_id)
            found[row.id] = _replaced(
                found[row.id], ahead=ahead, expected=rules.expected_wait(ahead, durations)
            )
    return [found[row.id] for row in rows]


def _durations(session: Session, queue_id: Id, practitioner_id: Id | None) -> list[float]:
    """Minutes of the day's latest visits, of the practitioner when one is named."""
    statement = (
        select(Ticket.serving_at, Ticket.ended_at)
        .where(
            Ticket.queue_id == queue_id,
            Ticket.business_date == today(session),
            Ticket.state == TicketState.DONE,
        )
        .order_by(Ticket.ended_at.desc())
        .limit(EXPERIENCE)
    )
    if practitioner_id is not None:
        statement = statement.where(Ticket.served_by_id == practitioner_id)
    return [
        (ended - began).total_seconds() / 60
        for began, ended in session.execute(statement)
        if began is not None and ended is not None
    ]


def _replaced(view: TicketView, **changes: object) -> TicketView:
    return dataclasses.replace(view, **changes)  # type: ignore[arg-type]


def _views(session: Session, rows: Sequence[Ticket]) -> list[TicketView]:
    if not rows:
        return []
    queues = _queues_by_id(session, {row.queue_id for row in rows})
    place_ids = {row.room_id for row in rows if row.room_id}
    places = organization.locations_by_id(
        session, place_ids | {queue.hall_location_id for queue in queues.values()}
    )
    people = patients.patients_by_id(session, {row.patient_id for row in rows})
    doctors = organization.practitioners_by_id(
        session, {d for row in rows if (d := row.served_by_id or row.practitioner_id)}
    )
    found = []
    for row in rows:
        queue = queues[row.queue_id]
        doctor = doctors.get(row.served_by_id or row.practitioner_id or row.id)
        room = places.get(row.room_id) if row.room_id else None
        found.append(
            TicketView(
                id=row.id,
                hospital_id=row.hospital_id,
                number=row.number,
                queue_id=queue.id,
                queue_name=queue.name,
                department_id=queue.department_id,
                hall_location_id=queue.hall_location_id,
                hall_name=places[queue.hall_location_id].name,
                patient_id=row.patient_id,
                patient_name_masked=people[row.patient_id].name_masked,
                appointment_id=row.appointment_id,
                practitioner_id=row.practitioner_id,
                practitioner_name=doctor.name if doctor else "",
                state=row.state,
                ticket_class=row.ticket_class,
                business_date=row.business_date,
                arrived_at=row.arrived_at,
                window_starts_at=row.window_starts_at,
                window_ends_at=row.window_ends_at,
                room_id=row.room_id,
                room_name=room.name if room else "",
                called_at=row.called_at,
                call_count=row.call_count,
                miss_count=row.miss_count,
                printed_at=row.printed_at,
            )
        )
    return found
