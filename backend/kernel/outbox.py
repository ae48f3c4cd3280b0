"""The outbox: events written in the transaction that made them true, delivered at least once to every subscriber.

One delivery row a subscriber, so one that fails neither blocks nor hides another. A delivery may be due later,
which makes delayed events the program's timers. The table is the truth; wake-ups only make it quick.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar, Protocol, cast, get_type_hints

from sqlalchemy import ForeignKey, Index, String, Table, delete, insert, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.kernel.db import Base, BigKey, enum_column, sequence_pk
from backend.kernel.uow import context, write_at_end


class Event(Protocol):
    """A frozen dataclass of ``backend.contracts``; fields are ids, text, numbers, booleans, dates and times."""

    NAME: ClassVar[str]
    VERSION: ClassVar[int]
    __dataclass_fields__: ClassVar[dict[str, Any]]


class DeliveryState(StrEnum):
    """``dead`` deliveries failed too often; a person must look."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"


class OutboxEvent(Base):
    """One fact that happened."""

    __tablename__ = "kernel_outbox_event"
    is_kernel_row = True

    id: Mapped[int] = sequence_pk()
    name: Mapped[str] = mapped_column(String(80))
    version: Mapped[int]
    payload: Mapped[dict[str, Any]]
    occurred_at: Mapped[dt.datetime] = mapped_column(index=True)
    request_id: Mapped[str] = mapped_column(String(64))

    @staticmethod
    def write_together(session: Session, rows: list[dict[str, Any]]) -> None:
        """Insert what was published and its deliveries; called once, when the unit of work ends."""
        connection = session.connection()
        made = connection.execute(_NEW_EVENTS, [row["event"] for row in rows]).scalars().all()
        deliveries = [
            {"event_id": event_id, **delivery}
            for event_id, row in zip(made, rows, strict=True)
            for delivery in row["deliveries"]
        ]
        if deliveries:
            connection.execute(_NEW_DELIVERIES, deliveries)


_PENDING = text("state = 'pending'")
_DEAD = text("state = 'dead'")
_DISCARDED = text("discarded_at IS NOT NULL")


