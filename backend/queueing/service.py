"""Commands of queueing: issue, call, miss, serve, finish.

Each first locks the queue's row, so that two doctors never call the same ticket and numbers have no holes. Live
messages are appended last.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.contracts.queueing import TicketCalled, TicketIssued, TicketMissed, TicketServed
from backend.kernel import audit, history, live, outbox
from backend.kernel.clock import half_day
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.uow import now, today
from backend.queueing import queries, rules
from backend.queueing.errors import QueueUnknown, StillServing, TicketUnknown, WrongTicketState
from backend.queueing.models import Call, Queue, QueueRoom, Ticket, TicketCounter
from backend.queueing.rules import CallKind, TicketClass, TicketState
from backend.queueing.views import waiting_of


def add_queue(
    session: Session,
    *,
    hospital_id: Id,
    code: str,
    name: str,
    prefix: str,
    department_id: Id,
    hall_location_id: Id,
    room_ids: list[Id],
) -> Queue:
    """Open a queue with the rooms that call from it."""
    queue = Queue(
        id=new_id(),
        hospital_id=hospital_id,
        code=code,
        name=name,
        prefix=prefix,
        department_id=department_id,
        hall_location_id=hall_location_id,
    )
    session.add(queue)
    session.flush()
    for room_id in room_ids:
        session.add(QueueRoom(hospital_id=hospital_id, queue_id=queue.id, location_id=room_id))
    audit.record(session, "queueing.add_queue", entity="queue", entity_id=queue.id)
    return queue


def rename_queue(session: Session, queue_id: Id, name: str) -> None:
    """Another name on screens and tickets."""
    queue = _lock_queue(session, queue_id)
    before, queue.name = queue.name, name
    session.flush()
    history.record(
        session,
        "queueing.rename_queue",
        entity="queue",
        entity_id=queue_id,
        version=queue.version,
        changes={"name": (before, name)},
    )


def add_queue_room(session: Session, queue_id: Id, room_id: Id) -> None:
    """One more room that calls from the queue; it must not be one of its rooms yet."""
    queue = _lock_queue(session, queue_id)
    session.add(QueueRoom(hospital_id=queue.hospital_id, queue_id=queue_id, location_id=room_id))
    audit.record(
        session, "queueing.add_queue_room", entity="queue", entity_id=queue_id, room_id=room_id
    )


def check_in(
    session: Session,
    *,
    queue_id: Id,
    patient_id: Id,
    appointment_id: Id | None = None,
    practitioner_id: Id | None = None,
    window_starts_at: dt.datetime | None = None,
    window_ends_at: dt.datetime | None = None,
    ticket_class: TicketClass = TicketClass.ORDINARY,
) -> Ticket:
    """Give the next number of the queue; an appointment has one ticket however often it checks in.

    A ticket that has left (missed too often) no longer counts: checking in again gives a new number.
    """
    queue = _lock_queue(session, queue_id)
    if appointment_id is not None:
        held = session.scalar(
            select(Ticket).where(
                Ticket.appointment_id == appointment_id, Ticket.state != TicketState.LEFT
            )
        )
        if held is not None:
            return held
    counter = _counter(session, queue_id)
    counter.last_number += 1
    ticket = Ticket(
        id=new_id(),
        hospital_id=queue.hospital_id,
        queue_id=queue_id,
        business_date=counter.business_date,
        half_day=counter.half_day,
        ordinal=counter.last_number,
        number=rules.ticket_number(queue.prefix, counter.last_number),
        patient_id=patient_id,
        appointment_id=appointment_id,
        practitioner_id=practitioner_id,
        ticket_class=ticket_class,
        state=TicketState.WAITING,
        arrived_at=now(session),
        window_starts_at=window_starts_at,
        window_ends_at=window_ends_at,
    )
    session.add(ticket)
    session.flush()
    outbox.publish(session, TicketIssued(queue.hospital_id, ticket.id, queue_id, patient_id))
    _record(session, "check_in", ticket)
    _tell(session, queue)
    return ticket


def call_next(session: Session, *, queue_id: Id, room_id: Id, practitioner_id: Id) -> Ticket | None:
    """Call the first waiting ticket this practitioner may serve to ``room_id``; None when nobody waits.

    StillServing (409) while a ticket of the practitioner is called or in the room, which the worklist then shows.
    """
    queue = _lock_queue(session, queue_id)
    busy = session.scalar(select(Ticket.id).where(queries.in_hand(practitioner_id)).limit(1))
    if busy is not None:
        raise StillServing(ticket_id=str(busy))
    waiting = queries.current_tickets(session, [queue_id], [TicketState.WAITING])
    past = queries.past_calls(session, [queue_id])[queue_id]
    line = rules.order_line(map(waiting_of, waiting), practitioner_id, past)
    if not line:
        return None
    ticket = next(row for row in waiting if row.id == line[0].id)
    _move(ticket, TicketState.CALLED)
    ticket.room_id, ticket.served_by_id = room_id, practitioner_id
    ticket.called_at, ticket.call_count, ticket.returned_at = now(session), 1, None
    _announce(session, queue, ticket, CallKind.FIRST)
    return ticket


def call_again(session: Session, ticket_id: Id) -> Ticket:
    """Repeat the call of a called ticket."""
    queue, ticket = _locked(session, ticket_id)
    if ticket.state is not TicketState.CALLED:
        raise WrongTicketState(state=ticket.state.value)
    ticket.call_count += 1
    _announce(session, queue, ticket, CallKind.AGAIN)
    return ticket


def pass_over(session: Session, ticket_id: Id) -> Ticket:
    """The called patient did not come: missed; after the last allowed miss the ticket leaves."""
    queue, ticket = _locked(session, ticket_id)
    _move(ticket, TicketState.MISSED)
    ticket.miss_count += 1
    has_left = ticket.miss_count >= rules.DEFAULT_POLICY.misses_allowed
    if has_left:
        _move(ticket, TicketState.LEFT)
        ticket.ended_at = now(session)
    outbox.publish(
        session, TicketMissed(ticket.hospital_id, ticket.id, ticket.patient_id, has_left)
    )
    _record(session, "pass_over", ticket, misses=ticket.miss_count)
    _tell(session, queue)
    return ticket


def return_ticket(session: Session, ticket_id: Id) -> Ticket:
    """A missed patient is back: waits again, behind the next three calls. Repeating changes nothing.

    WrongTicketState (409) when the ticket is of another day.
    """
    queue, ticket = _locked(session, ticket_id)
    if ticket.state is TicketState.WAITING:
        return ticket
    if not queries.is_current(session, ticket):
        raise WrongTicketState(state=ticket.state.value)
    _move(ticket, TicketState.WAITING)
    ticket.returned_at = now(session)
    ticket.served_by_id = ticket.room_id = None
    _record(session, "return_ticket", ticket)
    _tell(session, queue)
    return ticket


def start_serving(session: Session, ticket_id: Id) -> Ticket:
    """The patient is in the room."""
    queue, ticket = _locked(session, ticket_id)
    if ticket.state is TicketState.SERVING:
        return ticket
    _move(ticket, TicketState.SERVING)
    ticket.serving_at = now(session)
    _record(session, "start_serving", ticket)
    _tell(session, queue)
    return ticket


def finish_ticket(session: Session, ticket_id: Id) -> Ticket:
    """The visit is over. Repeating changes nothing."""
    queue, ticket = _locked(session, ticket_id)
    if ticket.state is TicketState.DONE:
        return ticket
    _move(ticket, TicketState.DONE)
    ticket.ended_at = now(session)
    outbox.publish(session, TicketServed(ticket.hospital_id, ticket.id, ticket.patient_id))
    _record(session, "finish_ticket", ticket)
    _tell(session, queue)
    return ticket


def change_class(session: Session, ticket_id: Id, ticket_class: TicketClass) -> Ticket:
    """Staff saw a reason to let a waiting patient go earlier or later. WrongTicketState (409) unless it waits."""
    queue, ticket = _locked(session, ticket_id)
    if ticket.state is not TicketState.WAITING:
        raise WrongTicketState(state=ticket.state.value)
    if ticket.ticket_class is not ticket_class:
        before, ticket.ticket_class = ticket.ticket_class, ticket_class
        _record(session, "change_class", ticket, before=before.value, after=ticket_class.value)
        _tell(session, queue)
    return ticket


def leave_queue(session: Session, ticket_id: Id) -> Ticket:
    """The patient has gone (or the visit was refunded). Repeating changes nothing."""
    queue, ticket = _locked(session, ticket_id)
    if ticket.state is TicketState.LEFT:
        return ticket
    _move(ticket, TicketState.LEFT)
    ticket.ended_at = now(session)
    _record(session, "leave_queue", ticket)
    _tell(session, queue)
    return ticket


def mark_printed(session: Session, ticket_id: Id) -> Ticket:
    """The paper is in the patient's hand: from now on the ticket counts as given."""
    ticket = lock_row(session, Ticket, ticket_id)
    if ticket is None:
        raise TicketUnknown
    if ticket.printed_at is None:
        ticket.printed_at = now(session)
        _record(session, "mark_printed", ticket)
    return ticket


