"""Sessions, places, appointments, calendar and rush as shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.scheduling.rules import (
    HALF_DAY_WORDS,
    MODALITY_WORDS,
    RUSH_WORDS,
    STATE_WORDS,
    VISIT_TYPE_WORDS,
    WAITING_WORDS,
    AppointmentState,
    CalendarEntry,
    Channel,
    DayKind,
    Modality,
    RushTicketState,
    ScheduleStatus,
    SlotState,
    VisitType,
    WaitingState,
)
from backend.scheduling.rules.examinations import Ordered


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """One session with its places counted; times are UTC, the fee in fen.

    An examination's session is a device's: ``practitioner_id`` is None then, and ``practitioner_name`` what the
    device is called. ``next_starts_at``/``next_ends_at`` is the window the next booking gets; None when all are taken.
    """

    schedule_id: Id
    practitioner_id: Id | None
    device_id: Id | None
    practitioner_name: str
    title: str
    specialty: str
    department_id: Id
    department_name: str
    location_id: Id
    room_name: str
    business_date: dt.date
    half_day: HalfDay
    visit_type: VisitType
    price_item_code: str
    fee_fen: int
    status: ScheduleStatus
    total_count: int
    free_count: int
    first_starts_at: dt.datetime
    last_ends_at: dt.datetime
    next_starts_at: dt.datetime | None
    next_ends_at: dt.datetime | None
    is_over: bool

    @property
    def visit_type_words(self) -> str:
        """The kind of visit in words."""
        return str(VISIT_TYPE_WORDS[self.visit_type])

    @property
    def half_day_words(self) -> str:
        """The half-day in words."""
        return str(HALF_DAY_WORDS[self.half_day])

    @property
    def is_stopped(self) -> bool:
        """True when the session does not take place."""
        return self.status is ScheduleStatus.STOPPED


@dataclass(frozen=True, slots=True)
class DepartmentView:
    """A department somebody can book in on a day."""

    department_id: Id
    name: str
    free_count: int
    practitioner_count: int


@dataclass(frozen=True, slots=True)
class SlotView:
    """One numbered place as staff see it: who holds it is not shown, only how."""

    slot_id: Id
    number: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    state: SlotState
    is_free: bool
    is_lapsed: bool
    appointment_state: AppointmentState | None
    channel: Channel | None


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """A patient's claim on a place, with names; times are UTC, the fee in fen.

    A place on a device has no ``practitioner_id``; ``practitioner_name`` is then what the device is called.
    """

    id: Id
    hospital_id: Id
    patient_id: Id
    schedule_id: Id
    slot_id: Id
    practitioner_id: Id | None
    device_id: Id | None
    practitioner_name: str
    title: str
    department_id: Id
    department_name: str
    location_id: Id
    room_name: str
    business_date: dt.date
    half_day: HalfDay
    visit_type: VisitType
    price_item_code: str
    fee_fen: int
    number: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    channel: Channel
    state: AppointmentState
    hold_until: dt.datetime
    created_at: dt.datetime
    invoice_id: Id | None
    can_check_in: bool
    is_lapsed: bool

    @property
    def state_words(self) -> str:
        """The state in the patient's words."""
        return str(STATE_WORDS[self.state])

    @property
    def visit_type_words(self) -> str:
        """The kind of visit in words."""
        return str(VISIT_TYPE_WORDS[self.visit_type])


@dataclass(frozen=True, slots=True)
class GridRow:
    """One practitioner's or device's week: the sessions of each day in the order of half-days."""

    performer_id: Id
    practitioner_name: str
    title: str
    cells: dict[dt.date, list[ScheduleView]]


@dataclass(frozen=True, slots=True)
class WeekGrid:
    """A department's week: days Monday to Sunday, one row a practitioner or device with a session in it."""

    days: tuple[dt.date, ...]
    rows: tuple[GridRow, ...]

    @property
    def sessions(self) -> list[ScheduleView]:
        """Every session of the week."""
        return [view for row in self.rows for views in row.cells.values() for view in views]

    @property
    def free_count(self) -> int:
        """Free places of the whole week."""
        return sum(view.free_count for view in self.sessions)

    @property
    def total_count(self) -> int:
        """All places of the whole week."""
        return sum(view.total_count for view in self.sessions)


