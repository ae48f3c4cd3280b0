"""Pure rules of waiting: the order of a queue and why, the states of a ticket, how long it may take.

Source: DOMAIN, queueing (排队叫号). Every threshold is a field of ``QueuePolicy``.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import lazy_gettext as _

from backend.kernel.ids import Id


class TicketState(StrEnum):
    """Where a ticket stands."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    DONE = "done"
    MISSED = "missed"
    TRANSFERRED = "transferred"
    LEFT = "left"


class TicketClass(StrEnum):
    """Who goes before whom."""

    EMERGENCY = "emergency"
    PRIORITY = "priority"
    RETURN = "return"
    ORDINARY = "ordinary"


class CallKind(StrEnum):
    """The first call of a turn, or a repetition."""

    FIRST = "first"
    AGAIN = "again"


#: state → states it may become
MOVES: dict[TicketState, frozenset[TicketState]] = {
    TicketState.WAITING: frozenset({TicketState.CALLED, TicketState.TRANSFERRED, TicketState.LEFT}),
    TicketState.CALLED: frozenset(
        {TicketState.SERVING, TicketState.MISSED, TicketState.TRANSFERRED, TicketState.LEFT}
    ),
    TicketState.SERVING: frozenset({TicketState.DONE, TicketState.TRANSFERRED, TicketState.LEFT}),
    TicketState.MISSED: frozenset({TicketState.WAITING, TicketState.TRANSFERRED, TicketState.LEFT}),
    TicketState.DONE: frozenset(),
    TicketState.TRANSFERRED: frozenset(),
    TicketState.LEFT: frozenset(),
}

STATE_WORDS = {
    TicketState.WAITING: _("候诊中"),
    TicketState.CALLED: _("正在叫您"),
    TicketState.SERVING: _("就诊中"),
    TicketState.DONE: _("已完成"),
    TicketState.MISSED: _("已过号"),
    TicketState.TRANSFERRED: _("已转到其他队列"),
    TicketState.LEFT: _("已离开队列"),
}

CLASS_WORDS = {
    TicketClass.EMERGENCY: _("急诊优先"),
    TicketClass.PRIORITY: _("优先"),
    TicketClass.RETURN: _("回诊"),
    TicketClass.ORDINARY: _("普通"),
}


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """What a hospital may set. Minutes are whole; ``usual_minutes`` serves until there is experience."""

    first_visits_per_return: int = 2
    return_after_calls: int = 3
    misses_allowed: int = 3
    priority_age: int = 80
    window_minutes: int = 30
    usual_minutes: float = 8.0
    usual_spread: float = 4.0


