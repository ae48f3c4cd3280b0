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
    """What the order of a queue depends on, for one waiting ticket. ``returned_at``: back after being missed."""

    id: Id
    ticket_class: TicketClass
    ordinal: int
    arrived_at: dt.datetime
    window_starts_at: dt.datetime | None = None
    window_ends_at: dt.datetime | None = None
    returned_at: dt.datetime | None = None
    practitioner_id: Id | None = None


@dataclass(frozen=True, slots=True)
class PastCall:
    """A first call that was made; lists of them are newest first. ``minutes``: how long its visit took, once over."""

    practitioner_id: Id
    ticket_class: TicketClass
    at: dt.datetime
    minutes: float | None = None


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


def order_line(
    waiting: Iterable[Waiting],
    practitioner_id: Id | None,
    past: Sequence[PastCall],
    policy: QueuePolicy = DEFAULT_POLICY,
) -> list[Placed]:
    """Those a practitioner may call, in the order of the calls; None takes the queue as one line.

    ``past``: the queue's first calls of the day, newest first.
    """
    mine = [
        t for t in waiting if practitioner_id in (None, t.practitioner_id) or not t.practitioner_id
    ]
    calls = [call for call in past if practitioner_id in (None, call.practitioner_id)]
    groups: dict[TicketClass, list[Waiting]] = {kind: [] for kind in TicketClass}
    for ticket in mine:
        if ticket.returned_at is None:
            groups[ticket.ticket_class].append(ticket)
    for group in groups.values():
        group.sort(key=lambda t: _sort_key(t, policy))
    placed = [Placed(t.id, _("急诊优先")) for t in groups[TicketClass.EMERGENCY]]
    placed += [Placed(t.id, _("高龄等优先")) for t in groups[TicketClass.PRIORITY]]
    since = first_visits_since_return((call.ticket_class for call in calls), policy)
    placed += _interleave(groups[TicketClass.ORDINARY], groups[TicketClass.RETURN], since, policy)
    emergencies = len(groups[TicketClass.EMERGENCY])
    return _let_back_in(placed, mine, calls, emergencies, policy)


def order_queue(
    waiting: Iterable[Waiting], past: Sequence[PastCall], policy: QueuePolicy = DEFAULT_POLICY
) -> list[Placed]:
    """The whole queue for a screen: the practitioners' lines merged place by place, each in its own order."""
    tickets = list(waiting)
    practitioners = {t.practitioner_id for t in tickets if t.practitioner_id is not None}
    if not practitioners:
        return order_line(tickets, None, past, policy)
    best: dict[Id, tuple[int, Placed]] = {}
    for practitioner_id in practitioners:
        for index, placed in enumerate(order_line(tickets, practitioner_id, past, policy)):
            if placed.id not in best or index < best[placed.id][0]:
                best[placed.id] = (index, placed)
    ranks = {kind: rank for rank, kind in enumerate(TicketClass)}
    tickets.sort(
        key=lambda t: (best[t.id][0], ranks[t.ticket_class], _sort_key(t, policy), str(t.id))
    )
    return [best[t.id][1] for t in tickets]


def _sort_key(ticket: Waiting, policy: QueuePolicy) -> tuple[dt.datetime, bool, dt.datetime, int]:
    """At the turn of a window the late ones of the one that ends go before those of the one that begins."""
    return (
        effective_time(ticket, policy),
        not is_late(ticket),
        ticket.arrived_at,
        ticket.ordinal,
    )


def _let_back_in(
    placed: list[Placed],
    mine: Sequence[Waiting],
    calls: Sequence[PastCall],
    emergencies: int,
    policy: QueuePolicy,
) -> list[Placed]:
    """Put those who were missed and came back behind the next calls of their line, never before an emergency."""
    order = list(placed)
    back = sorted(
        ((t.returned_at, t.ordinal, t) for t in mine if t.returned_at is not None),
        key=lambda entry: entry[:2],
    )
    behind = -1
    for returned_at, _ordinal, ticket in back:
        made = sum(call.at > returned_at for call in calls)
        floor = 0 if ticket.ticket_class is TicketClass.EMERGENCY else emergencies
        index = max(policy.return_after_calls - made, floor, behind + 1)
        behind = min(index, len(order))
        why = _("过号后返回，排在后续 %(n)s 位之后", n=policy.return_after_calls)
        order.insert(behind, Placed(ticket.id, why))
    return order


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
    ahead: int,
    durations_minutes: Sequence[float],
    *,
    being_served: int = 0,
    practitioners: int = 1,
    policy: QueuePolicy = DEFAULT_POLICY,
) -> WaitRange:
    """The wait with ``ahead`` people before one, from the day's visits so far; rounded up to 5 minutes.

    A visit under way has on average half of itself to go; ``practitioners`` share the queue. The sum of
    independent visits is near normal: P90 lies 1.28 deviations above the middle.
    """
    if len(durations_minutes) >= 5:
        mean = statistics.fmean(durations_minutes)
        spread = statistics.pstdev(durations_minutes)
    else:
        mean, spread = policy.usual_minutes, policy.usual_spread
    visits = ahead + being_served / 2
    middle = visits * mean / practitioners
    high = middle + 1.28 * spread * visits**0.5 / practitioners
    return WaitRange(_up_to_five(middle), _up_to_five(high))


def _up_to_five(minutes: float) -> int:
    return int(-(-minutes // 5) * 5)


def wait_words(expected: WaitRange) -> str:
    """``约 20–35 分钟`` for people; soon is said as such."""
    if expected.p90 == 0:
        return str(_("很快轮到您"))
    if expected.p50 in (0, expected.p90):
        return str(_("约 %(n)s 分钟以内", n=expected.p90))
    return str(_("约 %(low)s–%(high)s 分钟", low=expected.p50, high=expected.p90))


_DIGITS = "零一二三四五六七八九"


def spoken_call(number: str, room_name: str) -> str:
    """What a voice says: ``A012``, ``二诊室`` → ``请 A 零一二 号 到 二诊室``. No name, ever."""
    spelled = "".join(_DIGITS[int(c)] if c.isdigit() else f" {c} " for c in number)
    words = " ".join(spelled.split())
    return f"请 {words} 号 到 {room_name}"
