"""What scheduling shows to other domains and to templates: frozen, with names and words filled in."""

from __future__ import annotations

from backend.scheduling.views.core import (
    AppointmentView,
    BookedExaminationView,
    CalendarChange,
    CalendarDayView,
    DepartmentView,
    DeviceView,
    GridRow,
    LineView,
    MadeAlready,
    RushTicketView,
    RushView,
    ScheduleView,
    SlotView,
    WaitingView,
    WeekGrid,
)
from backend.scheduling.views.explanation import Explanation, ExplanationRow
from backend.scheduling.views.planning import (
    EntryView,
    LoadCell,
    LoadRow,
    PlannedSession,
)
from backend.scheduling.views.stops import (
    AffectedVisit,
    DisruptionView,
    StopPreview,
    StopView,
)

__all__ = [
    "AffectedVisit",
    "AppointmentView",
    "BookedExaminationView",
    "CalendarChange",
    "CalendarDayView",
    "DepartmentView",
    "DeviceView",
    "DisruptionView",
    "EntryView",
    "Explanation",
    "ExplanationRow",
    "GridRow",
    "LineView",
    "LoadCell",
    "LoadRow",
    "MadeAlready",
    "PlannedSession",
    "RushTicketView",
    "RushView",
    "ScheduleView",
    "SlotView",
    "StopPreview",
    "StopView",
    "WaitingView",
    "WeekGrid",
]
