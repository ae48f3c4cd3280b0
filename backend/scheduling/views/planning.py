"""The weekly template, what generation makes of it, and how full sessions are, as shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.scheduling.rules import HALF_DAY_WORDS, VISIT_TYPE_WORDS, VisitType, first_minute


@dataclass(frozen=True, slots=True)
class EntryView:
    """One weekly session of a practitioner: ``weekday`` 1 (Monday) to 7, the fee in fen."""

    id: Id
    practitioner_id: Id
    practitioner_name: str
    department_id: Id
    department_name: str
    location_id: Id
    room_name: str
    weekday: int
    half_day: HalfDay
    visit_type: VisitType
    price_item_code: str
    fee_fen: int
    capacity: int
    slot_minutes: int
    starts_minute: int | None
    effective_from: dt.date
    effective_until: dt.date | None

    @property
    def half_day_words(self) -> str:
        """The half-day in words."""
        return str(HALF_DAY_WORDS[self.half_day])

    @property
    def visit_type_words(self) -> str:
        """The kind of visit in words."""
        return str(VISIT_TYPE_WORDS[self.visit_type])

    @property
    def begins(self) -> str:
        """When the session begins, as ``08:00``."""
        minute = first_minute(self.half_day, self.starts_minute)
        return f"{minute // 60:02d}:{minute % 60:02d}"


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """A session that the template asks for on a day, and what stands in its way."""

    day: dt.date
    entry: EntryView
    is_made: bool
    is_stopped: bool
    is_holiday: bool
    #: Not this weekday's: the day makes up for another (调休).
    is_exchanged: bool

    @property
    def will_be_made(self) -> bool:
        """Generation would make it now."""
        return not (self.is_made or self.is_stopped or self.is_holiday)


@dataclass(frozen=True, slots=True)
class LoadCell:
    """Places of one row on one day and half-day: booked (held included) of all."""

    booked: int
    total: int

    @property
    def share(self) -> float:
        """How much is booked, 0 to 1 and more with added numbers."""
        return self.booked / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class LoadRow:
    """One practitioner's or department's load by (day, half-day); what is not there has no session."""

    id: Id
    name: str
    cells: dict[tuple[dt.date, HalfDay], LoadCell]

    @property
    def total(self) -> LoadCell:
        """All of its places."""
        return LoadCell(
            sum(cell.booked for cell in self.cells.values()),
            sum(cell.total for cell in self.cells.values()),
        )