class OutboxDelivery(Base):
    """One event on its way to one subscriber. ``due_at`` is pushed ahead while an external handler works."""

    __tablename__ = "kernel_outbox_delivery"
    __table_args__ = (
        Index(
            "ix_kernel_outbox_delivery_due",
            "due_at",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        Index(
            "ix_kernel_outbox_delivery_dead",
            "subscriber",
            sqlite_where=_DEAD,
            postgresql_where=_DEAD,
        ),
        Index(
            "ix_kernel_outbox_delivery_discarded",
            "discarded_at",
            sqlite_where=_DISCARDED,
            postgresql_where=_DISCARDED,
        ),
    )
    is_kernel_row = True

    id: Mapped[int] = sequence_pk()
    event_id: Mapped[int] = mapped_column(BigKey, ForeignKey(OutboxEvent.id), index=True)
    subscriber: Mapped[str] = mapped_column(String(120))
    state: Mapped[DeliveryState] = enum_column(DeliveryState, default=DeliveryState.PENDING)
    due_at: Mapped[dt.datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(String(200))
    done_at: Mapped[dt.datetime | None]
    #: A dead delivery given up by a person is done with; who did it and why stays.
    discarded_at: Mapped[dt.datetime | None]
    discarded_by: Mapped[str] = mapped_column(String(80), default="")
    discard_reason: Mapped[str] = mapped_column(String(200), default="")


_EVENTS = cast(Table, OutboxEvent.__table__)
_NEW_EVENTS = insert(_EVENTS).returning(_EVENTS.c.id, sort_by_parameter_order=True)
_NEW_DELIVERIES = insert(cast(Table, OutboxDelivery.__table__)).inline()


class RetryLater(Exception):
    """Raised by a handler: not now, deliver again after ``seconds``; not counted as a failure."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"retry in {seconds} s")
        self.seconds = seconds


@dataclasses.dataclass(frozen=True, slots=True)
class Subscription:
    """One subscriber of one event. External ones get the database and open their own units of work."""

    event: type[Any]
    name: str
    handler: Callable[..., None]
    is_external: bool


class Subscriptions:
    """Who listens to what; filled once by ``backend.bootstrap``. Silent ones drop what is published."""

    def __init__(self, *, is_silent: bool = False) -> None:
        self.is_silent = is_silent
        self._by_event: dict[str, list[Subscription]] = {}
        self._by_key: dict[str, Subscription] = {}

    def on(
        self,
        event: type[Any],
        name: str,
        handler: Callable[..., None],
        *,
        external: bool = False,
    ) -> None:
        """Call ``handler(session, event)`` for each event, or ``handler(database, event)`` when external.

        ``name`` is stored with each delivery and must stay the same for the life of the data.
        """
        key = f"{event.NAME}>{name}"
        if key in self._by_key:
            raise ValueError(f"two subscribers are called {key}")
        subscription = Subscription(event, key, handler, external)
        self._by_key[key] = subscription
        self._by_event.setdefault(event.NAME, []).append(subscription)

    def of(self, event_name: str) -> list[Subscription]:
        """The subscribers of one event."""
        return self._by_event.get(event_name, [])

    def named(self, key: str) -> Subscription:
        """The subscription of a stored delivery (KeyError when the program no longer has it)."""
        return self._by_key[key]

    def keys(self, *, external: bool) -> list[str]:
        """Names of all external, or all internal, subscriptions."""
        return [key for key, one in self._by_key.items() if one.is_external is external]


def publish(session: Session, event: Event, *, not_before: dt.datetime | None = None) -> None:
    """Write ``event`` and one delivery a subscriber with this unit of work; due at once or at ``not_before``.

    The rows are written together when it ends, so nothing in it can read them, and going back to a savepoint
    does not take them back: publish outside of savepoints.
    """
    unit = context(session)
    if unit.subscriptions.is_silent:
        return
    due_at = not_before or unit.moment
    write_at_end(
        session,
        OutboxEvent,
        event={
            "name": event.NAME,
            "version": event.VERSION,
            "payload": encode(event),
            "occurred_at": unit.moment,
            "request_id": unit.request_id,
        },
        deliveries=[
            {"subscriber": subscription.name, "due_at": due_at}
            for subscription in unit.subscriptions.of(event.NAME)
        ],
    )
    unit.has_events = unit.has_events or not_before is None


def encode(event: Any) -> dict[str, Any]:
    """The event's fields as JSON values."""
    return {f.name: _plain(getattr(event, f.name)) for f in dataclasses.fields(event)}


def decode(kind: type[Any], payload: dict[str, Any]) -> Any:
    """The event that ``encode`` wrote; fields added since take their defaults, removed ones are dropped."""
    hints = get_type_hints(kind)
    known = {f.name for f in dataclasses.fields(kind)}
    return kind(**{name: _typed(hints[name], v) for name, v in payload.items() if name in known})


def _plain(value: object) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID | str):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not belong in an event")


def _typed(hint: Any, value: Any) -> Any:
    options = [o for o in getattr(hint, "__args__", ()) if o is not type(None)] or [hint]
    kind = options[0]
    if value is None or not isinstance(value, str) or not isinstance(kind, type):
        return value
    if issubclass(kind, uuid.UUID | StrEnum):
        return kind(value)
    if issubclass(kind, dt.datetime):
        return dt.datetime.fromisoformat(value)
    if issubclass(kind, dt.date):
        return dt.date.fromisoformat(value)
    return value


def forget_old(session: Session, before: dt.datetime) -> None:
    """Drop events whose deliveries are all done and which happened before ``before``."""
    open_events = select(OutboxDelivery.event_id).where(OutboxDelivery.state != DeliveryState.DONE)
    old = select(OutboxEvent.id).where(
        OutboxEvent.occurred_at < before, OutboxEvent.id.not_in(open_events)
    )
    doomed = list(session.scalars(old.limit(5000)))
    session.execute(delete(OutboxDelivery).where(OutboxDelivery.event_id.in_(doomed)))
    session.execute(delete(OutboxEvent).where(OutboxEvent.id.in_(doomed)))
