"""Numbers beyond capacity (加号): for one named patient, with a reason, and only so many."""

from __future__ import annotations

import datetime as dt

from backend.kernel.clock import HalfDay, at_local
from backend.scheduling.errors import AddedFull, AddedReasonMissing, ScheduleOver
from backend.scheduling.rules.reasons import is_reason
from backend.scheduling.rules.sessions import SESSION_MINUTES, WINDOW

#: How many numbers one session may have beyond its capacity.
MOST_ADDED = 10


def check_added(added: int, reason: str) -> None:
    """Raise AddedReasonMissing without a reason of 1–100 characters, AddedFull at the tenth number more."""
    if not is_reason(reason):
        raise AddedReasonMissing
    if added >= MOST_ADDED:
        raise AddedFull(most=MOST_ADDED)


def added_window(
    last_starts_at: dt.datetime,
    last_ends_at: dt.datetime,
    day: dt.date,
    half_day: HalfDay,
    now: dt.datetime,
) -> tuple[dt.datetime, dt.datetime]:
    """When the added patient comes: in the session's last window, or once that is over in the half hour of ``now``.

    Raises ScheduleOver when the half-day has ended.
    """
    if last_ends_at > now:
        return last_starts_at, last_ends_at
    ends = at_local(day, dt.time.min) + dt.timedelta(minutes=SESSION_MINUTES[half_day][1])
    if now >= ends:
        raise ScheduleOver
    opens = now - (now - last_ends_at) % WINDOW
    return opens, min(opens + WINDOW, ends)
