"""Reads of queueing. Lists are read in a fixed number of queries, whatever their length."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from backend.kernel.clock import HalfDay, local
from backend.kernel.errors import NotFound
from backend.kernel.ids import Id
from backend.kernel.uow import now, today
from backend.organization import queries as organization
from backend.organization.queries import Location, Practitioner
from backend.patients import queries as patients
from backend.queueing import rules
from backend.queueing.errors import QueueUnknown, TicketUnknown
from backend.queueing.models import Call, Queue, QueueRoom, Ticket
from backend.queueing.rules import CallKind, PastCall, TicketState
from backend.queueing.views import (
    Around,
    CallView,
    HallView,
    PlaceOfWork,
    QueueView,
    TicketView,
    Worklist,
    wait_of,
    waiting_of,
)

__all__ = ["Queue", "Ticket", "TicketState"]

LATEST_CALLS = 12
#: Until this hour the evening's tickets of the day before are still in the queue: emergency has no closing time.
NIGHT_ENDS_HOUR = 8
LIVE_STATES = (TicketState.WAITING, TicketState.CALLED, TicketState.SERVING)
_VISIT = (Ticket.ticket_class, Ticket.state, Ticket.called_at, Ticket.ended_at)
_TICKETS = select(Ticket, Queue).join(Queue, Queue.id == Ticket.queue_id)


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


def list_rooms(session: Session, queue_id: Id) -> list[Location]:
    """The rooms in use that call from a queue, by code."""
    rooms = select(Location).join(QueueRoom, QueueRoom.location_id == Location.id)
    of_queue = rooms.where(QueueRoom.queue_id == queue_id, Location.is_active).order_by(
        Location.code
    )
    return list(session.scalars(of_queue))


def room_names(session: Session, queue_ids: Sequence[Id]) -> dict[Id, list[str]]:
    """The names of the rooms in use that call from each queue, by code, in two queries."""
    rows = session.execute(
        select(QueueRoom.queue_id, QueueRoom.location_id).where(QueueRoom.queue_id.in_(queue_ids))
    ).all()
    places = organization.locations_by_id(session, [row.location_id for row in rows])
    found: dict[Id, list[str]] = {queue_id: [] for queue_id in queue_ids}
    for row in sorted(rows, key=lambda row: places[row.location_id].code):
        if places[row.location_id].is_active:
            found[row.queue_id].append(places[row.location_id].name)
    return found


def get_ticket(session: Session, ticket_id: Id) -> TicketView:
    """The ticket with people ahead and expected wait; TicketUnknown (404)."""
    found = _with_ahead(session, _TICKETS.where(Ticket.id == ticket_id))
    if not found:
        raise TicketUnknown
    return found[0]


def queue_of_ticket(session: Session, ticket_id: Id) -> Id:
    """The queue a ticket belongs to, for ever; TicketUnknown (404)."""
    queue_id = session.scalar(select(Ticket.queue_id).where(Ticket.id == ticket_id))
    if queue_id is None:
        raise TicketUnknown
    return queue_id


def find_ticket_of_appointment(session: Session, appointment_id: Id) -> TicketView | None:
    """The latest ticket that was issued for an appointment."""
    latest = (
        _TICKETS.where(Ticket.appointment_id == appointment_id)
        .order_by(Ticket.arrived_at.desc(), Ticket.id.desc())
        .limit(1)
    )
    return next(iter(_with_ahead(session, latest)), None)


def list_tickets_of_patient(
    session: Session, patient_id: Id, *, day: dt.date | None = None
) -> list[TicketView]:
    """A patient's tickets of a day (default today), in order of arrival."""
    of_day = Ticket.business_date == (day or today(session))
    return _with_ahead(
        session,
        _TICKETS.where(Ticket.patient_id == patient_id, of_day).order_by(Ticket.arrived_at),
    )


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


def place_of_work(session: Session, practitioner_id: Id) -> PlaceOfWork:
    """A practitioner with the department's queue (the first by code) and its rooms, in one query; NotFound (404)."""
    rows = session.execute(
        select(Practitioner, Queue, Location)
        .outerjoin(Queue, Queue.department_id == Practitioner.department_id)
        .outerjoin(QueueRoom, QueueRoom.queue_id == Queue.id)
        .outerjoin(Location, Location.id == QueueRoom.location_id)
        .where(Practitioner.id == practitioner_id)
        .order_by(Queue.code, Location.code)
    ).all()
    if not rows:
        raise NotFound
    person, queue, _room = rows[0]
    rooms = [room for _person, its, room in rows if its is queue and room is not None]
    return PlaceOfWork(person, queue, tuple(rooms))


def in_hand(practitioner_id: Id) -> ColumnElement[bool]:
    """Called by the practitioner or in the room, in whatever queue and since whenever: nobody else ends it."""
    states = (TicketState.CALLED, TicketState.SERVING)
    return and_(Ticket.served_by_id == practitioner_id, Ticket.state.in_(states))


def worklist(session: Session, *, queue_id: Id, practitioner_id: Id) -> Worklist:
    """A practitioner's day in a queue, and whoever is still in hand from before or elsewhere; four queries."""
    pairs = session.execute(
        _TICKETS.where(
            or_(and_(Ticket.queue_id == queue_id, _is_current(session)), in_hand(practitioner_id))
        ).order_by(Ticket.called_at, Ticket.arrived_at, Ticket.ordinal)
    ).all()
    rows = [ticket for ticket, _queue in pairs]
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
    around = _around(session, [*order, *mine], queues=[queue for _ticket, queue in pairs])
    views = {row.id: around.ticket(row) for row in (*order, *mine)}

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
    return _queue_views(session, [get_queue(session, queue_id)])[0][0]


