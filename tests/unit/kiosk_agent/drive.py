"""Ways through the machine that several tests begin with."""

from __future__ import annotations

from kiosk_agent.flows.events import (
    Book,
    CheckIn,
    Identify,
    LoadDepartments,
    LoadSchedules,
    StartPayment,
)
from kiosk_agent.messages import Home
from tests.unit.kiosk_agent.conftest import (
    APPOINTMENT,
    BOOKING,
    DEPARTMENTS,
    ID_CARD,
    SCHEDULES,
    TICKET,
    Kiosk,
    identified,
    payment,
)


def present(kiosk: Kiosk, home: Home | None = None, purpose: str = "") -> Kiosk:
    """Purpose (if any), ID card, identified: the person is asked whether it is them."""
    if purpose:
        kiosk.touch("purpose", purpose)
    kiosk.happen(ID_CARD)
    return kiosk.answer(Identify, identified(home))


def enter(kiosk: Kiosk, home: Home | None = None, purpose: str = "") -> Kiosk:
    """As `present`, and the person says yes."""
    return present(kiosk, home, purpose).touch("confirm_person")


def reach_confirmation(kiosk: Kiosk) -> Kiosk:
    """The person has chosen a doctor and sees the fee."""
    enter(kiosk, purpose="visit").answer(LoadDepartments, DEPARTMENTS).touch("department", "d1")
    return kiosk.answer(LoadSchedules, SCHEDULES).touch("schedule", "s1")


def reach_payment(kiosk: Kiosk) -> Kiosk:
    """The code for a booked slot is on the screen."""
    reach_confirmation(kiosk).touch("book").answer(Book, BOOKING)
    return kiosk.answer(StartPayment, payment())


def reach_printing(kiosk: Kiosk) -> Kiosk:
    """Checked in with one appointment; the ticket is being printed."""
    enter(kiosk, Home(appointments=(APPOINTMENT,)), "check_in")
    return kiosk.answer(CheckIn, TICKET)
