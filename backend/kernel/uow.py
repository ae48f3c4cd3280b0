"""Units of work: the only place where transactions begin and end.

An entry point opens one and says whether it reads or writes; services take its session, may flush, never commit.
On SQLite a write takes the process's write lock and begins with BEGIN IMMEDIATE; a read cannot write at all.
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

import structlog
from sqlalchemy import Engine, Insert, Row, Select, create_engine, event, insert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.orm import Session, UOWTransaction, sessionmaker

from backend.kernel.clock import Clock, SystemClock, business_date
from backend.kernel.crypto import KeyRing
from backend.kernel.errors import Unavailable
from backend.kernel.permissions import ANONYMOUS, Actor

if TYPE_CHECKING:
    from backend.kernel.live import Emitter
    from backend.kernel.outbox import Subscriptions

log = structlog.get_logger(__name__)
WRITE = "xinglin_write"
WRITE_WAIT_SECONDS = 20.0
#: A connection that has rested longer is asked whether it still lives before it is used.
PING_AFTER_SECONDS = 5.0

Config = TypeVar("Config")
Columns = TypeVarTuple("Columns")


class AuditMissing(RuntimeError):
    """A unit of work changed rows without an audit row: a mistake of the program."""


@dataclass(slots=True)
class Context:
    """What a session knows about the unit of work it belongs to."""

    actor: Actor
    moment: dt.datetime
    keys: KeyRing
    request_id: str
    subscriptions: Subscriptions
    is_write: bool
    has_changes: bool = False
    has_audit: bool = False
    has_events: bool = False
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    at_end: dict[Any, list[dict[str, Any]]] = field(default_factory=dict)
    emitter: Emitter | None = None
    configuration: Mapping[type[Any], Any] = field(default_factory=dict)


class Database:
    """Opens units of work. One per process; safe to share between threads."""

    def __init__(
        self,
        url: str,
        *,
        keys: KeyRing,
        subscriptions: Subscriptions,
        clock: Clock | None = None,
        pool_size: int = 20,
        configuration: Sequence[object] = (),
    ) -> None:
        """``configuration``: the domains' own settings objects, one of a type; see ``configured``."""
        self.clock: Clock = clock or SystemClock()
        self.keys = keys
        self.subscriptions = subscriptions
        self.configuration: Mapping[type[Any], Any] = {type(one): one for one in configuration}
        self.emitter: Emitter | None = None
        self.wake: Callable[[], None] = lambda: None
        self.engine = make_engine(url, pool_size)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._turn = threading.Lock()
        options: dict[str, Any] = {} if self.is_sqlite else {"postgresql_readonly": True}
        alone: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._alone = self.engine.execution_options(**alone)
        self._readers = sessionmaker(self.engine.execution_options(**options), autoflush=False)
        self._writers = sessionmaker(
            self.engine.execution_options(**{WRITE: True}), expire_on_commit=False
        )
        event.listen(self._writers, "after_flush", _note_changes)

    def without_subscribers(self) -> Database:
        """The same database, seen so that events are told to nobody; for loading a past."""
        from backend.kernel.outbox import Subscriptions

        quiet = copy.copy(self)
        quiet.subscriptions = Subscriptions(is_silent=True)
        return quiet

    @contextmanager
    def read(self, actor: Actor = ANONYMOUS, *, request_id: str = "") -> Iterator[Session]:
        """A unit of work that only reads; the database itself refuses a write in it."""
        with self._readers() as session:
            session.info["uow"] = self._context(actor, request_id, is_write=False)
            yield session
            # Nothing is written: what was read leaves the session. A rollback would make psycopg forget every
            # prepared statement of the connection, which the next unit of work would then prepare anew.
            session.expunge_all()
            session.commit()

    def look_up(self, statement: Select[*Columns], values: dict[str, Any]) -> Row[*Columns] | None:
        """The only row of one SELECT, if there is one, in one round trip: no transaction around it.

        For what every request asks first, as who it is that asks. Anything more is a unit of work's.
        """
        with self._alone.connect() as connection:
            return connection.execute(statement, values).one_or_none()

    @contextmanager
    def write(
        self, actor: Actor = ANONYMOUS, *, request_id: str = "", housekeeping: bool = False
    ) -> Iterator[Session]:
        """A unit of work that commits when the block ends well and rolls back on any exception.

        Changed rows demand an audit row; ``housekeeping`` lifts that for work that only tidies.
        Callbacks given to ``after_commit`` run after the commit; their failures are logged, never raised.
        """
        with self._write_turn(), self._writers() as session:
            context = self._context(actor, request_id, is_write=True)
            session.info["uow"] = context
            session.connection()
            yield session
            write_rest(session)
            if context.has_changes and not context.has_audit and not housekeeping:
                raise AuditMissing("a unit of work changed rows without an audit row")
            session.commit()
        self._run_callbacks(context)

    def _context(self, actor: Actor, request_id: str, *, is_write: bool) -> Context:
        return Context(
            actor=actor,
            moment=self.clock.now(),
            keys=self.keys,
            request_id=request_id,
            subscriptions=self.subscriptions,
            is_write=is_write,
            emitter=self.emitter,
            configuration=self.configuration,
        )

    @contextmanager
    def _write_turn(self) -> Iterator[None]:
        """On SQLite writers of one process queue here instead of polling the file lock."""
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=WRITE_WAIT_SECONDS):
            raise Unavailable(code="write_queue_full")
        try:
            yield
        except OperationalError as error:
            if "locked" in str(error):
                raise Unavailable(code="write_queue_full") from error
            raise
        finally:
            self._turn.release()

    def _run_callbacks(self, context: Context) -> None:
        if context.has_events:
            context.after_commit.append(self.wake)
        for callback in context.after_commit:
            try:
                callback()
            except Exception:
                # The state is committed; live messages and wake-ups are repeated by beats and sweeps.
                log.exception("after_commit_failed")


