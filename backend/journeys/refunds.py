"""Giving back a visit, or lines of a bill: the money first, then the place, then the queue, in one unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import InvoiceState
from backend.billing.views import InvoiceView, RefundView
from backend.clinical import queries as records
from backend.clinical.rules import EncounterState
from backend.clinical.service import ORDER
from backend.journeys.booking import give_up_hold
from backend.journeys.errors import VisitBegun, VisitNotRefundable
from backend.journeys.settlement import APPOINTMENT
from backend.kernel.ids import Id
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.queueing.rules import TicketState
from backend.scheduling import examinations
from backend.scheduling import queries as appointments
from backend.scheduling import service as scheduling
from backend.scheduling.errors import ExaminationBegun
from backend.scheduling.rules import AppointmentState
from backend.scheduling.views import AppointmentView

REFUNDED_REASON = "检查已退费"


@dataclass(frozen=True, slots=True)
class RefundedLines:
    """The refunds, one a payment, and the names of the examinations that lost their booking with their money."""

    refunds: tuple[RefundView, ...]
    unbooked: tuple[str, ...]


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


def refund_lines(
    session: Session,
    *,
    invoice_id: Id,
    parts: Mapping[Id, int],
    reason: str,
    key: str | None = None,
) -> RefundedLines:
    """Give back ``parts`` (fen by charge) of a paid bill; an order whose whole fee goes back loses its booked place.

    Only where its time has not come: a patient who stayed away may have the money, but that place serves nobody
    any more. What was carried out keeps its money (ChargeExecuted), and its booking with it.

    Errors: VisitNotRefundable (409) for a bill with a visit's fee, which goes back with the visit; those of
    ``billing.refund_charges``.
    """
    _refuse_visits(bills.get_invoice(session, invoice_id))
    made = billing.refund_charges(
        session, invoice_id=invoice_id, parts=parts, reason=reason, key=key
    )
    session.flush()
    after = bills.get_invoice(session, invoice_id)
    gone = [
        line
        for line in after.lines
        if line.source_kind == ORDER
        and parts.get(line.charge_id)
        and line.refunded_fen == line.amount_fen
    ]
    unbooked = [
        line.name for line in gone if _drop_booking(session, line.source_id, after.patient_id)
    ]
    return RefundedLines(
        tuple(bills.get_refund(session, refund.id) for refund in made), tuple(unbooked)
    )


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


def _refuse_visits(invoice: InvoiceView) -> None:
    """A visit's fee goes back with its place and its ticket, never alone."""
    if invoice.state is not InvoiceState.OPEN and any(
        line.source_kind == APPOINTMENT and line.refunded_fen < line.amount_fen
        for line in invoice.lines
    ):
        raise VisitNotRefundable(
            _("挂号费随退号一起退"), next_step=_("请在患者页面的就诊里选“退号”")
        )


def _drop_booking(session: Session, order_id: Id, patient_id: Id) -> bool:
    """True when the order was booked and no longer is."""
    try:
        return examinations.drop_order(
            session, order_id=order_id, patient_id=patient_id, reason=REFUNDED_REASON
        )
    except ExaminationBegun:
        return False