def hall_stream(hall_location_id: Id) -> str:
    """The live stream of a hall's screens."""
    return f"hall:{hall_location_id}"


def queue_stream(queue_id: Id) -> str:
    """The live stream that tells phones their queue has moved; they then read their own ticket."""
    return f"queue:{queue_id}"


def _lock_queue(session: Session, queue_id: Id) -> Queue:
    """The queue, locked for this transaction: the mutex of everything that happens in it."""
    queue = lock_row(session, Queue, queue_id)
    if queue is None:
        raise QueueUnknown
    return queue


def _counter(session: Session, queue_id: Id) -> TicketCounter:
    """The counter of the running half-day, made when absent; the queue must be locked."""
    key = {
        "queue_id": queue_id,
        "business_date": today(session),
        "half_day": half_day(now(session)),
    }
    counter = session.get(TicketCounter, key, populate_existing=True)
    if counter is None:
        counter = TicketCounter(**key, last_number=0)
        session.add(counter)
    return counter


def _locked(session: Session, ticket_id: Id) -> tuple[Queue, Ticket]:
    """The ticket and its queue, with the queue locked."""
    seen = session.get(Ticket, ticket_id)
    if seen is None:
        raise TicketUnknown
    queue = _lock_queue(session, seen.queue_id)
    ticket = lock_row(session, Ticket, ticket_id)
    if ticket is None:
        raise TicketUnknown
    return queue, ticket


