"""Reads of queueing. Lists are read in a fixed number of queries, whatever their length."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from backend.kernel.clock import HalfDay, local
from backend.kernel.ids import Id
from backend.kernel.uow import now, today
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.queueing import rules
from backend.queueing.errors import QueueUnknown, TicketUnknown
from backend.queueing.models import Call, Queue, QueueRoom, Ticket
from backend.queueing.rules import CallKind, PastCall, TicketState
from backend.queueing.views import (
    CallView,
    HallView,
    QueueView,
    TicketView,
    Worklist,
    call_view,
    ticket_view,
    waiting_of,
)

__all__ = ["Queue", "TicketState"]

LATEST_CALLS = 12
EXPERIENCE = 20
#: Until this hour the evening's tickets of the day before are still in the queue: emergency has no closing time.
NIGHT_ENDS_HOUR = 8
LIVE_STATES = (TicketState.WAITING, TicketState.CALLED, TicketState.SERVING)


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


def room_names(session: Session, queue_ids: Sequence[Id]) -> dict[Id, list[str]]:
    """The names of the rooms that call from each queue, by code, in two queries."""
    rows = session.execute(
        select(QueueRoom.queue_id, QueueRoom.location_id).where(QueueRoom.queue_id.in_(queue_ids))
    ).all()
    places = organization.locations_by_id(session, [row.location_id for row in rows])
    found: dict[Id, list[str]] = {queue_id: [] for queue_id in queue_ids}
    for row in sorted(rows, key=lambda row: places[row.location_id].code):
        found[row.queue_id].append(places[row.location_id].name)
    return found


def get_ticket(session: Session, ticket_id: Id) -> TicketView:
    """The ticket with people ahead and expected wait; TicketUnknown (404)."""
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        raise TicketUnknown
    return _with_ahead(session, [ticket])[0]


def find_ticket_of_appointment(session: Session, appointment_id: Id) -> TicketView | None:
    """The latest ticket that was issued for an appointment."""
    ticket = session.scalar(
        select(Ticket)
        .where(Ticket.appointment_id == appointment_id)
        .order_by(Ticket.arrived_at.desc(), Ticket.id.desc())
        .limit(1)
    )
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


def ticket_numbers(session: Session, ids: Iterable[Id]) -> dict[Id, str]:
    """The printed numbers of these tickets, in one query."""
    rows = session.execute(select(Ticket.id, Ticket.number).where(Ticket.id.in_(set(ids))))
    return {row.id: row.number for row in rows}


def tickets_of_appointments(
    session: Session, appointment_ids: Iterable[Id]
) -> dict[Id, tuple[Id, str, TicketState]]:
    """The ticket of each appointment (id, number, state), in one query; the latest counts."""
    rows = session.execute(
        select(Ticket.appointment_id, Ticket.id, Ticket.number, Ticket.state)
        .where(Ticket.appointment_id.in_(set(appointment_ids)))
        .order_by(Ticket.arrived_at, Ticket.id)
    )
    return {row.appointment_id: (row.id, row.number, row.state) for row in rows}


def waiting_list(session: Session, queue_id: Id) -> list[TicketView]:
    """Who waits in a queue now, in calling order, with the reason of each place."""
    rows = current_tickets(session, [queue_id], [TicketState.WAITING])
    views = {view.id: view for view in _views(session, rows)}
    past = past_calls(session, [queue_id])[queue_id]
    order = rules.order_queue(map(waiting_of, rows), past)
    return [_replaced(views[p.id], why=str(p.why)) for p in order]


def missed_list(session: Session, queue_id: Id) -> list[TicketView]:
    """Who was called in a queue and did not come, the latest first."""
    rows = current_tickets(session, [queue_id], [TicketState.MISSED])
    return list(reversed(_views(session, rows)))


def worklist(session: Session, *, queue_id: Id, practitioner_id: Id) -> Worklist:
    """A practitioner's day in a queue."""
    rows = current_tickets(session, [queue_id], list(TicketState))
    by_id = {row.id: row for row in rows}
    line = rules.order_line(
        [waiting_of(row) for row in rows if row.state is TicketState.WAITING],
        practitioner_id,
        past_calls(session, [queue_id])[queue_id],
    )
    order = [by_id[placed.id] for placed in line]
    why = {placed.id: str(placed.why) for placed in line}
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
        waiting=tuple(_replaced(views[row.id], why=why[row.id]) for row in order),
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
        call_view(
            call,
            number=(ticket := tickets[call.ticket_id]).number,
            person=people[ticket.patient_id],
            queue_name=queues[call.queue_id].name,
            room_name=rooms[call.room_id].name,
        )
        for call in calls
    ]


