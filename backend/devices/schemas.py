"""The bodies of the kiosk API's requests, and its answers as JSON values."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from backend.billing.rules import PaymentState
from backend.billing.views import InvoiceView
from backend.journeys.settlement import PaymentOutcome
from backend.kernel.ids import Id
from backend.queueing.views import TicketView
from backend.scheduling.views import AppointmentView, ScheduleView


class Body(BaseModel):
    """Base of all bodies: no surplus fields are looked at, text is trimmed."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)


class EnrolBody(Body):
    """POST /enrol."""

    code: str = Field(min_length=4, max_length=40)


class DeviceBody(Body):
    """How one device of a kiosk is; ``paper`` is the printer's."""

    state: str = Field("", max_length=40)
    paper: str = Field("", max_length=40)


class DevicesBody(Body):
    """The devices of a kiosk."""

    printer: DeviceBody | None = None
    id_reader: DeviceBody | None = None
    card_reader: DeviceBody | None = None
    scanner: DeviceBody | None = None


class JournalBody(Body):
    """What a kiosk still has to find out or to report."""

    open: int = Field(0, ge=0, le=1_000_000)


class HeartbeatBody(Body):
    """POST /heartbeat."""

    version: str = Field("", max_length=40)
    clock: AwareDatetime | None = None
    devices: DevicesBody = Field(default_factory=DevicesBody)
    journal: JournalBody = Field(default_factory=JournalBody)


class CardBody(Body):
    """The content of an ID card."""

    name: str = Field(min_length=1, max_length=60)
    sex: int = Field(ge=0, le=9)
    ethnic_group: str | None = Field(None, max_length=2)
    birth_date: dt.date
    address: str = Field("", max_length=200)
    number: str = Field(min_length=15, max_length=18)
    authority: str = Field("", max_length=60)
    valid_from: dt.date
    valid_until: dt.date | None = None


class IdCardIdentity(Body):
    """Identified by an ID card."""

    kind: Literal["id_card"]
    card: CardBody


class HospitalCardIdentity(Body):
    """Identified by a hospital card."""

    kind: Literal["hospital_card"]
    number: str = Field(min_length=1, max_length=40)


class CodeIdentity(Body):
    """Identified by a scanned code."""

    kind: Literal["code"]
    text: str = Field(min_length=1, max_length=500)


class IdentifyBody(BaseModel):
    """POST /identify, whichever way."""

    identity: Annotated[
        IdCardIdentity | HospitalCardIdentity | CodeIdentity, Field(discriminator="kind")
    ]


class AppointmentBody(Body):
    """POST /appointments."""

    schedule_id: Id


class PaymentBody(Body):
    """POST /payments."""

    invoice_id: Id
    amount_fen: int = Field(strict=True, ge=0, le=10**12)


class CheckInBody(Body):
    """POST /check-ins."""

    appointment_id: Id


class PrintBody(Body):
    """POST /prints."""

    kind: Literal["ticket", "receipt"]
    ticket_id: Id | None = None
    invoice_id: Id | None = None
    reprint: bool = False


class PrintResultBody(Body):
    """POST /prints/{id}/result."""

    outcome: Literal["printed", "failed", "ambiguous"]
    code: str = Field("", max_length=40)
    detail: str = Field("", max_length=200)


def invoice_json(invoice: InvoiceView) -> dict[str, Any]:
    """A bill."""
    return {
        "invoice_id": str(invoice.id),
        "opened_at": invoice.opened_at.isoformat(),
        "total_fen": invoice.due_fen or invoice.total_fen,
        "state": invoice.state.value,
        "lines": [{"name": line.name, "amount_fen": line.amount_fen} for line in invoice.lines],
    }


def appointment_json(visit: AppointmentView) -> dict[str, Any]:
    """An appointment."""
    return {
        "appointment_id": str(visit.id),
        "state": visit.state.value,
        "can_check_in": visit.can_check_in,
        "practitioner_name": visit.practitioner_name,
        "department_name": visit.department_name,
        "room": visit.room_name,
        "starts_at": visit.starts_at.isoformat(),
        "ends_at": visit.ends_at.isoformat(),
    }


def ticket_json(ticket: TicketView, url: str) -> dict[str, Any]:
    """A ticket with where it stands."""
    return {
        "ticket_id": str(ticket.id),
        "number": ticket.number,
        "state": ticket.state.value,
        "state_words": ticket.state_words,
        "room": ticket.room_name or ticket.hall_name,
        "ahead": ticket.ahead,
        "expected_words": ticket.wait_words,
        "queue_name": ticket.queue_name,
        "url": url,
    }


def schedule_json(view: ScheduleView) -> dict[str, Any]:
    """A session that may be booked; the window is the one the next booking gets."""
    starts, ends = view.next_starts_at, view.next_ends_at
    return {
        "schedule_id": str(view.schedule_id),
        "practitioner_name": view.practitioner_name,
        "title": view.title,
        "specialty": view.specialty,
        "room": view.room_name,
        "half_day": view.half_day.value,
        "visit_type": view.visit_type.value,
        "visit_type_words": view.visit_type_words,
        "fee_fen": view.fee_fen,
        "free_count": view.free_count,
        "starts_at": (starts or view.first_starts_at).isoformat(),
        "ends_at": (ends or view.last_ends_at).isoformat(),
    }


def payment_json(outcome: PaymentOutcome) -> dict[str, Any]:
    """A payment for the person before the kiosk. A place lost meanwhile reads as failed: pay again, elsewhere."""
    payment = outcome.payment
    state = payment.state.value
    if payment.state is PaymentState.CLOSING:
        state = "pending"
    elif payment.state is PaymentState.FROZEN or outcome.is_visit_lost or payment.is_given_back:
        state = "failed"
    return {
        "payment_id": str(payment.id),
        "state": state,
        "code_url": payment.code_url if state == "pending" else None,
        "amount_fen": payment.amount_fen,
        "expires_at": payment.expires_at.isoformat() if payment.expires_at else None,
        "outcome_words": outcome.words,
    }


def sex_word(code: int) -> str:
    """``male`` / ``female`` / ``unknown``, as the kiosk's catalogue names them."""
    return {1: "male", 2: "female"}.get(code, "unknown")
