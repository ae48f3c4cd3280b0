"""Live streams over Socket.IO, from which not even the last message can be lost.

Each stream is a numbered log; the number comes from the stream's own counter row in the writing transaction.
After the commit the message is emitted to the room of that name. Every 5 s each web process beats the latest
numbers to its own clients; a client that is behind asks again with the last number it has.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from flask_socketio import Namespace, SocketIO, join_room
from sqlalchemy import Index, String, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.kernel.db import Base, sequence_pk
from backend.kernel.uow import Database, after_commit, context, now

log = structlog.get_logger(__name__)

NAMESPACE = "/live"
CHANNEL = "xinglin-live"
BEAT_SECONDS = 5.0
KEEP = dt.timedelta(days=2)
MOST_MISSED = 200


class LiveStream(Base):
    """The counter of one stream."""

    __tablename__ = "kernel_live_stream"
    is_kernel_row = True

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    last_no: Mapped[int]


class LiveMessage(Base):
    """One message of one stream; payloads carry masked values only."""

    __tablename__ = "kernel_live_message"
    __table_args__ = (Index("ux_kernel_live_message_stream_no", "stream", "no", unique=True),)
    is_kernel_row = True

    id: Mapped[int] = sequence_pk()
    stream: Mapped[str] = mapped_column(String(80))
    no: Mapped[int]
    payload: Mapped[dict[str, Any]]
    at: Mapped[dt.datetime] = mapped_column(index=True)


class Emitter(Protocol):
    """What carries a committed message to the clients."""

    def emit(self, stream: str, no: int, payload: dict[str, Any]) -> None:
        """Send to everyone who follows ``stream``, in every process."""
        ...


class SocketEmitter:
    """Emits through Flask-SocketIO; with ``url`` and no server it only writes to the Redis manager (workers)."""

    def __init__(self, socketio: SocketIO) -> None:
        self._socketio = socketio

    def emit(self, stream: str, no: int, payload: dict[str, Any]) -> None:
        message = {"stream": stream, "no": no, "payload": payload}
        self._socketio.emit("live", message, to=stream, namespace=NAMESPACE)


def append(session: Session, stream: str, payload: dict[str, Any]) -> int:
    """Add ``payload`` (JSON, masked) to ``stream`` in this transaction; its number. Emitted after the commit.

    Call it late in the transaction: the stream's counter row stays locked until the commit.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    number = session.scalars(
        insert(LiveStream)
        .values(name=stream, last_no=1)
        .on_conflict_do_update(
            index_elements=[LiveStream.name], set_={"last_no": LiveStream.last_no + 1}
        )
        .returning(LiveStream.last_no),
        execution_options={"populate_existing": True},
    ).one()
    session.add(LiveMessage(stream=stream, no=number, payload=payload, at=now(session)))
    emitter = context(session).emitter
    if emitter is not None:
        after_commit(session, lambda: emitter.emit(stream, number, payload))
    return number


def last_number(session: Session, stream: str) -> int:
    """The latest number of ``stream``; 0 when nothing was ever said on it."""
    return session.scalar(select(LiveStream.last_no).where(LiveStream.name == stream)) or 0


def missed_since(session: Session, stream: str, last_no: int) -> list[dict[str, Any]]:
    """The messages after ``last_no``, oldest first, at most the newest 200."""
    rows = session.scalars(
        select(LiveMessage)
        .where(LiveMessage.stream == stream, LiveMessage.no > last_no)
        .order_by(LiveMessage.no.desc())
        .limit(MOST_MISSED)
    ).all()
    return [{"stream": stream, "no": row.no, "payload": row.payload} for row in reversed(rows)]


def forget_old(session: Session) -> None:
    """Drop messages older than two days; the counters stay."""
    session.execute(delete(LiveMessage).where(LiveMessage.at < now(session) - KEEP))


Guard = Callable[[str, str], bool]


class LiveGateway(Namespace):  # type: ignore[misc]  # flask-socketio has no types
    """The Socket.IO side: who may follow which stream, catching up, and the beat."""

    def __init__(self, socketio: SocketIO, database: Database) -> None:
        super().__init__(NAMESPACE)
        self._io = socketio
        self._database = database
        self._guards: dict[str, Guard] = {}
        self._followed: set[str] = set()
        self._joining = threading.Lock()
        self._stop = threading.Event()

    def guard(self, prefix: str, is_allowed: Guard) -> None:
        """``is_allowed(stream, token)`` decides for streams ``prefix:…``; streams without a guard are refused."""
        self._guards[prefix] = is_allowed

    def on_follow(self, message: dict[str, Any]) -> dict[str, Any]:
        """Join a stream: ``{"stream", "token", "last_no"}`` → ``{"no", "missed"}`` or ``{"refused": true}``."""
        stream = str(message.get("stream", ""))[:80]
        guard = self._guards.get(stream.partition(":")[0])
        if guard is None or not guard(stream, str(message.get("token", ""))):
            return {"refused": True}
        last = message.get("last_no")
        with self._joining:
            join_room(stream)
            self._followed.add(stream)
        with self._database.read() as session:
            number = last_number(session, stream)
            missed = missed_since(session, stream, last) if isinstance(last, int) else []
        return {"no": number, "missed": missed}

    def beat(self) -> None:
        """Tell this process's clients the latest number of each stream they follow."""
        followed = self._still_followed()
        if not followed:
            return
        with self._database.read() as session:
            rows = session.execute(
                select(LiveStream.name, LiveStream.last_no).where(LiveStream.name.in_(followed))
            ).all()
        numbers = dict.fromkeys(followed, 0) | {row.name: row.last_no for row in rows}
        for stream, number in numbers.items():
            self._io.emit(
                "beat",
                {"stream": stream, "no": number},
                to=stream,
                namespace=NAMESPACE,
                ignore_queue=True,
            )

    def _still_followed(self) -> list[str]:
        """The streams that clients of this process follow now; those everybody left are forgotten."""
        with self._joining:
            rooms = self._io.server.manager.rooms.get(NAMESPACE, {})
            self._followed.intersection_update(rooms)
            return sorted(self._followed)

    def run_beats(self) -> None:
        """Beat every 5 s until stopped; runs in a background task of each web process."""
        while not self._stop.is_set():
            self._io.sleep(BEAT_SECONDS)
            try:
                self.beat()
            except Exception:
                # Clients notice missing beats and show it; the next beat tries again.
                log.exception("beat_failed")

    def stop(self) -> None:
        """End the beats."""
        self._stop.set()