DEFAULT_POLICY = QueuePolicy()


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the order of a queue depends on, for one waiting ticket."""

    id: Id
    ticket_class: TicketClass
    ordinal: int
    arrived_at: dt.datetime
    window_starts_at: dt.datetime | None
    window_ends_at: dt.datetime | None
    return_after_calls: int | None
    practitioner_id: Id | None


@dataclass(frozen=True, slots=True)
class Placed:
    """A waiting ticket and why it stands where it stands, in words for staff."""

    id: Id
    why: object


def may_become(state: TicketState, wanted: TicketState) -> bool:
    """True when the state machine allows the step."""
    return wanted in MOVES[state]


def ticket_number(prefix: str, ordinal: int) -> str:
    """``A`` and 12 → ``A012``."""
    return f"{prefix}{ordinal:03d}"


def class_for_age(age: int, policy: QueuePolicy = DEFAULT_POLICY) -> TicketClass:
    """The oldest go first."""
    return TicketClass.PRIORITY if age >= policy.priority_age else TicketClass.ORDINARY


def is_late(ticket: Waiting) -> bool:
    """A booked patient who came after the end of their window."""
    return ticket.window_ends_at is not None and ticket.arrived_at > ticket.window_ends_at


def effective_time(ticket: Waiting, policy: QueuePolicy = DEFAULT_POLICY) -> dt.datetime:
    """The moment a ticket is sorted by: window if on time, else arrival or the end of the current window."""
    if ticket.window_starts_at is None:
        return ticket.arrived_at
    if not is_late(ticket):
        return ticket.window_starts_at
    length = policy.window_minutes * 60
    begun = ticket.arrived_at.timestamp() // length * length
    return dt.datetime.fromtimestamp(begun + length, tz=dt.UTC)


def order_queue(
    waiting: Iterable[Waiting],
    *,
    calls: int,
    first_visits_since_return: int,
    policy: QueuePolicy = DEFAULT_POLICY,
) -> list[Placed]:
    """The tickets in the order they will be called.

    ``calls``: calls the queue has made this half-day. ``first_visits_since_return``: first visits called since
    the last returning patient.
    """
    groups: dict[TicketClass, list[Waiting]] = {kind: [] for kind in TicketClass}
    comers_back: list[Waiting] = []
    for ticket in waiting:
        if ticket.return_after_calls is not None:
            comers_back.append(ticket)
        else:
            groups[ticket.ticket_class].append(ticket)
    for group in groups.values():
        group.sort(key=lambda t: (effective_time(t, policy), t.arrived_at, t.ordinal))
    placed = [Placed(t.id, _("急诊优先")) for t in groups[TicketClass.EMERGENCY]]
    placed += [Placed(t.id, _("高龄等优先")) for t in groups[TicketClass.PRIORITY]]
    placed += _interleave(
        groups[TicketClass.ORDINARY],
        groups[TicketClass.RETURN],
        first_visits_since_return,
        policy,
    )
    comers_back.sort(key=lambda t: (t.return_after_calls or 0, t.ordinal))
    for ticket in comers_back:
        index = max((ticket.return_after_calls or 0) - calls, 0)
        why = _("过号后返回，排在后续 %(n)s 位之后", n=policy.return_after_calls)
        placed.insert(min(index, len(placed)), Placed(ticket.id, why))
    return placed


def _interleave(
    first: Sequence[Waiting], returning: Sequence[Waiting], since: int, policy: QueuePolicy
) -> list[Placed]:
    placed: list[Placed] = []
    ordinary, back = list(first), list(returning)
    while ordinary or back:
        if back and (since >= policy.first_visits_per_return or not ordinary):
            why = _("回诊：每 %(n)s 位初诊后一位", n=policy.first_visits_per_return)
            placed.append(Placed(back.pop(0).id, why))
            since = 0
            continue
        ticket = ordinary.pop(0)
        placed.append(Placed(ticket.id, _why_ordinary(ticket)))
        since += 1
    return placed


def _why_ordinary(ticket: Waiting) -> object:
    if ticket.window_starts_at is None:
        return _("现场取号，按到达先后")
    if is_late(ticket):
        return _("迟到，排在当前时段之后")
    return _("按预约时段")


def first_visits_since_return(
    called_classes: Iterable[TicketClass], policy: QueuePolicy = DEFAULT_POLICY
) -> int:
    """From the classes of past calls, newest first: ordinary ones until the last return, at most the limit."""
    count = 0
    for kind in called_classes:
        if kind is TicketClass.RETURN or count >= policy.first_visits_per_return:
            break
        count += kind is TicketClass.ORDINARY
    return count


@dataclass(frozen=True, slots=True)
class WaitRange:
    """Minutes a patient will probably wait: the median and what nine in ten stay under."""

    p50: int
    p90: int


def expected_wait(
    ahead: int, durations_minutes: Sequence[float], policy: QueuePolicy = DEFAULT_POLICY
) -> WaitRange:
    """The wait with ``ahead`` people before one, from the day's visits so far; rounded up to 5 minutes.

    The sum of independent visits is near normal: P90 lies 1.28 deviations above the middle.
    """
    if len(durations_minutes) >= 5:
        mean = statistics.fmean(durations_minutes)
        spread = statistics.pstdev(durations_minutes)
    else:
        mean, spread = policy.usual_minutes, policy.usual_spread
    middle = ahead * mean
    return WaitRange(_up_to_five(middle), _up_to_five(middle + 1.28 * spread * ahead**0.5))


def _up_to_five(minutes: float) -> int:
    return int(-(-minutes // 5) * 5)


_DIGITS = "零一二三四五六七八九"


def spoken_call(number: str, room_name: str) -> str:
    """What a voice says: ``A012``, ``二诊室`` → ``请 A 零一二 号 到 二诊室``. No name, ever."""
    words = "".join(_DIGITS[int(c)] if c.isdigit() else f" {c} " for c in number).strip()
    return f"请 {words} 号 到 {room_name}"