def hall_view(session: Session, hall_location_id: Id) -> HallView:
    """A hall with its queues and latest calls; NotFound (404) when there is no such place."""
    hall = organization.get_location(session, hall_location_id)
    queues = session.scalars(
        select(Queue).where(Queue.hall_location_id == hall_location_id).order_by(Queue.code)
    ).all()
    calls = session.execute(
        select(Call, Ticket)
        .join(Ticket, Ticket.id == Call.ticket_id)
        .where(
            Call.hall_location_id == hall_location_id,
            Call.at >= now(session) - dt.timedelta(hours=12),
        )
        .order_by(Call.at.desc(), Call.id.desc())
        .limit(LATEST_CALLS)
    )
    pairs = [(call, ticket) for call, ticket in calls]
    views, calls_made = _queue_views(session, queues, pairs)
    return HallView(
        location_id=hall.id, name=hall.name, queues=tuple(views), calls=tuple(calls_made)
    )


def get_call(session: Session, call_id: Id) -> CallView:
    """One call; TicketUnknown (404) when there is none."""
    pair = session.execute(
        select(Call, Ticket).join(Ticket, Ticket.id == Call.ticket_id).where(Call.id == call_id)
    ).first()
    if pair is None:
        raise TicketUnknown
    call, ticket = pair
    return _around(session, [ticket], [call]).call(call, ticket)


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
        select(Call.queue_id, Call.practitioner_id, Call.at, *_VISIT)
        .join(Ticket, Ticket.id == Call.ticket_id)
        .where(
            Call.queue_id.in_(queue_ids),
            Call.kind == CallKind.FIRST,
            Call.at >= now(session) - dt.timedelta(hours=24),
            _is_current(session),
        )
        .order_by(Call.at.desc(), Call.id.desc())
    )
    for queue_id, practitioner_id, at, ticket_class, state, called_at, ended_at in rows:
        # Who was missed and came back was called more than once: only the last call began the visit.
        is_visit = state is TicketState.DONE and called_at == at
        minutes = (ended_at - at).total_seconds() / 60 if is_visit and ended_at else None
        found[queue_id].append(PastCall(practitioner_id, ticket_class, at, minutes))
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


def _queue_views(
    session: Session, queues: Sequence[Queue], calls: Sequence[tuple[Call, Ticket]] = ()
) -> tuple[list[QueueView], list[CallView]]:
    """The views of queues, and of calls beside them, in four queries."""
    ids = [queue.id for queue in queues]
    rows = current_tickets(session, ids, LIVE_STATES)
    past = past_calls(session, ids)
    of_calls = [ticket for _call, ticket in calls]
    around = _around(session, [*rows, *of_calls], [call for call, _ticket in calls], queues)
    views = {row.id: around.ticket(row) for row in rows}
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
    return found, [around.call(call, ticket) for call, ticket in calls]


def _with_ahead(session: Session, tickets: Select[Ticket, Queue]) -> list[TicketView]:
    """The selected tickets, with people ahead and expected wait where they wait; five queries at most."""
    pairs = session.execute(tickets).all()
    rows = [ticket for ticket, _queue in pairs]
    around = _around(session, rows, queues=[queue for _ticket, queue in pairs])
    found = {row.id: around.ticket(row) for row in rows}
    queue_ids = {row.queue_id for row in rows if row.state is TicketState.WAITING}
    if not queue_ids:
        return list(found.values())
    live = current_tickets(session, list(queue_ids), LIVE_STATES)
    past = past_calls(session, list(queue_ids))
    for row in live:
        if row.id in found and row.state is TicketState.WAITING:
            line = [other for other in live if other.queue_id == row.queue_id]
            ahead, expected = wait_of(row, line, past[row.queue_id])
            found[row.id] = _replaced(found[row.id], ahead=ahead, expected=expected)
    return list(found.values())


def _replaced(view: TicketView, **changes: object) -> TicketView:
    return dataclasses.replace(view, **changes)  # type: ignore[arg-type]


def _views(session: Session, rows: Sequence[Ticket]) -> list[TicketView]:
    around = _around(session, rows)
    return [around.ticket(row) for row in rows]


def _around(
    session: Session,
    tickets: Sequence[Ticket],
    calls: Sequence[Call] = (),
    queues: Sequence[Queue] | None = None,
) -> Around:
    """Two queries; a third where the queues are not at hand."""
    if not tickets:
        return Around({}, {}, {})
    if queues is None:
        queues = session.scalars(
            select(Queue).where(Queue.id.in_({row.queue_id for row in tickets}))
        ).all()
    ids = {row.room_id for row in tickets} | {call.room_id for call in calls}
    ids |= {row.served_by_id or row.practitioner_id for row in tickets}
    ids |= {queue.hall_location_id for queue in queues}
    return Around(
        {queue.id: queue for queue in queues},
        organization.labels_by_id(session, [i for i in ids if i]),
        patients.masked_names(session, [row.patient_id for row in tickets]),
    )
