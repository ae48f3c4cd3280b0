"""加号: the place beyond capacity and its bill come into being together, as a booking does."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.journeys.booking import BookedVisit, bill_place
from backend.kernel.ids import Id
from backend.scheduling import service as scheduling


def add_number(
    session: Session, *, schedule_id: Id, patient_id: Id, reason: str, channel: str
) -> BookedVisit:
    """Hold a number beyond capacity for this patient and open the bill of its fee, to be paid until its window ends.

    A visit without a fee is booked at once. Errors: those of ``scheduling.add_number``.
    """
    held = scheduling.add_number(
        session, schedule_id=schedule_id, patient_id=patient_id, reason=reason, channel=channel
    )
    return bill_place(session, held.id)
