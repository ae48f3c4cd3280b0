"""Checking in: the paid appointment becomes a place in the department's queue."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.patients import queries as patients
from backend.queueing import queries as queues
from backend.queueing import rules as queue_rules
from backend.queueing import service as queueing
from backend.queueing.views import TicketView
from backend.scheduling import queries as appointments
from backend.scheduling import service as scheduling
from backend.scheduling.errors import AppointmentNotFound


def check_in_patient(session: Session, *, patient_id: Id, appointment_id: Id) -> TicketView:
    """The ticket for a paid appointment of today; the same one however often it is asked for.

    Errors: AppointmentNotFound also when it is another patient's; NotToday, WrongAppointmentState, QueueUnknown.
    """
    visit = appointments.get_appointment(session, appointment_id)
    if visit.patient_id != patient_id:
        raise AppointmentNotFound
    person = patients.get_patient(session, patient_id)
    queue = queues.queue_of_department(session, visit.department_id)
    scheduling.mark_checked_in(session, appointment_id)
    ticket = queueing.check_in(
        session,
        queue_id=queue.id,
        patient_id=patient_id,
        appointment_id=appointment_id,
        practitioner_id=visit.practitioner_id,
        window_starts_at=visit.starts_at,
        window_ends_at=visit.ends_at,
        ticket_class=queue_rules.class_for_age(person.age),
    )
    session.flush()
    return queues.get_ticket(session, ticket.id)