def _move(ticket: Ticket, wanted: TicketState) -> None:
    if not rules.may_become(ticket.state, wanted):
        raise WrongTicketState(state=ticket.state.value, wanted=wanted.value)
    ticket.state = wanted


def _announce(session: Session, queue: Queue, ticket: Ticket, kind: CallKind) -> None:
    if ticket.room_id is None or ticket.served_by_id is None:
        raise WrongTicketState(state=ticket.state.value)
    call = Call(
        id=new_id(),
        hospital_id=queue.hospital_id,
        ticket_id=ticket.id,
        queue_id=queue.id,
        hall_location_id=queue.hall_location_id,
        room_id=ticket.room_id,
        practitioner_id=ticket.served_by_id,
        kind=kind,
        at=now(session),
    )
    session.add(call)
    session.flush()
    outbox.publish(
        session, TicketCalled(queue.hospital_id, ticket.id, call.id, call.room_id, call.at)
    )
    _record(session, "call", ticket, kind=kind.value)
    view = queries.get_call(session, call.id)
    _tell(session, queue, view.as_payload())


def _tell(session: Session, queue: Queue, *first: dict[str, object]) -> None:
    """Say on the hall's stream what changed, and on the queue's that it did. Last in the transaction."""
    session.flush()
    stream = hall_stream(queue.hall_location_id)
    for payload in (*first, queries.queue_view(session, queue.id).as_payload()):
        live.append(session, stream, payload)
    live.append(session, queue_stream(queue.id), {"kind": "changed"})


def _record(session: Session, act: str, ticket: Ticket, **detail: object) -> None:
    audit.record(
        session,
        f"queueing.{act}",
        entity="ticket",
        entity_id=ticket.id,
        patient_id=ticket.patient_id,
        number=ticket.number,
        state=ticket.state.value,
        **detail,
    )
