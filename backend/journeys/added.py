"""加号: the place beyond capacity and its bill come into being together, as a booking does."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.journeys.booking import BookedVisit, open_bill
from backend.kernel.ids import Id
from backend.scheduling import queries as visits
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
    invoice_id = open_bill(
        session,
        appointment_id=held.id,
        hospital_id=held.hospital_id,
        patient_id=patient_id,
        price_item_code=held.price_item_code,
        until=held.hold_until,
    )
    session.flush()
    return BookedVisit(
        visits.get_appointment(session, held.id), bills.get_invoice(session, invoice_id)
    )