def current_tickets(
    session: Session, queue_ids: Sequence[Id], states: Sequence[TicketState]
) -> Sequence[Ticket]:
    """The tickets of the running day, read afresh; in the night also those of the evening before."""
    return session.scalars(
        select(Ticket)
        .where(Ticket.queue_id.in_(queue_ids), _is_current(session), Ticket.state.in_(states))
        .order_by(Ticket.called_at, Ticket.arrived_at, Ticket.ordinal)
        .execution_options(populate_existing=True)
    ).all()


def past_calls(session: Session, queue_ids: Sequence[Id]) -> dict[Id, list[PastCall]]:
    """The first calls of the running day of each queue, newest first, in one query."""
    found: dict[Id, list[PastCall]] = {queue_id: [] for queue_id in queue_ids}
    rows = session.execute(
        select(Call.queue_id, Call.practitioner_id, Ticket.ticket_class, Call.at)
        .join(Ticket, Ticket.id == Call.ticket_id)
        .where(
            Call.queue_id.in_(queue_ids),
            Call.kind == CallKind.FIRST,
            Call.at >= now(session) - dt.timedelta(hours=24),
            _is_current(session),
        )
        .order_by(Call.at.desc(), Call.id.desc())
    )
    for queue_id, practitioner_id, ticket_class, at in rows:
        found[queue_id].append(PastCall(practitioner_id, ticket_class, at))
    return found


def is_current(session: Session, ticket: Ticket) -> bool:
    """True while the ticket belongs to the running day (``current_tickets`` for one row)."""
    found = select(Ticket.id).where(Ticket.id == ticket.id, _is_current(session))
    return session.scalar(found) is not None


def _is_current(session: Session) -> ColumnElement[bool]:
    day = today(session)
    is_today = Ticket.business_date == day
    if local(now(session)).hour >= NIGHT_ENDS_HOUR:
        return is_today
    last_evening = and_(
        Ticket.business_date == day - dt.timedelta(days=1), Ticket.half_day == HalfDay.EVENING
    )
    return or_(is_today, last_evening)


def _queues_by_id(session: Session, ids: set[Id]) -> dict[Id, Queue]:
    return {q.id: q for q in session.scalars(select(Queue).where(Queue.id.in_(ids)))}


def _queue_views(session: Session, queues: Sequence[Queue]) -> list[QueueView]:
    ids = [queue.id for queue in queues]
    rows = current_tickets(session, ids, LIVE_STATES)
    past = past_calls(session, ids)
    views = {view.id: view for view in _views(session, rows)}
    found = []
    for queue in queues:
        mine = [row for row in rows if row.queue_id == queue.id]
        waiting = [row for row in mine if row.state is TicketState.WAITING]
        order = rules.order_queue(map(waiting_of, waiting), past[queue.id])
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
    """Views of ``rows`` with people ahead and expected wait where they wait; four queries a queue at most."""
    found = {view.id: view for view in _views(session, rows)}
    for queue_id in {row.queue_id for row in rows if row.state is TicketState.WAITING}:
        live = current_tickets(session, [queue_id], LIVE_STATES)
        waiting = [waiting_of(row) for row in live if row.state is TicketState.WAITING]
        in_room = [row.served_by_id for row in live if row.state is not TicketState.WAITING]
        past = past_calls(session, [queue_id])[queue_id]
        visits = _latest_visits(session, queue_id)
        current_ids = {ticket.id for ticket in waiting}
        for row in rows:
            if row.id not in current_ids:
                continue
            mine = row.practitioner_id
            line = (
                rules.order_line(waiting, mine, past) if mine else rules.order_queue(waiting, past)
            )
            ahead = [placed.id for placed in line].index(row.id)
            expected = rules.expected_wait(
                ahead,
                [minutes for doctor, minutes in visits if mine in (None, doctor)][:EXPERIENCE],
                being_served=sum(mine in (None, doctor) for doctor in in_room),
                practitioners=1 if mine else max(len({call.practitioner_id for call in past}), 1),
            )
            found[row.id] = _replaced(found[row.id], ahead=ahead, expected=expected)
    return [found[row.id] for row in rows]


def _latest_visits(session: Session, queue_id: Id) -> list[tuple[Id | None, float]]:
    """Who served and for how many minutes, from call to end, of the day's latest visits."""
    rows = session.execute(
        select(Ticket.served_by_id, Ticket.called_at, Ticket.ended_at)
        .where(Ticket.queue_id == queue_id, _is_current(session), Ticket.state == TicketState.DONE)
        .order_by(Ticket.ended_at.desc())
        .limit(10 * EXPERIENCE)
    )
    return [
        (doctor, (ended - called).total_seconds() / 60)
        for doctor, called, ended in rows
        if called is not None and ended is not None
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
            ticket_view(
                row,
                queue,
                hall_name=places[queue.hall_location_id].name,
                person=people[row.patient_id],
                practitioner_name=doctor.name if doctor else "",
                room_name=room.name if room else "",
            )
        )
    return found
