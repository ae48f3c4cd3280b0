"""Dead deliveries: events that failed too often for one subscriber, until a person retries or discards them.

Each command changes rows by a condition on their state, so of two people (or a dispatcher) at the same row one acts
and the other is told. A discarded delivery is done with, for a reason that stays; it can be taken back to the dead.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.errors import Conflict, InvalidInput
from backend.kernel.masking import strike_numbers
from backend.kernel.outbox import DeliveryState, OutboxDelivery, OutboxEvent
from backend.kernel.uow import context, now

LONGEST_REASON = 200


class DeliveryMoved(Conflict):
    """Somebody else retried or discarded it first, or it was never dead."""

    code = "delivery_moved"
    default_message = _("这条通知已经被处理过了")
    default_next_step = _("请刷新页面，看看还剩哪些")


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """One subscriber's dead deliveries: how many, since when the oldest fact waits, and how the last one failed."""

    subscriber: str
    count: int
    oldest_at: dt.datetime
    last_error: str
    #: False when the program no longer has this subscriber: retrying would wait for nobody.
    is_known: bool

    @property
    def event(self) -> str:
        """The name of the event."""
        return self.subscriber.partition(">")[0]

    @property
    def handler(self) -> str:
        """Who should have been told."""
        return self.subscriber.partition(">")[2]


@dataclass(frozen=True, slots=True)
class DeadDelivery:
    """One dead or discarded delivery; ``error`` is the kind of the last failure, never its words."""

    id: int
    subscriber: str
    occurred_at: dt.datetime
    attempts: int
    error: str
    request_id: str
    discarded_at: dt.datetime | None = None
    discarded_by: str = ""
    reason: str = ""


def count_by_subscriber(session: Session) -> dict[str, int]:
    """How many are dead, by subscriber; over an index of its own, cheap enough for every scrape."""
    rows = session.execute(
        select(OutboxDelivery.subscriber, func.count())
        .where(OutboxDelivery.state == DeliveryState.DEAD)
        .group_by(OutboxDelivery.subscriber)
    )
    return {subscriber: int(number) for subscriber, number in rows}


def list_groups(session: Session) -> list[DeadGroup]:
    """Subscribers with dead deliveries, the one that waits longest first."""
    oldest = func.min(OutboxEvent.occurred_at)
    rows = session.execute(
        select(OutboxDelivery.subscriber, func.count(), oldest, func.max(OutboxDelivery.id))
        .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
        .where(OutboxDelivery.state == DeliveryState.DEAD)
        .group_by(OutboxDelivery.subscriber)
        .order_by(oldest)
    ).all()
    youngest = select(OutboxDelivery.id, OutboxDelivery.last_error).where(
        OutboxDelivery.id.in_([last for *_rest, last in rows])
    )
    errors = {row.id: row.last_error for row in session.execute(youngest)}
    subscriptions = context(session).subscriptions
    known = {*subscriptions.keys(external=True), *subscriptions.keys(external=False)}
    return [
        DeadGroup(subscriber, int(number), first, errors.get(last) or "", subscriber in known)
        for subscriber, number, first, last in rows
    ]


def list_dead(session: Session, subscriber: str, *, most: int = 100) -> list[DeadDelivery]:
    """The dead deliveries of one subscriber, the oldest first."""
    statement = (
        select(OutboxDelivery, OutboxEvent)
        .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
        .where(OutboxDelivery.state == DeliveryState.DEAD, OutboxDelivery.subscriber == subscriber)
        .order_by(OutboxEvent.occurred_at, OutboxDelivery.id)
        .limit(most)
    )
    return [_view(delivery, event) for delivery, event in session.execute(statement)]


def list_discarded(session: Session, *, most: int = 20) -> list[DeadDelivery]:
    """Those given up last, the latest first."""
    statement = (
        select(OutboxDelivery, OutboxEvent)
        .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
        .where(OutboxDelivery.discarded_at.is_not(None))
        .order_by(OutboxDelivery.discarded_at.desc(), OutboxDelivery.id.desc())
        .limit(most)
    )
    return [_view(delivery, event) for delivery, event in session.execute(statement)]


