"""What the page of the opening rush shows: one of its faces, with everything that face needs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.kernel.ids import Id
from backend.kernel.links import RushLink
from backend.kernel.uow import now
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.scheduling import queries as sessions
from backend.scheduling import rules
from backend.scheduling import service as scheduling
from backend.scheduling.rules import ACTIVE, Channel, LineState, RushTicketState
from backend.scheduling.views import AppointmentView, RushTicketView, ScheduleView, WaitingView
from miniprogram_api.bills import Due, due_of

#: Seconds: a phone looks at least once an hour, and early birds return within half a minute.
LONGEST_SLEEP = 3600.0
EARLY_SPREAD = 30


class Face(StrEnum):
    """Which of its faces the page shows."""

    EARLY = "early"  # the line cannot be joined yet
    JOIN = "join"
    WAITING = "waiting"
    TURN = "turn"
    BOOKED = "booked"
    SOLD_OUT = "sold_out"


@dataclass(frozen=True, slots=True)
class RushPage:
    """Everything one face shows; what it does not need is empty."""

    face: Face
    hospital_name: str
    department_name: str
    patient_name: str
    day: dt.date
    opens_at: dt.datetime
    joins_at: dt.datetime
    is_open: bool
    ticket: RushTicketView | None = None
    ahead: int = 0
    minutes: tuple[int, int] | None = None
    places_left: int = 0
    is_doubtful: bool = False
    next_seconds: float = rules.QUIET_WAIT
    offered: tuple[ScheduleView, ...] = ()
    appointment: AppointmentView | None = None
    waits: tuple[WaitingView, ...] = ()
    due: Due | None = None

    @property
    def fewest_ahead(self) -> int:
        """How many stand in front in the shortest of the lines."""
        return min((one.ahead for one in self.waits), default=0)

    @property
    def is_paying(self) -> bool:
        """A payment is under way: its result is worth asking for often."""
        return self.due is not None and self.due.payment is not None

    @property
    def has_lapsed(self) -> bool:
        """Their turn has passed unused."""
        return self.ticket is not None and self.ticket.state is RushTicketState.LAPSED


def make_page(
    session: Session, link: RushLink, rush_id: Id | None, line: LineState | None
) -> RushPage:
    """The page for this patient now; a fixed number of queries a face."""
    at = now(session)
    opens = scheduling.opening_of(session, link.day)
    ticket = None
    if rush_id is not None:
        ticket = sessions.find_rush_ticket(session, rush_id, link.patient_id)
    mine = sessions.list_appointments(
        session, patient_id=link.patient_id, day=link.day, states=ACTIVE
    )
    booked = next((one for one in mine if one.department_id == link.department_id), None)
    patient = patients.get_patient(session, link.patient_id, hospital_id=link.hospital_id)
    labels = organization.labels_by_id(session, {link.department_id})
    face = _face(ticket, booked, line, at, opens)
    facts = {
        "hospital_name": organization.get_hospital(session, link.hospital_id).name,
        "department_name": labels[link.department_id].name,
        "patient_name": patient.name_masked,
    }
    number = ticket.ordinal if ticket is not None else 0
    return RushPage(
        face=face,
        **facts,
        day=link.day,
        opens_at=opens,
        joins_at=opens - rules.LINE_BEFORE,
        is_open=at >= opens,
        ticket=ticket,
        ahead=rules.ahead_of(number, line) if line else 0,
        minutes=rules.wait_minutes(number, line) if line else None,
        places_left=line.places_left if line else 0,
        is_doubtful=bool(line and line.is_open and rules.is_doubtful(number, line)),
        next_seconds=_next_seconds(face, link, number, line, opens, at),
        offered=_offered(session, link) if face is Face.TURN else (),
        appointment=booked,
        waits=_waits(session, link) if face is Face.SOLD_OUT else (),
        due=_due(session, booked),
    )


def _face(
    ticket: RushTicketView | None,
    booked: AppointmentView | None,
    line: LineState | None,
    at: dt.datetime,
    opens: dt.datetime,
) -> Face:
    if booked is not None:
        return Face.BOOKED
    if not rules.can_join(opens, at):
        return Face.EARLY
    if ticket is not None and ticket.may_book(at):
        return Face.TURN
    if line is not None and line.is_sold_out:
        return Face.SOLD_OUT
    if ticket is not None and ticket.state is RushTicketState.WAITING:
        return Face.WAITING
    return Face.JOIN


def _next_seconds(
    face: Face,
    link: RushLink,
    number: int,
    line: LineState | None,
    opens: dt.datetime,
    at: dt.datetime,
) -> float:
    """When the phone asks again; those who came too early come back one after the other, not all at once."""
    if face is Face.EARLY:
        wait = (opens - rules.LINE_BEFORE - at).total_seconds()
        return min(LONGEST_SLEEP, wait) + link.patient_id.int % EARLY_SPREAD
    return rules.next_ask(number, line) if line else rules.QUIET_WAIT


def _waits(session: Session, link: RushLink) -> tuple[WaitingView, ...]:
    """Where the patient stands in line for this day and department."""
    return tuple(
        one
        for one in sessions.list_waits(session, link.patient_id)
        if one.department_id == link.department_id and one.business_date == link.day
    )


def _offered(session: Session, link: RushLink) -> tuple[ScheduleView, ...]:
    return tuple(
        sessions.list_bookable(
            session,
            hospital_id=link.hospital_id,
            day=link.day,
            department_id=link.department_id,
            channel=Channel.WECHAT,
        )
    )


def _due(session: Session, booked: AppointmentView | None) -> Due | None:
    """The bill of a held place while it is open."""
    if booked is None or booked.invoice_id is None:
        return None
    invoice = bills.get_invoice(session, booked.invoice_id)
    if not invoice.due_fen or booked.is_lapsed:
        return None
    return due_of(invoice, bills.find_open_payments(session, [invoice.id]).get(invoice.id))
