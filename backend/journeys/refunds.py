"""Giving back a visit: the money first, then the place, then the queue, in one unit of work."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import InvoiceState
from backend.billing.views import RefundView
from backend.clinical import queries as records
from backend.clinical.rules import EncounterState
from backend.journeys.booking import give_up_hold
from backend.journeys.errors import VisitBegun, VisitNotRefundable
from backend.journeys.settlement import APPOINTMENT
from backend.kernel.ids import Id
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.queueing.rules import TicketState
from backend.scheduling import queries as appointments
from backend.scheduling import service as scheduling
from backend.scheduling.rules import AppointmentState
from backend.scheduling.views import AppointmentView


@dataclass(frozen=True, slots=True)
class CancelledVisit:
    """The appointment after cancelling and the refunds it caused, one a payment; none when nothing had been paid."""

    appointment: AppointmentView
    refunds: tuple[RefundView, ...] = ()

    @property
    def refund(self) -> RefundView | None:
        """The first of them: the only one, where nobody paid with several tenders."""
        return self.refunds[0] if self.refunds else None


def refund_visit(
    session: Session, *, appointment_id: Id, reason: str, excused: bool = False
) -> CancelledVisit:
    """Cancel a visit; a paid fee goes back to the tender it came from, an unpaid bill ends, the queue is left.

    ``excused``: the hospital could not keep the visit (it has an open disruption), so no cut-off binds the patient.

    Errors: VisitBegun once the patient has been before the doctor; those of ``scheduling.cancel_appointment``
    (CancelTooLate, WrongAppointmentState).
    """
    before = appointments.get_appointment(session, appointment_id)
    if before.state is AppointmentState.HELD:
        give_up_hold(session, appointment_id=appointment_id)
        session.flush()
        return CancelledVisit(appointments.get_appointment(session, appointment_id))
    ticket_id = _ticket_to_end(session, appointment_id)
    given_back = _refund_fee(session, before, reason)
    cancel = scheduling.cancel_disrupted if excused else scheduling.cancel_appointment
    cancel(session, appointment_id, reason)
    # Place before queue, as at check-in; and the queue's live messages keep a counter locked until the commit.
    if ticket_id is not None and queueing.leave_queue(session, ticket_id).serving_at is not None:
        raise VisitBegun  # the doctor was quicker than we, and nothing of this is kept
    session.flush()
    return CancelledVisit(appointments.get_appointment(session, appointment_id), given_back)


def has_begun(session: Session, appointment_id: Id) -> bool:
    """True once the patient has been before the doctor, and the fee is earned."""
    try:
        _ticket_to_end(session, appointment_id)
    except VisitBegun:
        return True
    return False


def _ticket_to_end(session: Session, appointment_id: Id) -> Id | None:
    """The ticket that still stands in a queue; VisitBegun once the patient has been before the doctor."""
    encounter, _bill = records.encounters_of_appointments(session, [appointment_id]).get(
        appointment_id, (None, None)
    )
    found = queues.tickets_of_appointments(session, [appointment_id]).get(appointment_id)
    ticket_id, _number, state = found or (None, "", None)
    if state in (TicketState.SERVING, TicketState.DONE):
        raise VisitBegun
    if encounter not in (None, EncounterState.CANCELLED):
        raise VisitBegun
    waits = state in (TicketState.WAITING, TicketState.CALLED, TicketState.MISSED)
    return ticket_id if waits else None


def _refund_fee(session: Session, visit: AppointmentView, reason: str) -> tuple[RefundView, ...]:
    if visit.invoice_id is None or visit.state is AppointmentState.CANCELLED:
        return ()
    invoice = bills.get_invoice(session, visit.invoice_id)
    if not invoice.total_fen or invoice.state is InvoiceState.VOID:
        return ()  # a visit without a fee
    lines = [
        line
        for line in invoice.lines
        if line.source_kind == APPOINTMENT and line.source_id == visit.id
    ]
    parts = {line.charge_id: line.amount_fen - line.refunded_fen for line in lines}
    if sum(parts.values()) <= 0:
        raise VisitNotRefundable
    made = billing.refund_charges(session, invoice_id=invoice.id, parts=parts, reason=reason)
    session.flush()
    return tuple(bills.get_refund(session, refund.id) for refund in made)