def retry(session: Session, delivery_id: int) -> None:
    """Deliver it again, now, with all its attempts before it. DeliveryMoved when it is not dead (any more)."""
    subscriber = session.scalar(
        update(OutboxDelivery)
        .where(OutboxDelivery.id == delivery_id, OutboxDelivery.state == DeliveryState.DEAD)
        .values(state=DeliveryState.PENDING, attempts=0, due_at=now(session))
        .returning(OutboxDelivery.subscriber)
    )
    if subscriber is None:
        raise DeliveryMoved
    context(session).has_events = True
    _audit(session, "kernel.retry_delivery", delivery_id, subscriber=subscriber)


def retry_all(session: Session, subscriber: str) -> int:
    """Deliver all of one subscriber's again; how many. DeliveryMoved when none is dead (any more)."""
    moved = session.scalars(
        update(OutboxDelivery)
        .where(OutboxDelivery.subscriber == subscriber, OutboxDelivery.state == DeliveryState.DEAD)
        .values(state=DeliveryState.PENDING, attempts=0, due_at=now(session))
        .returning(OutboxDelivery.id)
    ).all()
    if not moved:
        raise DeliveryMoved
    context(session).has_events = True
    audit.record(
        session,
        "kernel.retry_deliveries",
        entity="subscriber",
        entity_id=subscriber[:64],
        subscriber=subscriber,
        count=len(moved),
    )
    return len(moved)


def discard(session: Session, delivery_id: int, *, reason: str) -> None:
    """Give it up for a stated reason. InvalidInput without one; DeliveryMoved when it is not dead (any more)."""
    words = strike_numbers(reason.strip())[
        :LONGEST_REASON
    ]  # the row keeps it too, not the audit log alone
    if not words:
        raise InvalidInput(_("请写明放弃的原因"), fields={"reason": _("必填")})
    subscriber = session.scalar(
        update(OutboxDelivery)
        .where(OutboxDelivery.id == delivery_id, OutboxDelivery.state == DeliveryState.DEAD)
        .values(
            state=DeliveryState.DONE,
            done_at=now(session),
            discarded_at=now(session),
            discarded_by=context(session).actor.label,
            discard_reason=words,
        )
        .returning(OutboxDelivery.subscriber)
    )
    if subscriber is None:
        raise DeliveryMoved
    _audit(session, "kernel.discard_delivery", delivery_id, subscriber=subscriber, reason=words)


def restore(session: Session, delivery_id: int) -> None:
    """Take a discarded delivery back to the dead, where it can be retried. DeliveryMoved when it is not discarded."""
    subscriber = session.scalar(
        update(OutboxDelivery)
        .where(OutboxDelivery.id == delivery_id, OutboxDelivery.discarded_at.is_not(None))
        .values(
            state=DeliveryState.DEAD,
            done_at=None,
            discarded_at=None,
            discarded_by="",
            discard_reason="",
        )
        .returning(OutboxDelivery.subscriber)
    )
    if subscriber is None:
        raise DeliveryMoved
    _audit(session, "kernel.restore_delivery", delivery_id, subscriber=subscriber)


def _view(delivery: OutboxDelivery, event: OutboxEvent) -> DeadDelivery:
    return DeadDelivery(
        id=delivery.id,
        subscriber=delivery.subscriber,
        occurred_at=event.occurred_at,
        attempts=delivery.attempts,
        error=delivery.last_error or "",
        request_id=event.request_id,
        discarded_at=delivery.discarded_at,
        discarded_by=delivery.discarded_by,
        reason=delivery.discard_reason,
    )


def _audit(session: Session, action: str, delivery_id: int, **detail: Any) -> None:
    audit.record(session, action, entity="delivery", entity_id=str(delivery_id), **detail)
