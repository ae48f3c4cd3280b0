"""Scheduling in the back office, one module a page: the week and day, and what makes or changes sessions.

week       /backoffice/schedules …            who sits when and where, the places of a session, generating
calendar   …/calendar                         public holidays and worked weekends
templates  …/templates                        the weekly template as a grid, and what generation makes of it
special    …/special                          one session beside the template (加开)
load       …/load                             how full the sessions are, as a heat map and a table
"""

from __future__ import annotations

from backend.scheduling.backoffice import calendar, load, special, templates, week
from backend.scheduling.backoffice.common import NAV, blueprint

__all__ = ["NAV", "blueprint", "calendar", "load", "special", "templates", "week"]
