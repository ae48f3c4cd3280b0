"""The kiosk API's answers as frozen typed objects (only what the kiosk reads of them).

Unknown fields are ignored, so that the backend may grow; money is integer fen, times carry a
zone. An answer that does not fit raises `pydantic.ValidationError`, which the client turns into
`BackendAway`: an answer nobody can read is no answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Message(BaseModel):
    """Base of all answers: immutable, tolerant of new fields; null means "not said"."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: object) -> object:
        if isinstance(value, dict):
            return {name: part for name, part in value.items() if part is not None}
        return value


class Enrolment(Message):
    """Answer of POST /enrol: who this kiosk is from now on."""

    kiosk_id: str
    name: str
    hospital_name: str
    location_name: str = ""
    credential: str


class Pulse(Message):
    """Answer of POST /heartbeat."""

    server_time: datetime
    name: str = ""
    hospital_name: str = ""
    location_name: str = ""
    accepting: bool = True


class Line(Message):
    """One line of an invoice."""

    name: str
    amount_fen: int


class Invoice(Message):
    """An invoice to pay."""

    invoice_id: str
    opened_at: datetime | None = None
    total_fen: int
    lines: tuple[Line, ...] = ()

    @property
    def first_line(self) -> str:
        """What a list of bills calls this one."""
        return self.lines[0].name if self.lines else ""


class Appointment(Message):
    """One of today's appointments of the person at the kiosk."""

    appointment_id: str
    state: str = ""
    can_check_in: bool = False
    practitioner_name: str = ""
    department_name: str = ""
    room: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class Ticket(Message):
    """A queue ticket; `url` is the phone page printed as its QR code."""

    ticket_id: str
    number: str
    state: str = "waiting"
    room: str = ""
    ahead: int | None = None
    expected_words: str = ""
    queue_name: str = ""
    url: str = ""


class Home(Message):
    """What the identified person can do now."""

    due: tuple[Invoice, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    tickets: tuple[Ticket, ...] = ()


class Patient(Message):
    """The identified person: the full name is shown only after identification."""

    name_masked: str
    name: str
    sex: str = ""
    age: int | None = None
    phone_masked: str | None = None
    card_masked: str | None = None


class Identified(Message):
    """Answer of POST /identify."""

    session: str
    expires_at: datetime | None = None
    created: bool = False
    patient: Patient
    home: Home = Home()


class Department(Message):
    """A department with what is free in it today."""

    department_id: str
    name: str
    floor: str = ""
    free_count: int = 0
    doctors_count: int = 0


class Schedule(Message):
    """A half-day of one doctor that may be booked."""

    schedule_id: str
    practitioner_name: str
    title: str = ""
    specialty: str = ""
    room: str = ""
    half_day: str = ""
    visit_type: str = ""
    visit_type_words: str = ""
    fee_fen: int
    free_count: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class Booking(Message):
    """Answer of POST /appointments: a slot held until `hold_until`, with its unpaid invoice."""

    appointment_id: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    practitioner_name: str = ""
    department_name: str = ""
    room: str = ""
    hold_until: datetime | None = None
    invoice: Invoice


PaymentState = Literal["created", "pending", "unknown", "succeeded", "failed", "closed"]


class Payment(Message):
    """A payment by QR; `code_url` is null until the platform has answered."""

    payment_id: str
    state: PaymentState
    amount_fen: int = 0
    code_url: str | None = None
    expires_at: datetime | None = None
    outcome_words: str = ""

    @property
    def is_final(self) -> bool:
        """Whether the state can no longer change by waiting."""
        return self.state in ("succeeded", "failed", "closed")


class Element(Message):
    """One element of a document to print."""

    type: Literal["text", "row", "rule", "qr", "feed", "cut"]
    text: str = ""
    size: int = 1
    align: Literal["left", "center", "right"] = "left"
    bold: bool = False
    left: str = ""
    right: str = ""
    payload: str = ""
    caption: str = ""
    lines: int = 1


class Document(Message):
    """What to print, in order."""

    elements: tuple[Element, ...]


class PrintOrder(Message):
    """Answer of POST /prints: `job_no` is confirmed back by the printer (1..2^32-1)."""

    print_id: str
    job_no: int = Field(ge=1, le=2**32 - 1)
    document: Document
