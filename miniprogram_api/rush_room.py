"""The waiting room of the opening rush, in one process's memory: arrivals in groups, and the lines as last seen.

The database holds what is true; this only saves asking it. A phone's question costs no query: whichever question finds
the picture old lets the next people in and takes a new one, the others are answered from the old.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import structlog
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError

from backend.kernel.errors import RateLimited, Unavailable
from backend.kernel.grouping import Grouped
from backend.kernel.ids import Id
from backend.kernel.links import RushLink
from backend.kernel.permissions import system_actor
from backend.kernel.uow import Database
from backend.scheduling import queries as sessions
from backend.scheduling import service as scheduling
from backend.scheduling.errors import RushNotFound
from backend.scheduling.rules import LineState
from backend.scheduling.service import Arrival
from backend.scheduling.views import RushTicketView

log = structlog.get_logger(__name__)
#: How old the picture of a line may be.
FRESH = dt.timedelta(seconds=0.5)
#: The rate at which people come in is that of the last half minute.
RATE_OVER = dt.timedelta(seconds=30)
#: Bookings of this process that are in the database at the same time; the others wait here.
AT_ONCE = 8
GATE_SECONDS = 20.0
#: Lines kept in memory; the one used longest ago is forgotten.
MOST_LINES = 200


@dataclass(slots=True)
class Line:
    """One line as this process knows it."""

    rush_id: Id
    grouped: Grouped[Arrival, RushTicketView]
    refreshing: threading.Lock = field(default_factory=threading.Lock)
    state: LineState | None = None
    numbers: dict[Id, int] = field(default_factory=dict)
    samples: deque[tuple[dt.datetime, int]] = field(default_factory=deque)


class WaitingRoom:
    """The lines people wait in, of one process; safe for threads and greenlets."""

    def __init__(self, database: Database, *, most_inside: int) -> None:
        self._database = database
        self._most_inside = most_inside
        self._lines: OrderedDict[tuple[Id, dt.date], Line] = OrderedDict()
        self._mutex = threading.Lock()
        self._finding = threading.Lock()
        self._gate = threading.BoundedSemaphore(AT_ONCE)
        self._actor = system_actor("rush")

    def arrive(self, link: RushLink) -> RushTicketView:
        """Draw a number for the patient, or give the one they have. Raises RushNotOpen."""
        line = self._line(link, is_arriving=True)
        if line is None:
            raise RushNotFound
        ticket = line.grouped.submit(Arrival(link.patient_id, self._database.clock.now()))
        line.numbers[link.patient_id] = ticket.ordinal
        return ticket

    def number(self, link: RushLink) -> int | None:
        """The patient's number, or None when they draw none; remembered, so that asking is free."""
        line = self._line(link)
        if line is None:
            return None
        known = line.numbers.get(link.patient_id)
        if known is None:
            ticket = self.ticket(link)
            known = ticket.ordinal if ticket is not None else None
        return known

    def ticket(self, link: RushLink) -> RushTicketView | None:
        """The patient's number as it stands, from the database: for one that came up, whose turn may be over by now."""
        line = self._line(link)
        if line is None:
            return None
        with self._database.read(self._actor) as session:
            ticket = sessions.find_rush_ticket(session, line.rush_id, link.patient_id)
        if ticket is not None:
            line.numbers[link.patient_id] = ticket.ordinal
        return ticket

    def forget(self, link: RushLink) -> None:
        """The number has ended: the next question asks the database."""
        line = self._line(link)
        if line is not None:
            line.numbers.pop(link.patient_id, None)

    def rush_id(self, link: RushLink) -> Id | None:
        """The line of the link, or None while nobody has come."""
        line = self._line(link)
        return None if line is None else line.rush_id

    def state(self, link: RushLink) -> LineState | None:
        """The line, at most about half a second old; None while nobody has come."""
        line = self._line(link)
        return None if line is None else self._seen(line)

    @contextmanager
    def booking(self) -> Iterator[None]:
        """Inside the block the booking may go to the database; few do at a time. RateLimited after 20 s."""
        if not self._gate.acquire(timeout=GATE_SECONDS):
            raise RateLimited(
                _("正在办理的人太多"), next_step=_("请再点一次；轮到您的时间还没有过")
            )
        try:
            yield
        finally:
            self._gate.release()

    def _line(self, link: RushLink, *, is_arriving: bool = False) -> Line | None:
        key = (link.department_id, link.day)
        line = self._known(key)
        if line is not None:
            return line
        with self._finding:  # a crowd that finds no line yet asks for it once
            line = self._known(key)
            if line is not None:
                return line
            with self._database.read(self._actor) as session:
                rush_id = sessions.find_rush(session, *key)
            if rush_id is None:
                return self._open(link) if is_arriving else None
            return self._keep(key, rush_id)

    def _known(self, key: tuple[Id, dt.date]) -> Line | None:
        with self._mutex:
            line = self._lines.get(key)
            if line is not None:
                self._lines.move_to_end(key)
            return line

    def _open(self, link: RushLink) -> Line:
        with self._database.write(self._actor, housekeeping=True) as session:
            rush_id = scheduling.open_rush(
                session,
                hospital_id=link.hospital_id,
                department_id=link.department_id,
                day=link.day,
            )
        return self._keep((link.department_id, link.day), rush_id)

    def _keep(self, key: tuple[Id, dt.date], rush_id: Id) -> Line:
        def draw(arrivals: list[Arrival]) -> list[RushTicketView]:
            with self._database.write(self._actor, housekeeping=True) as session:
                drawn = scheduling.join_rush(session, rush_id, arrivals)
            return [drawn[one.patient_id] for one in arrivals]

        with self._mutex:
            line = self._lines.setdefault(key, Line(rush_id, Grouped(draw)))
            while len(self._lines) > MOST_LINES:
                self._lines.popitem(last=False)
        return line

    def _seen(self, line: Line) -> LineState:
        seen, now = line.state, self._database.clock.now()
        if seen is not None and now - seen.at < FRESH:
            return seen
        if line.refreshing.acquire(blocking=seen is None):
            try:
                self._look(line)
            except (Unavailable, OperationalError):
                if line.state is None:
                    raise
                log.warning("rush_not_seen", rush_id=str(line.rush_id), exc_info=True)
            finally:
                line.refreshing.release()
        if line.state is None:  # another asked first and failed: ask ourselves
            return self._look(line)
        return replace(line.state, at=now)

    def _look(self, line: Line) -> LineState:
        """Let the next people in and take a new picture."""
        if line.state is not None and self._database.clock.now() - line.state.at < FRESH:
            return line.state
        with self._database.write(self._actor, housekeeping=True) as session:
            state = scheduling.let_in(session, line.rush_id, self._most_inside)
        samples = line.samples
        samples.append((state.at, state.last_in))
        while state.at - samples[0][0] > RATE_OVER:
            samples.popleft()
        seconds = (state.at - samples[0][0]).total_seconds()
        came = state.last_in - samples[0][1]
        line.state = replace(state, rate=came / seconds if seconds >= 1 and came else None)
        return line.state
