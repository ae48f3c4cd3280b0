"""What the front desk sees of the patient in hand: visits, bills, and whom they can be booked with. Reads only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing.errors import InvoiceUnknown, PaymentUnknown, RefundUnknown
from backend.billing.views import AccountView, ClaimView, InvoiceView, PaymentView, RefundView
from backend.journeys.visit_status import Stage, VisitStatus, visit_statuses
from backend.kernel.ids import Id
from backend.kernel.uow import now, today
from backend.patients import queries as patients
from backend.patients.queries import PatientView
from backend.queueing import queries as queues
from backend.queueing.errors import TicketUnknown
from backend.queueing.views import TicketView
from backend.scheduling import queries as appointments
from backend.scheduling.errors import AppointmentNotFound
from backend.scheduling.queries import examinations
from backend.scheduling.views import AppointmentView, BookedExaminationView, ScheduleView

#: What has ended stays in sight on the day itself.
_OVER = frozenset({Stage.CANCELLED, Stage.EXPIRED, Stage.NO_SHOW, Stage.DONE})


@dataclass(frozen=True, slots=True)
class OpenBill:
    """A bill to be paid now, the payment it waits for, if one was begun, and the parts that are paid."""

    invoice: InvoiceView
    payment: PaymentView | None
    parts: tuple[PaymentView, ...] = ()
    #: What the insurance says about it, when it was asked.
    claim: ClaimView | None = None


@dataclass(frozen=True, slots=True)
class Hand:
    """The patient in hand."""

    patient: PatientView
    visits: tuple[VisitStatus, ...]
    bills: tuple[OpenBill, ...]
    today: dt.date
    account: AccountView | None = None
    #: Cash that waits at the counter for this patient.
    cash_back: tuple[RefundView, ...] = ()

    @property
    def due_fen(self) -> int:
        """All that can be paid now."""
        return sum(bill.invoice.due_fen for bill in self.bills)


def get_hand(session: Session, patient_id: Id, *, hospital_id: Id) -> Hand:
    """The patient with visits of today and to come, and open bills; at most thirteen queries and one a
    bill that is paid in part. PatientNotFound."""
    patient = patients.get_patient(session, patient_id, hospital_id=hospital_id)
    day = today(session)
    invoices = bills.list_open_invoices(session, patient_id)
    payments = bills.find_open_payments(session, [invoice.id for invoice in invoices])
    claims = bills.find_claims(session, [invoice.id for invoice in invoices])
    kept = appointments.list_appointments(session, patient_id=patient_id, first=day)
    statuses = visit_statuses(session, kept, open_bills={invoice.id for invoice in invoices})
    return Hand(
        patient=patient,
        visits=tuple(sorted(statuses, key=_order)),
        bills=tuple(
            OpenBill(
                invoice,
                payments.get(invoice.id),
                tuple(bills.list_settling_payments(session, invoice.id))
                if invoice.paid_fen
                else (),
                claims.get(invoice.id),
            )
            for invoice in sorted(invoices, key=_urgency)
        ),
        today=day,
        account=bills.find_account(session, patient_id, hospital_id=hospital_id),
        cash_back=tuple(bills.list_cash_to_hand_over(session, patient_id)),
    )


def _urgency(invoice: InvoiceView) -> tuple[bool, dt.datetime]:
    """What a place waits for comes first, then the oldest."""
    return invoice.expires_at is None, invoice.expires_at or invoice.opened_at


def _order(status: VisitStatus) -> tuple[bool, dt.datetime]:
    return status.stage in _OVER, status.appointment.starts_at


def find_bookable(
    session: Session, *, hospital_id: Id, day: dt.date, department_id: Id | None, words: str
) -> list[ScheduleView]:
    """The sessions of ``day`` one may book in, those with ``words`` in department, doctor or title; three queries."""
    found = appointments.list_bookable(
        session,
        hospital_id=hospital_id,
        day=day,
        department_id=department_id,
        channel=appointments.Channel.COUNTER,
    )
    wanted = words.strip()
    if not wanted:
        return found
    return [
        view
        for view in found
        if wanted in view.practitioner_name
        or wanted in view.department_name
        or wanted in view.title
    ]


def get_visit(session: Session, appointment_id: Id, *, patient_id: Id) -> AppointmentView:
    """That patient's appointment; AppointmentNotFound also for another patient's."""
    visit = appointments.get_appointment(session, appointment_id)
    if visit.patient_id != patient_id:
        raise AppointmentNotFound
    return visit


def booked_by_order(
    session: Session, patient_id: Id, *, hospital_id: Id
) -> dict[Id, BookedExaminationView]:
    """The patient's examinations to come, by each of their orders; five queries at most."""
    found = examinations.list_booked_examinations(
        session, patient_id=patient_id, hospital_id=hospital_id, first=now(session)
    )
    return {Id(one.order_id): view for view in found for one in view.ordered}


def get_bill(session: Session, invoice_id: Id, *, patient_id: Id) -> InvoiceView:
    """That patient's bill; InvoiceUnknown also for another patient's."""
    invoice = bills.get_invoice(session, invoice_id)
    if invoice.patient_id != patient_id:
        raise InvoiceUnknown
    return invoice


def get_payment(session: Session, payment_id: Id, *, patient_id: Id) -> PaymentView:
    """That patient's payment; PaymentUnknown also for another patient's."""
    payment = bills.get_payment(session, payment_id)
    if payment.patient_id != patient_id:
        raise PaymentUnknown
    return payment


def get_refund(session: Session, refund_id: Id, *, patient_id: Id) -> RefundView:
    """That patient's refund; RefundUnknown also for another patient's."""
    refund = bills.get_refund(session, refund_id)
    if bills.get_payment(session, refund.payment_id).patient_id != patient_id:
        raise RefundUnknown
    return refund


def get_ticket(session: Session, ticket_id: Id, *, patient_id: Id) -> TicketView:
    """That patient's ticket; TicketUnknown also for another patient's."""
    ticket = queues.get_ticket(session, ticket_id)
    if ticket.patient_id != patient_id:
        raise TicketUnknown
    return ticket


def list_recent_bills(session: Session, patient_id: Id) -> Sequence[InvoiceView]:
    """The patient's latest bills, newest first; two queries."""
    return bills.list_invoices(session, patient_id, limit=8)
