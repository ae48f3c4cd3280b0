"""What the kiosk knows at one moment: one frozen value from which the screen is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from kiosk_agent.messages import (
    Booking,
    Department,
    Home,
    Invoice,
    Patient,
    Payment,
    Schedule,
    Ticket,
)

if TYPE_CHECKING:
    from kiosk_agent.flows.events import Effect


class Step(StrEnum):
    """The question on the screen; one screen each."""

    HOME = "home"
    IDENTIFY = "identify"
    CONFIRM_PERSON = "confirm_person"
    MENU = "menu"
    DEPARTMENTS = "departments"
    SCHEDULES = "schedules"
    CONFIRM_BOOKING = "confirm_booking"
    AMOUNT_CHANGED = "amount_changed"
    PAY = "pay"
    CLOSING = "closing"
    PAYMENT_UNKNOWN = "payment_unknown"
    APPOINTMENTS = "appointments"
    DUE = "due"
    CONFIRM_DUE = "confirm_due"
    TICKETS = "tickets"
    PRINTING = "printing"
    DONE = "done"
    PROBLEM = "problem"


class Purpose(StrEnum):
    """What the person came for: the tiles of the home screen and of the menu."""

    REGISTER = "register"
    VISIT = "visit"
    CHECK_IN = "check_in"
    PAY = "pay"
    REPRINT = "reprint"


class Service(StrEnum):
    """Whether this kiosk may begin anything."""

    STARTING = "starting"
    OK = "ok"
    AWAY = "away"
    STOPPED = "stopped"
    NOT_ENROLLED = "not_enrolled"


class Done(StrEnum):
    """What the last screen reports."""

    REGISTERED = "registered"
    TICKET = "ticket"
    PAID = "paid"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds each kind of screen waits for a person."""

    idle: float = 60.0
    warning: float = 15.0
    done: float = 20.0
    payment: float = 180.0
    closing: float = 15.0
    notice: float = 6.0
    printing: float = 90.0


@dataclass(frozen=True, slots=True)
class Notice:
    """A line that lies over the screen for some seconds; `key` names its words."""

    key: str
    tone: str = "warn"
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Problem:
    """A dead end with a way out. Own words by `key`; else the backend's `title` and `detail`.

    `then` lists the action ids offered, main action first.
    """

    key: str
    title: str = ""
    detail: str = ""
    next_step: str = ""
    then: tuple[str, ...] = ("home",)


@dataclass(frozen=True, slots=True)
class PrintJob:
    """What is being printed: `kind` ticket or receipt of `subject_id`; how it ended."""

    kind: str
    subject_id: str
    outcome: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Devices:
    """What the device manager last said; `printer` is ok, paper_near_end or a trouble code."""

    id_reader: str = "ok"
    card_reader: str = "ok"
    scanner: str = "ok"
    printer: str = "ok"

    @property
    def can_print(self) -> bool:
        """Whether a print begun now has a chance."""
        return self.printer in ("ok", "paper_near_end", "starting")


@dataclass(frozen=True, slots=True)
class State:
    """Everything the screen shows, and what it must remember for the next step.

    `epoch` counts people: results of effects begun for an earlier person are not shown.
    `busy` names what is waited for ("" = nothing); while it is set only the language and the
    reading mode react. `deadline` is monotonic; None means this step has no end of its own.
    `is_unreachable` says that a payment's state cannot be asked at the moment, `is_timed_out`
    that its closing was begun by the clock and not by the person. `again` is the effect that the
    button "try again" repeats.
    """

    step: Step = Step.HOME
    epoch: int = 0
    language: str = "zh"
    elderly: bool = False
    service: Service = Service.STARTING
    devices: Devices = field(default_factory=Devices)
    limits: Limits = field(default_factory=Limits)

    busy: str = ""
    deadline: float | None = None
    warned: bool = False
    notice: Notice | None = None
    problem: Problem | None = None
    page: int = 0

    purpose: Purpose | None = None
    session: str = ""
    subject: str = ""
    patient: Patient | None = None
    created: bool = False
    home: Home = field(default_factory=Home)

    departments: tuple[Department, ...] = ()
    department: Department | None = None
    schedules: tuple[Schedule, ...] = ()
    schedule: Schedule | None = None
    booking: Booking | None = None

    invoice: Invoice | None = None
    agreed_fen: int = 0
    payment: Payment | None = None
    is_unreachable: bool = False
    is_timed_out: bool = False

    ticket: Ticket | None = None
    print_job: PrintJob | None = None
    done: Done = Done.NOTHING
    again: Effect | None = None
