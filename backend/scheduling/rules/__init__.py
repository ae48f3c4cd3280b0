"""The rules of the pool: arrival windows, booking and cancelling times, when a hold lapses.

Pure functions over plain values; the time and every limit are arguments.
"""

from __future__ import annotations

from backend.scheduling.rules.booking import (
    BOOKING_DAYS,
    BOOKING_OPENS,
    CANCEL_CUT_OFF,
    HOLD,
    can_check_in,
    check_bookable,
    check_cancellable,
    hold_until,
    is_claimable,
    is_day_bookable,
    is_lapsed,
    last_bookable_day,
)
from backend.scheduling.rules.sessions import (
    GENERATE_DAYS,
    SESSION_MINUTES,
    WINDOW,
    EntryT,
    WeeklyEntry,
    Window,
    check_period,
    check_template,
    first_minute,
    planned_sessions,
    slot_windows,
)
from backend.scheduling.rules.states import (
    ACTIVE,
    HALF_DAY_WORDS,
    OCCUPYING,
    STATE_WORDS,
    VISIT_TYPE_WORDS,
    AppointmentState,
    Channel,
    ScheduleStatus,
    SlotEventKind,
    SlotState,
    VisitType,
)

__all__ = [
    "ACTIVE",
    "BOOKING_DAYS",
    "BOOKING_OPENS",
    "CANCEL_CUT_OFF",
    "GENERATE_DAYS",
    "HALF_DAY_WORDS",
    "HOLD",
    "OCCUPYING",
    "SESSION_MINUTES",
    "STATE_WORDS",
    "VISIT_TYPE_WORDS",
    "WINDOW",
    "AppointmentState",
    "Channel",
    "EntryT",
    "ScheduleStatus",
    "SlotEventKind",
    "SlotState",
    "VisitType",
    "WeeklyEntry",
    "Window",
    "can_check_in",
    "check_bookable",
    "check_cancellable",
    "check_period",
    "check_template",
    "first_minute",
    "hold_until",
    "is_claimable",
    "is_day_bookable",
    "is_lapsed",
    "last_bookable_day",
    "planned_sessions",
    "slot_windows",
]
