"""The pool's read side. Every read is a small, fixed number of queries, however many rows it gives."""

from __future__ import annotations

from backend.kernel.clock import HalfDay
from backend.scheduling.queries.appointments import get_appointment, list_appointments
from backend.scheduling.queries.calendar import (
    calendar_map,
    compare_notice,
    list_calendar_days,
    sessions_made,
)
from backend.scheduling.queries.devices import list_devices
from backend.scheduling.queries.explain import explain_booking
from backend.scheduling.queries.load import list_load
from backend.scheduling.queries.policies import policies, policy_for
from backend.scheduling.queries.rush import (
    count_places,
    find_rush,
    find_rush_ticket,
    get_rush,
    line_state,
    opening_of,
    patients_with_visit,
)
from backend.scheduling.queries.sessions import (
    departments_with_devices,
    get_schedule,
    is_foreign,
    list_bookable,
    list_bookable_departments,
    list_schedules,
    list_slots,
    rooms_of_today,
    week_grid,
)
from backend.scheduling.queries.stops import (
    find_open_disruption,
    get_disruption,
    get_stop,
    list_disruptions,
    list_equivalents,
    list_stopped_sessions,
    list_stops,
    practitioners_ahead,
    preview_stop,
    sessions_taken,
    stops_in_force,
)
from backend.scheduling.queries.templates import (
    entry_history,
    last_generated,
    list_entries,
    preview_generation,
)
from backend.scheduling.queries.waiting import (
    get_waiting,
    lines_to_look_at,
    list_lines,
    list_waits,
    waiting_problems,
)
from backend.scheduling.rules import (
    ACTIVE,
    AppointmentState,
    Channel,
    ScheduleStatus,
    SlotState,
    VisitType,
)
from backend.scheduling.views import (
    AppointmentView,
    DepartmentView,
    GridRow,
    ScheduleView,
    SlotView,
    WeekGrid,
)

__all__ = [
    "ACTIVE",
    "AppointmentState",
    "AppointmentView",
    "Channel",
    "DepartmentView",
    "GridRow",
    "HalfDay",
    "ScheduleStatus",
    "ScheduleView",
    "SlotState",
    "SlotView",
    "VisitType",
    "WeekGrid",
    "calendar_map",
    "compare_notice",
    "count_places",
    "departments_with_devices",
    "entry_history",
    "explain_booking",
    "find_open_disruption",
    "find_rush",
    "find_rush_ticket",
    "get_appointment",
    "get_disruption",
    "get_rush",
    "get_schedule",
    "get_stop",
    "get_waiting",
    "is_foreign",
    "last_generated",
    "line_state",
    "lines_to_look_at",
    "list_appointments",
    "list_bookable",
    "list_bookable_departments",
    "list_calendar_days",
    "list_devices",
    "list_disruptions",
    "list_entries",
    "list_equivalents",
    "list_lines",
    "list_load",
    "list_schedules",
    "list_slots",
    "list_stopped_sessions",
    "list_stops",
    "list_waits",
    "opening_of",
    "patients_with_visit",
    "policies",
    "policy_for",
    "practitioners_ahead",
    "preview_generation",
    "preview_stop",
    "rooms_of_today",
    "sessions_made",
    "sessions_taken",
    "stops_in_force",
    "waiting_problems",
    "week_grid",
]
