"""Booking in one's turn at the opening rush: the turn is spent, the place held and its bill opened together."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.journeys import booking
from backend.journeys.booking import BookedVisit
from backend.kernel.ids import Id, new_id
from backend.scheduling import queries as sessions
from backend.scheduling import service as scheduling
from backend.scheduling.errors import ScheduleNotFound


def book_in_turn(
    session: Session, *, rush_id: Id, patient_id: Id, channel: str, schedule_id: Id | None = None
) -> BookedVisit:
    """Book ``schedule_id``, or with None any doctor of the line's department on its day.

    Who is refused keeps the turn. Errors: NotYourTurn, TurnOver, ScheduleNotFound (also for a session of
    another line), and those of ``scheduling.service.hold_slot``.
    """
    line = sessions.get_rush(session, rush_id)
    scheduling.use_turn(session, rush_id, patient_id)
    if schedule_id is not None:
        wanted = sessions.get_schedule(session, schedule_id)
        if (wanted.department_id, wanted.business_date) != (line.department_id, line.business_date):
            raise ScheduleNotFound
        return booking.book_visit(
            session, patient_id=patient_id, schedule_id=schedule_id, channel=channel
        )
    held = scheduling.hold_any(
        session,
        patient_id=patient_id,
        department_id=line.department_id,
        day=line.business_date,
        channel=channel,
        invoice_id=new_id(),
    )
    return booking.bill_place(session, held.id)
