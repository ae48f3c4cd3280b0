"""What scheduling does when its own timers fire."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.contracts.scheduling import HoldDue
from backend.kernel.outbox import Subscriptions
from backend.scheduling import service


def subscribe(subscriptions: Subscriptions) -> None:
    """Register scheduling's subscribers."""
    subscriptions.on(HoldDue, "scheduling.end_hold", end_hold)


def end_hold(session: Session, event: HoldDue) -> None:
    """End the hold if nobody has paid; a hold that was paid, given back or renewed is left alone."""
    service.expire_hold(session, event.appointment_id)
