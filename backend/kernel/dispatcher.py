"""The dispatcher: hands due outbox deliveries to their subscribers, retries, buries, and shows it is alive.

It runs as threads of the one web process (embedded) or of each worker process (distributed). Internal handlers
share one transaction with the mark "done"; external ones are leased, so that a killed worker's are found again.
"""

from __future__ import annotations

import datetime as dt
import threading
import time

import structlog
from sqlalchemy import Select, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.kernel.db import Base
from backend.kernel.locks import claim
from backend.kernel.outbox import (
    DeliveryState,
    OutboxDelivery,
    OutboxEvent,
    RetryLater,
    Subscription,
    decode,
)
from backend.kernel.permissions import system_actor
from backend.kernel.uow import Database, now

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 10
LEASE = dt.timedelta(seconds=60)
IDLE_SECONDS = 1.0
BEAT_SECONDS = 5.0
EXTERNAL_THREADS = 4
HEARTBEAT = "dispatcher"


class Heartbeat(Base):
    """When a background part last showed that it is alive."""

    __tablename__ = "kernel_heartbeat"
    is_kernel_row = True

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    beat_at: Mapped[dt.datetime]


def backoff(attempts: int) -> dt.timedelta:
    """Seconds to wait after the n-th failure: 2, 4, 8 … at most 10 minutes."""
    return dt.timedelta(seconds=min(2**attempts, 600))


class Dispatcher:
    """Threads that deliver. ``wake`` makes them look at once; without it they look every second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscriptions = database.subscriptions
        self._stop = threading.Event()
        self._wakes = [threading.Event() for _ in range(1 + EXTERNAL_THREADS)]
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads (daemons: a process that ends does not wait for them)."""
        for index, wake in enumerate(self._wakes):
            thread = threading.Thread(
                target=self._loop, args=(index, wake), name=f"dispatcher-{index}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """There may be something to deliver."""
        for wake in self._wakes:
            wake.set()

    def stop(self, timeout: float = 5.0) -> None:
        """Finish what is in hand and end."""
        self._stop.set()
        self.wake()
        for thread in self._threads:
            thread.join(timeout)

    def _loop(self, index: int, wake: threading.Event) -> None:
        beat_at = 0.0
        while not self._stop.is_set():
            wake.clear()
            try:
                if index == 0 and (monotonic := time.monotonic()) >= beat_at:
                    self.beat()
                    beat_at = monotonic + BEAT_SECONDS
                worked = self.deliver_one(external=index > 0)
            except Exception:
                # The database may be away; the loop must outlive it. readyz shows the missing beat.
                log.exception("dispatcher_failed")
                worked = False
            if not worked:
                wake.wait(IDLE_SECONDS)

    def beat(self) -> None:
        """Write the heartbeat that ``/readyz`` looks at."""
        with self._database.write(housekeeping=True) as session:
            changed = session.execute(
                update(Heartbeat).where(Heartbeat.name == HEARTBEAT).values(beat_at=now(session))
            )
            if not changed.rowcount:  # type: ignore[attr-defined]
                session.merge(Heartbeat(name=HEARTBEAT, beat_at=now(session)))

    def drain(self, limit: int = 1000) -> int:
        """Deliver everything due, in this thread; for commands and tests. The number delivered."""
        done = 0
        while done < limit and (
            self.deliver_one(external=False) or self.deliver_one(external=True)
        ):
            done += 1
        return done

    def deliver_one(self, *, external: bool) -> bool:
        """Deliver one due delivery; False when nothing was due."""
        keys = self._subscriptions.keys(external=external)
        if not keys or not self._is_any_due(keys):
            return False
        return self._deliver_external(keys) if external else self._deliver_internal(keys)

    def _is_any_due(self, keys: list[str]) -> bool:
        """A cheap look in a read, so that an idle dispatcher never takes the write turn."""
        with self._database.read() as session:
            return (
                session.execute(_due(session, keys).with_only_columns(OutboxDelivery.id)).first()
                is not None
            )

    def _deliver_internal(self, keys: list[str]) -> bool:
        delivery_id: int | None = None
        try:
            with self._database.write(housekeeping=True) as session:
                delivery = next(iter(claim(session, _due(session, keys))), None)
                if delivery is None:
                    return False
                delivery_id = delivery.id
                subscription = self._subscriptions.named(delivery.subscriber)
                event = _event_of(session, delivery, subscription)
                session.info["uow"].actor = system_actor(subscription.name)
                subscription.handler(session, event)
                delivery.state = DeliveryState.DONE
                delivery.done_at = now(session)
            return True
        except Exception as error:
            if delivery_id is None:
                raise
            self._put_back(delivery_id, error)
            return True

    def _deliver_external(self, keys: list[str]) -> bool:
        with self._database.write(housekeeping=True) as session:
            delivery = next(iter(claim(session, _due(session, keys))), None)
            if delivery is None:
                return False
            delivery.due_at = now(session) + LEASE
            delivery_id, subscriber = delivery.id, delivery.subscriber
            row = session.get_one(OutboxEvent, delivery.event_id)
            payload = row.payload
        try:
            # Decoded in here: what cannot be read is counted and buried, and never blocks the others.
            subscription = self._subscriptions.named(subscriber)
            subscription.handler(self._database, decode(subscription.event, payload))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is counted and logged
            self._put_back(delivery_id, error)
            return True
        with self._database.write(housekeeping=True) as session:
            done = session.get_one(OutboxDelivery, delivery_id)
            done.state = DeliveryState.DONE
            done.done_at = now(session)
        return True

    def _put_back(self, delivery_id: int, error: Exception) -> None:
        with self._database.write(housekeeping=True) as session:
            delivery = session.get_one(OutboxDelivery, delivery_id)
            if delivery.state is not DeliveryState.PENDING:
                return  # another worker took it over when our lease had run out
            if isinstance(error, RetryLater):
                delivery.due_at = now(session) + dt.timedelta(seconds=error.seconds)
                return
            delivery.attempts += 1
            delivery.last_error = type(error).__name__
            delivery.due_at = now(session) + backoff(delivery.attempts)
            if delivery.attempts >= MAX_ATTEMPTS:
                delivery.state = DeliveryState.DEAD
            log.error(
                "delivery_failed",
                subscriber=delivery.subscriber,
                delivery=delivery.id,
                attempts=delivery.attempts,
                state=delivery.state.value,
                exc_info=error,
            )


def _due(session: Session, keys: list[str]) -> Select[OutboxDelivery]:
    return (
        select(OutboxDelivery)
        .where(
            OutboxDelivery.state == DeliveryState.PENDING,
            OutboxDelivery.due_at <= now(session),
            OutboxDelivery.subscriber.in_(keys),
        )
        .order_by(OutboxDelivery.due_at, OutboxDelivery.id)
        .limit(1)
    )


def _event_of(session: Session, delivery: OutboxDelivery, subscription: Subscription) -> object:
    row = session.get_one(OutboxEvent, delivery.event_id)
    return decode(subscription.event, row.payload)