@dataclass(frozen=True, slots=True)
class CalendarDayView:
    """One day the calendar names. ``template_weekday`` 1 to 7; None = no clinic."""

    day: dt.date
    kind: DayKind
    name: str
    template_weekday: int | None
    source: str
    version: int


@dataclass(frozen=True, slots=True)
class MadeAlready:
    """What a day holds already: open sessions, and appointments still ahead in them."""

    sessions: int
    visits: int


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """A day of a notice, what the calendar says of it now (None = nothing), and what was made for it already."""

    entry: CalendarEntry
    present: CalendarDayView | None
    made: MadeAlready

    @property
    def is_new(self) -> bool:
        """The calendar says nothing of the day yet."""
        return self.present is None

    @property
    def is_same(self) -> bool:
        """Nothing would change."""
        held = self.present
        return held is not None and (held.kind, held.name, held.template_weekday) == (
            self.entry.kind,
            self.entry.name,
            self.entry.template_weekday,
        )


@dataclass(frozen=True, slots=True)
class RushView:
    """The line in front of one department's places of one day."""

    id: Id
    hospital_id: Id
    department_id: Id
    business_date: dt.date
    opens_at: dt.datetime


@dataclass(frozen=True, slots=True)
class RushTicketView:
    """A patient's number in the line of an opening rush. ``turn_ends_at`` only once they were let in."""

    rush_id: Id
    ordinal: int
    patient_id: Id
    state: RushTicketState
    turn_ends_at: dt.datetime | None

    @property
    def state_words(self) -> str:
        """Where it stands, in words."""
        return str(RUSH_WORDS[self.state])

    def may_book(self, at: dt.datetime) -> bool:
        """True while the turn lasts."""
        return (
            self.state is RushTicketState.LET_IN
            and self.turn_ends_at is not None
            and at < self.turn_ends_at
        )


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device and where it stands: ``place`` from the building down, ``building`` for the way."""

    id: Id
    name: str
    modality: Modality
    place: str
    building: str
    is_active: bool

    @property
    def modality_words(self) -> str:
        """The kind of device in words."""
        return str(MODALITY_WORDS[self.modality])


@dataclass(frozen=True, slots=True)
class BookedExaminationView:
    """A booked visit to a device, with its orders; times are UTC."""

    id: Id
    device: DeviceView
    starts_at: dt.datetime
    ends_at: dt.datetime
    ordered: tuple[Ordered, ...]

    @property
    def name(self) -> str:
        """What is examined."""
        return "、".join(one.examination.name for one in self.ordered)


@dataclass(frozen=True, slots=True)
class WaitingView:
    """One patient's place in a session's waiting list. ``ahead`` counts those in front who wait too."""

    id: Id
    hospital_id: Id
    schedule_id: Id
    patient_id: Id
    patient_name_masked: str
    department_id: Id
    department_name: str
    performer_name: str
    business_date: dt.date
    half_day: HalfDay
    state: WaitingState
    ahead: int
    joined_at: dt.datetime
    silences: int
    appointment_id: Id | None
    offered_until: dt.datetime | None
    at: dt.datetime

    @property
    def state_words(self) -> str:
        """Where it stands, in words."""
        return str(WAITING_WORDS[self.state])

    @property
    def half_day_words(self) -> str:
        """上午, 下午 or 晚间."""
        return str(HALF_DAY_WORDS[self.half_day])

    @property
    def is_offered(self) -> bool:
        """A place is kept for them now."""
        return self.state is WaitingState.OFFERED

    @property
    def minutes_left(self) -> int:
        """Whole minutes in which the offer may still be paid; 0 without one."""
        if self.offered_until is None or not self.is_offered:
            return 0
        return max(0, int((self.offered_until - self.at).total_seconds() // 60))


@dataclass(frozen=True, slots=True)
class LineView:
    """A session's waiting list: offers first, then who waits, in order."""

    entries: tuple[WaitingView, ...]

    @property
    def session(self) -> WaitingView:
        """Whose session it is: any of its entries says."""
        return self.entries[0]

    @property
    def waiting_count(self) -> int:
        """How many wait without an offer."""
        return sum(not entry.is_offered for entry in self.entries)
