"""What happens to the machine (events) and what it asks to be done (effects)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kiosk_agent.flows.state import Devices, Service


# -- events ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Touched:
    """A button of the shown screen; `value` is its choice, if it has one."""

    action: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Active:
    """Somebody touches the glass without choosing: they are still there."""


@dataclass(frozen=True, slots=True)
class Presented:
    """A card was read or a code scanned: `payload` is the body of POST /identify.

    `subject` tells two presentations apart (never shown, never logged).
    """

    payload: dict[str, Any] = field(repr=False)
    subject: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeviceTrouble:
    """A card or code could not be read; `code` names why ("torn", "card_removed" …)."""

    device: str
    code: str


@dataclass(frozen=True, slots=True)
class DevicesChanged:
    """The device manager sees another state."""

    devices: Devices


@dataclass(frozen=True, slots=True)
class ServiceChanged:
    """The heartbeat learned whether this kiosk may work."""

    service: Service


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Answered:
    """`effect` of person `epoch` succeeded with `result`."""

    epoch: int
    effect: Effect
    result: Any = None


@dataclass(frozen=True, slots=True)
class Refused:
    """`effect` arrived and was refused."""

    epoch: int
    effect: Effect
    status: int
    code: str
    title: str = ""
    detail: str = ""
    next_step: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WentAway:
    """No answer to `effect`: nobody knows whether it arrived."""

    epoch: int
    effect: Effect


Event = (
    Touched
    | Active
    | Presented
    | DeviceTrouble
    | DevicesChanged
    | ServiceChanged
    | Ticked
    | Answered
    | Refused
    | WentAway
)


# -- effects --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Identify:
    """Ask the backend who this is → Identified."""

    payload: dict[str, Any] = field(repr=False)
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class LoadHome:
    """→ Home."""

    session: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoadDepartments:
    """→ tuple[Department, ...]."""

    session: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoadSchedules:
    """→ tuple[Schedule, ...]."""

    session: str = field(repr=False)
    department_id: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """→ Booking."""

    session: str = field(repr=False)
    schedule_id: str = ""


@dataclass(frozen=True, slots=True)
class CancelBooking:
    """Give an unpaid slot back; nobody waits for the answer."""

    session: str = field(repr=False)
    appointment_id: str = ""


@dataclass(frozen=True, slots=True)
class StartPayment:
    """→ Payment; written into the journal before its code can be shown."""

    session: str = field(repr=False)
    invoice_id: str = ""
    amount_fen: int = 0
    appointment_id: str = ""


@dataclass(frozen=True, slots=True)
class PollPayment:
    """→ Payment, asked after `delay` seconds."""

    session: str = field(repr=False)
    payment_id: str = ""
    delay: float = 1.0


@dataclass(frozen=True, slots=True)
class CancelPayment:
    """Ask for the order to be closed → None."""

    session: str = field(repr=False)
    payment_id: str = ""


@dataclass(frozen=True, slots=True)
class SettlePayment:
    """The journal's row is settled with `outcome`."""

    payment_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class LeavePayment:
    """Nobody stands here any more: close the order and end the session in the background."""

    payment_id: str


@dataclass(frozen=True, slots=True)
class CheckIn:
    """→ Ticket."""

    session: str = field(repr=False)
    appointment_id: str = ""


@dataclass(frozen=True, slots=True)
class Print:
    """Order, print, confirm and report one document → PrintJob with outcome and code."""

    session: str = field(repr=False)
    kind: str = "ticket"
    subject_id: str = ""
    reprint: bool = False


@dataclass(frozen=True, slots=True)
class EndSession:
    """Forget the person at the backend; nobody waits for the answer."""

    session: str = field(repr=False)


Effect = (
    Identify
    | LoadHome
    | LoadDepartments
    | LoadSchedules
    | Book
    | CancelBooking
    | StartPayment
    | PollPayment
    | CancelPayment
    | SettlePayment
    | LeavePayment
    | CheckIn
    | Print
    | EndSession
)
