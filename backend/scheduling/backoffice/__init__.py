"""Scheduling in the back office, one module a page: the week and day, and what makes or changes sessions.

week       /backoffice/schedules …            who sits when and where, the places of a session, generating
calendar   …/calendar                         public holidays and worked weekends
"""

from __future__ import annotations

from backend.scheduling.backoffice import calendar, week
from backend.scheduling.backoffice.common import NAV, blueprint

__all__ = ["NAV", "blueprint", "calendar", "week"]
