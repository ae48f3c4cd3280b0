"""Every screen a kiosk can show, in each way of reading it: it fits, is large enough, axe and the console find nothing.

The screens are those that have a template, so that a new one cannot be forgotten: without a state that shows it, it
fails here by name. Each holds as much as it may: long names, full pages, several bills.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

import kiosk_agent
from kiosk_agent.clock import HospitalClock
from kiosk_agent.engine import Engine
from kiosk_agent.flows.state import Devices, Done, PrintJob, Problem, Purpose, Service, State, Step
from kiosk_agent.messages import (
    Appointment,
    Booking,
    Department,
    Home,
    Invoice,
    Line,
    Patient,
    Payment,
    Schedule,
    Ticket,
)
from kiosk_agent.screens.document import draw
from kiosk_agent.screens.words import LANGUAGES, catalogue
from kiosk_agent.voice import Voice
from kiosk_agent.web.app import create_app
from tests.browser.kiosk_agent.conftest import GLASS, MEASURE
from tests.factories.serving import listening
from tests.services.browser import axe

MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
LATER = MORNING + timedelta(minutes=30)
MANY = range(12)
INVOICES = tuple(
    Invoice(
        invoice_id=f"invoice-{n}",
        opened_at=MORNING,
        total_fen=123456 * (n + 1),
        lines=tuple(
            Line(name=f"胸部CT增强扫描（含对比剂）第{line}项", amount_fen=20576)
            for line in range(6)
        ),
    )
    for n in MANY
)
TICKETS = tuple(
    Ticket(
        ticket_id=f"ticket-{n}", number=f"A{n + 12:03}", room="三诊室", ahead=n, url="http://x/t/1",
        expected_words="约 40–50 分钟", queue_name="肝胆胰外科",
    )
    for n in MANY
)  # fmt: skip
APPOINTMENTS = tuple(
    Appointment(
        appointment_id=f"appointment-{n}", can_check_in=True, starts_at=MORNING, ends_at=LATER,
        practitioner_name="帕提古丽·艾合买提", department_name="疼痛与缓和医疗科", room="门诊楼三层 五诊室",
    )
    for n in MANY
)  # fmt: skip
DEPARTMENTS = tuple(
    Department(
        department_id=f"department-{n}", name="骨与软组织肿瘤科", floor="门诊楼三层",
        free_count=n % 3 * 20, doctors_count=n,
    )
    for n in MANY
)  # fmt: skip
SCHEDULES = tuple(
    Schedule(
        schedule_id=f"schedule-{n}", practitioner_name="帕提古丽·艾合买提", title="副主任医师",
        specialty="乳腺癌保乳与重建手术、前哨淋巴结活检、遗传性乳腺癌风险评估", room="五诊室",
        visit_type_words="副主任医师门诊", fee_fen=30000, free_count=n % 3, starts_at=MORNING, ends_at=LATER,
    )
    for n in MANY
)  # fmt: skip
#: Somebody in the middle of everything.
PERSON = State(
    service=Service.OK,
    purpose=Purpose.VISIT,
    session="session-1",
    patient=Patient(
        name="尼加提·阿不都热合曼", name_masked="尼***曼", sex="male", age=103,
        phone_masked="138****1234", card_masked="****0003",
    ),
    home=Home(due=INVOICES, appointments=APPOINTMENTS, tickets=TICKETS),
    departments=DEPARTMENTS,
    department=DEPARTMENTS[0],
    schedules=SCHEDULES,
    schedule=SCHEDULES[1],
    booking=Booking(
        appointment_id="appointment-1", invoice=INVOICES[0],
        practitioner_name="帕提古丽·艾合买提", department_name="骨与软组织肿瘤科",
    ),
    invoice=INVOICES[1],
    agreed_fen=2500,
    payment=Payment(payment_id="p", state="pending", amount_fen=2500, code_url="weixin://pay/1"),
)  # fmt: skip
WITH_TICKET = replace(PERSON, ticket=TICKETS[3], print_job=PrintJob("ticket", "ticket-3"))
PROBLEMS = tuple(
    key.removeprefix("problem_").removesuffix("_title")
    for key in catalogue("zh")
    if key.startswith("problem_") and key.endswith("_title")
)


def problem(key: str) -> State:
    """The dead end called ``key``, with two ways out."""
    return replace(
        PERSON, step=Step.PROBLEM, problem=Problem(key, then=("try_again", "choose_another"))
    )


#: The states that show each screen; first the fullest.
STATES: dict[str, tuple[State, ...]] = {
    **{step.value: (replace(PERSON, step=step),) for step in Step},
    Step.HOME: (State(service=Service.OK), State(service=Service.OK, devices=Devices(printer="paper_out"))),
    Step.PAY: (
        replace(PERSON, step=Step.PAY),
        replace(PERSON, step=Step.PAY, is_unreachable=True),
        replace(PERSON, step=Step.PAY, payment=Payment(payment_id="p", state="created")),
    ),
    Step.PRINTING: (replace(WITH_TICKET, step=Step.PRINTING),),
    Step.DONE: tuple(replace(WITH_TICKET, step=Step.DONE, done=done) for done in Done),
    Step.PROBLEM: tuple(problem(key) for key in PROBLEMS),
    "working": (replace(PERSON, busy="booking"),),
    "out_of_service": tuple(
        State(service=service) for service in Service if service is not Service.OK
    ),
}  # fmt: skip
#: Part of other screens.
PARTS = {"ticket_card"}


class Shelf(Engine):
    """An engine that shows what it is told."""

    def show(self, state: State) -> int:
        """Put ``state`` on the glass; the number of its screen."""
        with self._changed:
            self._state, self._document = state, draw(state, MORNING)
            self._no += 1
            self._changed.notify_all()
            return self._no


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(HospitalClock(wall=lambda: MORNING), lambda: 0.0, State(service=Service.OK))


@pytest.fixture
def page(shelf: Shelf, browser_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    app = create_app(
        shelf,
        HospitalClock(wall=lambda: MORNING),
        place=lambda: {"name": "1 号机", "hospital_name": "杏林肿瘤医院", "location_name": "门诊大厅"},
        health=dict,
        voice=Voice(),
    )  # fmt: skip
    with listening(app) as url:
        opened = browser_context(viewport=GLASS).new_page()
        opened.goto(f"{url}/")
        yield opened
        opened.close()
        shelf.stop()


def test_every_screen_has_its_state() -> None:
    folder = Path(kiosk_agent.__file__).parent / "web" / "templates" / "screens"
    assert {file.stem for file in folder.glob("*.html")} - PARTS == {str(name) for name in STATES}


@pytest.mark.parametrize("is_elderly", [False, True])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen(shelf: Shelf, page: Page, language: str, is_elderly: bool) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(f"console: {message.text}"))
    found: dict[str, list[str]] = {}
    for name, states in STATES.items():
        for count, state in enumerate(states):
            no = shelf.show(replace(state, language=language, elderly=is_elderly))
            expect(page.locator(f".k-main[data-screen={name}]")).to_have_attribute(
                "data-no", str(no)
            )
            page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
            # Colours and rules are the screen's; only its words and their length are the state's.
            faults = page.evaluate(MEASURE) + (axe(page) if count == 0 else [])
            key = f"{name} {state.problem.key}" if state.problem else f"{name} {count}"
            found[key] = [*faults, *said]
            said.clear()
    assert {name: faulty for name, faulty in found.items() if faulty} == {}
