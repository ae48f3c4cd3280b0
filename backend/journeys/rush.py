"""Booking in one's turn at the opening rush: the turn is spent, the place held and its bill opened together."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.journeys import booking
from backend.journeys.booking import BookedVisit
from backend.kernel.ids import Id
from backend.scheduling import queries as sessions
from backend.scheduling import service as scheduling
from backend.scheduling.errors import ScheduleNotFound, SlotGone


def book_in_turn(
    session: Session, *, rush_id: Id, patient_id: Id, channel: str, schedule_id: Id | None = None
) -> BookedVisit:
    """Book ``schedule_id``, or with None whichever session of the line's day has most places left.

    Who is refused keeps the turn. Errors: NotYourTurn, TurnOver, ScheduleNotFound (also for a session of
    another line), and those of ``scheduling.service.hold_slot``.
    """
    line = sessions.get_rush(session, rush_id)
    scheduling.use_turn(session, rush_id, patient_id)
    offered = sessions.list_bookable(
        session,
        hospital_id=line.hospital_id,
        day=line.business_date,
        department_id=line.department_id,
    )
    if schedule_id is not None:
        if schedule_id not in {one.schedule_id for one in offered}:
            raise ScheduleNotFound
        return booking.book_visit(
            session, patient_id=patient_id, schedule_id=schedule_id, channel=channel
        )
    for one in sorted(offered, key=lambda view: -view.free_count):
        try:
            return booking.book_visit(
                session, patient_id=patient_id, schedule_id=one.schedule_id, channel=channel
            )
        except SlotGone:
            continue  # taken between looking and holding: nothing was written yet
    raise SlotGone
