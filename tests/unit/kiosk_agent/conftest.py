"""A kiosk without wires: drives the pure machine and remembers the effects it asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kiosk_agent.flows.common import Instant
from kiosk_agent.flows.events import (
    Answered,
    Effect,
    Event,
    Presented,
    Refused,
    Ticked,
    Touched,
    WentAway,
)
from kiosk_agent.flows.machine import advance
from kiosk_agent.flows.offers import offers
from kiosk_agent.flows.state import Devices, Service, State
from kiosk_agent.messages import (
    Appointment,
    Booking,
    Department,
    Home,
    Identified,
    Invoice,
    Line,
    Patient,
    Payment,
    Schedule,
    Ticket,
)
from kiosk_agent.screens.document import draw

MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai

PATIENT = Patient(name="张小三", name_masked="张*三", sex="male", age=46)
INVOICE = Invoice(
    invoice_id="invoice-1",
    opened_at=MORNING,
    total_fen=2500,
    lines=(Line(name="挂号费", amount_fen=2500),),
)
APPOINTMENT = Appointment(
    appointment_id="appointment-1",
    state="booked",
    can_check_in=True,
    department_name="乳腺肿瘤科",
    starts_at=MORNING,
    ends_at=MORNING + timedelta(minutes=30),
)
TICKET = Ticket(
    ticket_id="ticket-1", number="A012", room="1 诊室", ahead=3, url="http://127.0.0.1/t/x"
)
DEPARTMENTS = (
    Department(department_id="d1", name="乳腺肿瘤科", free_count=5),
    Department(department_id="d2", name="胸部肿瘤科", free_count=0),
)
SCHEDULES = (
    Schedule(schedule_id="s1", practitioner_name="李建国", fee_fen=2500, free_count=3),
    Schedule(schedule_id="s2", practitioner_name="王秀英", fee_fen=5000, free_count=0),
)
BOOKING = Booking(appointment_id="appointment-1", invoice=INVOICE)
ID_CARD = Presented({"kind": "id_card", "card": {"name": "张小三"}}, "id_card:1")


def payment(state: Any = "pending", **facts: Any) -> Payment:
    """A payment of ¥25.00 in `state`, its code shown."""
    known = {"payment_id": "payment-1", "amount_fen": 2500, "code_url": "weixin://pay/1"}
    return Payment(state=state, **{**known, **facts})


def identified(home: Home | None = None, **facts: Any) -> Identified:
    """The backend's answer about the one patient of these tests."""
    known = {"session": "session-1", "patient": PATIENT, "home": home or Home()}
    return Identified(**{**known, **facts})


@dataclass
class Kiosk:
    """The machine with its state, a clock that tests move, and the effects not yet answered."""

    state: State = field(default_factory=lambda: State(service=Service.OK, devices=Devices()))
    ticks: float = 1000.0
    open: list[Effect] = field(default_factory=list)

    def happen(self, event: Event) -> Kiosk:
        """Apply `event`. Every state is also drawn in both languages: no word may be missing."""
        now = Instant(self.ticks, MORNING)
        self.state, effects = advance(self.state, event, now)
        self.open.extend(effects)
        for language in ("zh", "en"):
            for is_elderly in (False, True):
                draw(replace(self.state, language=language, elderly=is_elderly), MORNING)
        return self

    def touch(self, action: str, value: str = "") -> Kiosk:
        """Touch a button; it must be on the screen."""
        known = [(offer.action, offer.value) for offer in offers(self.state)]
        assert (action, value) in known, f"{action} {value} not in {known}"
        return self.happen(Touched(action, value))

    def pass_time(self, seconds: float) -> Kiosk:
        """Let time pass, then tick."""
        self.ticks += seconds
        return self.happen(Ticked())

    def take(self, kind: type[Any]) -> Any:
        """The one open effect of `kind`; it is answered next."""
        found = [effect for effect in self.open if isinstance(effect, kind)]
        assert len(found) == 1, self.open
        self.open.remove(found[0])
        return found[0]

    def answer(self, kind: type[Any], result: Any = None) -> Kiosk:
        """The open effect of `kind` succeeds."""
        return self.happen(Answered(self.state.epoch, self.take(kind), result))

    def refuse(self, kind: type[Any], code: str, status: int = 409, **facts: Any) -> Kiosk:
        """The open effect of `kind` is refused."""
        return self.happen(Refused(self.state.epoch, self.take(kind), status, code, **facts))

    def lose(self, kind: type[Any]) -> Kiosk:
        """The open effect of `kind` gets no answer."""
        return self.happen(WentAway(self.state.epoch, self.take(kind)))

    def screen(self, language: str = "") -> dict[str, Any]:
        """What is on the glass."""
        shown = replace(self.state, language=language) if language else self.state
        return draw(shown, MORNING)

    @property
    def name(self) -> str:
        """The screen's name."""
        return str(self.screen()["name"])


@pytest.fixture
def kiosk() -> Kiosk:
    """A kiosk in service with nobody before it."""
    return Kiosk()
