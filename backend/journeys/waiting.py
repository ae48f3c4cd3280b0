"""Waiting lists across domains: an offered place gets its bill, and leaving gives place and bill back together."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.contracts.waiting import PlaceOffered
from backend.journeys import booking
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.scheduling import queries as scheduling_queries
from backend.scheduling import service as scheduling
from backend.scheduling.rules import AppointmentState, WaitingEnd


def subscribe(subscriptions: Subscriptions) -> None:
    """An offer is accepted by paying, so it needs a bill."""
    subscriptions.on(PlaceOffered, "journeys.bill_offer", bill_offer)


def bill_offer(session: Session, event: PlaceOffered) -> None:
    """Open the bill of an offered place; nothing when it has one, or when the offer has ended meanwhile."""
    held = scheduling_queries.get_appointment(session, event.appointment_id)
    if held.state is AppointmentState.HELD and held.invoice_id is None and not held.is_lapsed:
        booking.open_bill(
            session,
            appointment_id=held.id,
            hospital_id=held.hospital_id,
            patient_id=held.patient_id,
            price_item_code=held.price_item_code,
            until=held.hold_until,
        )


def leave_line(session: Session, entry_id: Id, reason: WaitingEnd = WaitingEnd.GAVE_UP) -> None:
    """Leave a waiting list; an offered place goes back with its bill, and on to the next in line.

    Errors: WaitingNotFound, and LineChanged when the entry got its offer at this moment.
    """
    entry = scheduling_queries.get_waiting(session, entry_id)
    if entry.is_offered and entry.appointment_id is not None:
        booking.give_up_hold(session, appointment_id=entry.appointment_id)
    else:
        scheduling.leave_line(session, entry_id, reason)
