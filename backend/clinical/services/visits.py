"""A doctor's visits: the queue, the encounter and the appointment moved together, in one unit of work each.

Staff act for themselves only: the ticket must be the one the actor called. The queue's part comes last, because
its live messages keep a counter locked until the commit.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from backend.clinical.models import Encounter
from backend.clinical.services import access
from backend.clinical.services.encounters import finish_encounter, start_encounter
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission, require
from backend.kernel.uow import actor
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.queueing.views import TicketView
from backend.scheduling import service as scheduling


def call_next(
    session: Session, *, queue_id: Id, room_id: Id, practitioner_id: Id
) -> TicketView | None:
    """Call the practitioner's next patient to a room of the queue; None when nobody waits.

    StillServing (409) while somebody is called or in the room; InvalidInput (422) for a foreign room.
    """
    access.require_practitioner(session, practitioner_id)
    queue = queues.get_queue(session, queue_id)
    _require_call(session, queue.hospital_id, queue.department_id)
    if room_id not in {room.id for room in queues.list_rooms(session, queue_id)}:
        raise InvalidInput(
            _("请先选择诊室"),
            fields={"room_id": _("这个诊室不叫这个队列的号")},
            code="room_unknown",
        )
    ticket = queueing.call_next(
        session, queue_id=queue_id, room_id=room_id, practitioner_id=practitioner_id
    )
    if ticket is None:
        return None
    session.flush()
    return queues.get_ticket(session, ticket.id)


def call_again(session: Session, ticket_id: Id) -> None:
    """Repeat the call; NotYourEncounter (403) for another doctor's ticket."""
    _require_ticket(session, ticket_id)
    ticket = queueing.call_again(session, ticket_id)
    access.require_practitioner(session, ticket.served_by_id)


def pass_over(session: Session, ticket_id: Id) -> None:
    """The called patient did not come; NotYourEncounter (403) for another doctor's ticket."""
    _require_ticket(session, ticket_id)
    ticket = queueing.pass_over(session, ticket_id)
    access.require_practitioner(session, ticket.served_by_id)


def take_back(session: Session, ticket_id: Id) -> None:
    """A missed patient stands at the door: back into the line, behind the next calls."""
    seen = _require_ticket(session, ticket_id)
    if seen.practitioner_id is not None:
        access.require_practitioner(session, seen.practitioner_id)
    queueing.return_ticket(session, ticket_id)


def begin_visit(session: Session, ticket_id: Id) -> Encounter:
    """The called patient sits down: the ticket is being served and its encounter is open. Repeating changes nothing.

    NotYourEncounter (403) for another doctor's ticket; WrongTicketState (409) when it was not called.
    """
    seen = _require_ticket(session, ticket_id)
    ticket = queueing.start_serving(session, ticket_id)
    access.require_practitioner(session, ticket.served_by_id)
    practitioner_id = ticket.served_by_id or seen.practitioner_id
    if practitioner_id is None:
        raise InvalidInput(_("这个号还没有接诊医生"), code="ticket_without_practitioner")
    return start_encounter(
        session,
        hospital_id=ticket.hospital_id,
        patient_id=ticket.patient_id,
        practitioner_id=practitioner_id,
        department_id=seen.department_id,
        appointment_id=ticket.appointment_id,
        ticket_id=ticket.id,
    )


def finish_visit(session: Session, encounter_id: Id) -> Encounter:
    """End encounter, appointment and ticket, and open the bill over the orders. Repeating changes nothing.

    Errors of finish_encounter; WrongAppointmentState, WrongTicketState (409) when the visit was ended elsewhere.
    """
    encounter = finish_encounter(session, encounter_id)
    if encounter.appointment_id is not None:
        scheduling.mark_fulfilled(session, encounter.appointment_id)
    if encounter.ticket_id is not None:
        queueing.finish_ticket(session, encounter.ticket_id)
    return encounter


def _require_ticket(session: Session, ticket_id: Id) -> TicketView:
    ticket = queues.get_ticket(session, ticket_id)
    _require_call(session, ticket.hospital_id, ticket.department_id)
    return ticket


def _require_call(session: Session, hospital_id: Id, department_id: Id) -> None:
    require(
        actor(session),
        Permission.QUEUEING_TICKET_CALL,
        hospital_id=hospital_id,
        department_id=department_id,
    )
