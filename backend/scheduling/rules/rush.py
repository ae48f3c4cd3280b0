"""The opening rush: who is let in when, how long a turn lasts, how often a waiting phone asks.

A rush is one department's line for one day of places. First come, first served; nobody is let in who would not find
a place, so whoever is let in can choose in peace.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import lazy_gettext as _

from backend.kernel.clock import at_local

#: The line can be joined this long before the places open: nobody has to hit a button at the second.
LINE_BEFORE = dt.timedelta(minutes=15)
#: How long somebody who was let in may choose.
TURN = dt.timedelta(minutes=3)
#: How many may choose at the same time, in one line.
INSIDE = 200
#: Waiting phones of one line together ask about this often a second, however many they are.
ASKS_A_SECOND = 150
SHORTEST_WAIT = 1.0
LONGEST_WAIT = 20.0
#: Before the opening, and when there is nothing to wait for, a phone asks rarely.
QUIET_WAIT = 30.0


class RushTicketState(StrEnum):
    """Where a place in the line stands."""

    WAITING = "waiting"
    LET_IN = "let_in"
    BOOKED = "booked"
    LAPSED = "lapsed"
    LEFT = "left"


RUSH_WORDS = {
    RushTicketState.WAITING: _("排队中"),
    RushTicketState.LET_IN: _("轮到您了"),
    RushTicketState.BOOKED: _("已挂号"),
    RushTicketState.LAPSED: _("轮到时没有办理"),
    RushTicketState.LEFT: _("已离开"),
}

#: Tickets that keep their number however often their owner asks for one. So does one that was used, while its owner has
#: the visit; the others begin again at the end.
KEPT = frozenset({RushTicketState.WAITING, RushTicketState.LET_IN})


def opens_at(day: dt.date, days_ahead: int, opening: dt.time) -> dt.datetime:
    """When the places of ``day`` open: ``days_ahead`` days before, at ``opening`` on the hospital's clock."""
    return at_local(day - dt.timedelta(days=days_ahead), opening)


def can_join(opens: dt.datetime, now: dt.datetime) -> bool:
    """True once the line may be joined."""
    return now >= opens - LINE_BEFORE


def let_in_count(*, inside: int, most_inside: int, places_left: int) -> int:
    """How many more may come in now: never more inside than ``most_inside``, nor than there are places for."""
    return max(0, min(most_inside, places_left) - inside)


@dataclass(frozen=True, slots=True)
class LineState:
    """A line at one moment. ``last_in`` is the last number let in; ``rate`` how many a second came in lately."""

    opens_at: dt.datetime
    issued: int
    last_in: int
    inside: int
    places_left: int
    at: dt.datetime
    rate: float | None = None

    @property
    def waiting(self) -> int:
        """How many numbers have not been let in."""
        return self.issued - self.last_in

    @property
    def is_open(self) -> bool:
        """The places are on sale."""
        return self.at >= self.opens_at

    @property
    def is_sold_out(self) -> bool:
        """On sale, and none is left."""
        return self.is_open and self.places_left == 0


def ahead_of(ordinal: int, line: LineState) -> int:
    """How many numbers come in before ``ordinal``; 0 once it was let in."""
    return max(0, ordinal - line.last_in - 1)


def next_ask(ordinal: int, line: LineState) -> float:
    """Seconds after which the phone with this number asks again.

    Together the waiting phones stay near ASKS_A_SECOND; one whose turn is near asks sooner, and one that was told
    to come back gets a moment of its own (its number decides), so that they never ask all at once.
    """
    spread = (ordinal % 16) / 16
    if not line.is_open:
        left = (line.opens_at - line.at).total_seconds()
        # Somebody far behind need not look at the very second.
        return min(QUIET_WAIT, max(SHORTEST_WAIT, left)) + spread * 2
    if line.is_sold_out:
        return QUIET_WAIT + spread * LONGEST_WAIT
    even = line.waiting / ASKS_A_SECOND
    if line.rate:
        even = min(even, ahead_of(ordinal, line) / line.rate / 2)
    return min(LONGEST_WAIT, max(SHORTEST_WAIT, even)) + spread


def wait_minutes(ordinal: int, line: LineState) -> tuple[int, int] | None:
    """The expected wait as a range of whole minutes, or None when nobody can say yet."""
    if not line.is_open or not line.rate:
        return None
    seconds = ahead_of(ordinal, line) / line.rate
    return max(1, math.floor(seconds * 0.8 / 60)), max(1, math.ceil(seconds * 1.5 / 60))


def is_doubtful(ordinal: int, line: LineState) -> bool:
    """True when more people stand in front than there are places for: the person is told so, not kept hoping."""
    return ahead_of(ordinal, line) >= line.places_left - line.inside
