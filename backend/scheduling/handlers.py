"""What scheduling does when its own timers fire."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.contracts.scheduling import AppointmentCancelled, HoldDue
from backend.kernel.outbox import Subscriptions
from backend.scheduling import examinations, service


def subscribe(subscriptions: Subscriptions) -> None:
    """Register scheduling's subscribers."""
    subscriptions.on(HoldDue, "scheduling.end_hold", end_hold)
    subscriptions.on(AppointmentCancelled, "scheduling.follow_place", follow_place)


def end_hold(session: Session, event: HoldDue) -> None:
    """End the hold if nobody has paid; a hold that was paid, given back or renewed is left alone."""
    service.expire_hold(session, event.appointment_id)


def follow_place(session: Session, event: AppointmentCancelled) -> None:
    """An examination that loses one of its places (a device stopped) is given up whole, so that it is planned anew."""
    examinations.follow_cancelled_place(
        session, appointment_id=event.appointment_id, patient_id=event.patient_id
    )
