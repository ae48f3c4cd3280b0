"""Waiting lists across domains: an offered place gets its bill, and leaving gives place and bill back together."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from backend.contracts.waiting import PlaceOffered
from backend.journeys import booking
from backend.kernel.errors import Conflict
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.scheduling import queries as scheduling_queries
from backend.scheduling import service as scheduling
from backend.scheduling.errors import (
    AlreadyBooked,
    AlreadyWaiting,
    BookingSuspended,
    LineClosed,
    PlacesLeft,
    SameDayClosed,
    TooManyLines,
    TooManyVisits,
)
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


def join_department(
    session: Session,
    *,
    patient_id: Id,
    hospital_id: Id,
    department_id: Id,
    day: dt.date,
    channel: str,
) -> int:
    """Stand in the line of every full session of a department's day where the patient may; in how many they stand.

    Asking again changes nothing. Raises LineClosed when there is none to stand in, or what the rules have against it.
    """
    sessions = scheduling_queries.list_bookable(
        session, hospital_id=hospital_id, day=day, department_id=department_id
    )
    joined = 0
    refused: Conflict = LineClosed()
    for one in sorted(sessions, key=lambda view: view.schedule_id):
        try:
            scheduling.join_line(
                session, patient_id=patient_id, schedule_id=one.schedule_id, channel=channel
            )
        except AlreadyWaiting:
            pass
        except (AlreadyBooked, LineClosed, PlacesLeft):
            continue
        except (BookingSuspended, SameDayClosed, TooManyVisits) as refusal:
            refused = refusal
            continue
        except TooManyLines:
            break
        joined += 1
    if not joined:
        raise refused
    return joined


def leave_department(session: Session, *, patient_id: Id, department_id: Id, day: dt.date) -> None:
    """Leave every line of a department's day in which the patient waits without an offer."""
    waits = scheduling_queries.list_waits(session, patient_id)
    for one in sorted(waits, key=lambda view: view.schedule_id):
        if (one.department_id, one.business_date) == (department_id, day) and not one.is_offered:
            scheduling.leave_line(session, one.id, WaitingEnd.GAVE_UP)
