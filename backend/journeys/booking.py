"""Booking a visit: the place, its fee and its bill come into being together or not at all."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import InvoiceState
from backend.billing.views import InvoiceView
from backend.contracts.scheduling import AppointmentCancelled, HoldExpired
from backend.journeys import settlement
from backend.kernel.ids import Id, new_id
from backend.kernel.outbox import Subscriptions
from backend.scheduling import queries as appointments
from backend.scheduling import service as scheduling
from backend.scheduling.rules import AppointmentState
from backend.scheduling.views import AppointmentView


@dataclass(frozen=True, slots=True)
class BookedVisit:
    """A held (or, without a fee, booked) place and the bill that pays for it."""

    appointment: AppointmentView
    invoice: InvoiceView


def book_visit(
    session: Session, *, patient_id: Id, schedule_id: Id, channel: str, slot_id: Id | None = None
) -> BookedVisit:
    """Hold a place and open the bill of its fee; the bill ends when the hold does.

    A visit without a fee is booked at once. Errors: those of ``scheduling.service.hold_slot``.
    """
    held = scheduling.hold_slot(
        session,
        patient_id=patient_id,
        schedule_id=schedule_id,
        channel=channel,
        slot_id=slot_id,
        invoice_id=new_id(),
    )
    return bill_place(session, held.id)


def bill_place(session: Session, appointment_id: Id) -> BookedVisit:
    """Open the bill of a place that was taken in this unit of work, and show both.

    It gets the id that the place was taken with, if it was.
    """
    held = appointments.get_appointment(session, appointment_id)
    invoice = open_bill(
        session,
        appointment_id=held.id,
        hospital_id=held.hospital_id,
        patient_id=held.patient_id,
        price_item_code=held.price_item_code,
        until=held.hold_until,
        invoice_id=held.invoice_id,
        is_new_place=True,
    )
    if invoice.state is InvoiceState.OPEN:
        return BookedVisit(replace(held, invoice_id=invoice.id), invoice)
    return BookedVisit(appointments.get_appointment(session, held.id), invoice)


def open_bill(
    session: Session,
    *,
    appointment_id: Id,
    hospital_id: Id,
    patient_id: Id,
    price_item_code: str,
    until: dt.datetime,
    invoice_id: Id | None = None,
    is_new_place: bool = False,
) -> InvoiceView:
    """The bill of a held place's fee, which ends when the hold does; without a fee the visit is booked at once.

    ``is_new_place``: the place was taken in this unit of work, maybe already with ``invoice_id``.
    """
    charge = billing.raise_charge(
        session,
        hospital_id=hospital_id,
        patient_id=patient_id,
        price_item_code=price_item_code,
        quantity=1,
        source_kind=settlement.APPOINTMENT,
        source_id=appointment_id,
        is_new_source=is_new_place,
    )
    invoice = billing.open_invoice(
        session,
        patient_id=patient_id,
        charge_ids=[charge.id],
        expires_at=until,
        invoice_id=invoice_id,
    )
    if invoice_id is None:
        scheduling.attach_invoice(session, appointment_id, invoice.id)
    if invoice.total_fen == 0:
        settlement.confirm_paid_visits(session, invoice.id)
    session.flush()
    return bills.invoice_in_hand(invoice, [charge])


def give_up_hold(session: Session, *, appointment_id: Id) -> None:
    """The patient changed their mind before paying: place and bill end together.

    Raises WrongAppointmentState for a place that is paid (refund it instead).
    """
    invoice_id = appointments.get_appointment(session, appointment_id).invoice_id
    if invoice_id is not None:
        # Bill first, then place, as settlement does: whoever pays at this moment must not wait for us.
        billing.lock_invoice(session, invoice_id)
    scheduling.release_hold(session, appointment_id)
    if invoice_id is not None:
        _end_bill(session, invoice_id, "given_up")


def subscribe(subscriptions: Subscriptions) -> None:
    """Bills follow their places."""
    subscriptions.on(HoldExpired, "journeys.void_bill", void_bill_of_lapsed_hold)
    subscriptions.on(AppointmentCancelled, "journeys.end_bill", end_bill_of_cancelled)


def void_bill_of_lapsed_hold(session: Session, event: HoldExpired) -> None:
    """Nobody can pay any more for a place that is free again."""
    appointment = appointments.get_appointment(session, event.appointment_id)
    if appointment.state is AppointmentState.EXPIRED and appointment.invoice_id is not None:
        _end_bill(session, appointment.invoice_id, "hold_expired")


def end_bill_of_cancelled(session: Session, event: AppointmentCancelled) -> None:
    """A place given back unpaid takes its open bill with it; paid ones are refunded by who cancels."""
    appointment = appointments.get_appointment(session, event.appointment_id)
    if not event.was_booked and appointment.invoice_id is not None:
        _end_bill(session, appointment.invoice_id, "cancelled")


def _end_bill(session: Session, invoice_id: Id, reason: str) -> None:
    if bills.get_invoice(session, invoice_id).state is InvoiceState.OPEN:
        billing.void_invoice(session, invoice_id, reason=reason)