def make_engine(url: str, pool_size: int = 20) -> Engine:
    """An engine with our rules for SQLite (WAL, IMMEDIATE writes, refused writes in reads, full durability)."""
    # Parameters of a failed statement are personal data: they stay out of errors, and so out of logs.
    options: dict[str, Any] = {"hide_parameters": True}
    if not url.startswith("sqlite"):
        options |= {"pool_size": pool_size, "max_overflow": pool_size}
        engine = create_engine(url, **options)
        event.listen(engine, "checkin", _note_rest)
        event.listen(engine, "checkout", _ping_rested)
        return engine
    engine = create_engine(
        url, pool_size=64, max_overflow=64, connect_args={"timeout": 15}, **options
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _note_rest(_connection: object, record: Any) -> None:
    record.info["rests_since"] = time.monotonic()


def _ping_rested(connection: Any, record: Any, _proxy: object) -> None:
    """Ask a connection that has rested whether it lives; the pool replaces a dead one.

    SQLAlchemy's own ping asks each time, one more round trip for every unit of work of a busy program.
    """
    since = record.info.get("rests_since")
    if since is None or time.monotonic() - since < PING_AFTER_SECONDS:
        return
    try:
        connection.execute("").close()
        connection.rollback()
    except Exception as error:
        raise DisconnectionError from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    is_write = bool(connection.get_execution_options().get(WRITE))
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if is_write else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _note_changes(session: Session, _flush: UOWTransaction) -> None:
    context = _of(session)
    for row in (*session.new, *session.dirty, *session.deleted):
        if not getattr(row, "is_kernel_row", False):
            context.has_changes = True


def _of(session: Session) -> Context:
    context: Context = session.info["uow"]
    return context


def now(session: Session) -> dt.datetime:
    """The moment at which this unit of work began (UTC); the same for everything in it."""
    return _of(session).moment


def today(session: Session) -> dt.date:
    """The business date of this unit of work."""
    return business_date(_of(session).moment)


def actor(session: Session) -> Actor:
    """Who acts in this unit of work."""
    return _of(session).actor


def keys(session: Session) -> KeyRing:
    """The key ring in force."""
    return _of(session).keys


def configured(session: Session, kind: type[Config]) -> Config:
    """The settings object of type ``kind`` that this process was started with; else ``kind()``, its defaults."""
    found: Config | None = _of(session).configuration.get(kind)
    return kind() if found is None else found


def context(session: Session) -> Context:
    """The whole context, for the kernel's own modules."""
    return _of(session)


def write_at_end(session: Session, model: type[Any], **values: object) -> None:
    """Insert a row that nothing in this unit of work reads: such rows are written together, a table at a time.

    It belongs to the whole unit of work: going back to a savepoint does not take it back. A model with a
    ``write_together(session, rows)`` of its own writes its rows itself.
    """
    unit = _of(session)
    unit.at_end.setdefault(model, []).append(values)
    unit.has_changes |= not getattr(model, "is_kernel_row", False)


def note_change(session: Session) -> None:
    """Rows were changed by a statement of Core, which no flush sees: an audit row is due."""
    _of(session).has_changes = True


def write_rest(session: Session) -> None:
    """Flush, and insert the rows of ``write_at_end``; a unit of work does so by itself when it ends."""
    session.flush()
    waiting = _of(session).at_end
    for model, rows in waiting.items():
        write_together = getattr(model, "write_together", None)
        if write_together is not None:
            write_together(session, rows)
        else:
            session.connection().execute(_insert(model), rows if len(rows) > 1 else rows[0])
    waiting.clear()


@functools.cache
def _insert(model: type[Any]) -> Insert:
    """One statement object a table, so that SQLAlchemy need not look at it anew each time."""
    return insert(model.__table__).inline()


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Run ``callback`` once the unit of work is committed; never when it rolls back."""
    _of(session).after_commit.append(callback)
