"""The insurance at the front desk of the running program: its form, the asking, and what is left to pay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.app import create_app
from backend.billing import handlers
from backend.channels.insurance import NationalInsurance, load_insurance_file
from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from backend.web_parts import collect_parts
from tests.contract.wechat.sandbox_process import running_sandbox
from tests.factories.bills import open_bill
from tests.factories.front_desk import VisitWorld, make_visit_world
from tests.factories.serving import serving
from tests.factories.webapp import ActorSwitch, make_program, staff_actor
from tests.services.browser import axe

EMPLOYEE = "310000001"


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[NationalInsurance]:
    """The gateway to a running insurance centre."""
    with running_sandbox(tmp_path / "sandbox") as sandbox:
        config = load_insurance_file(sandbox.directory / "insurance.json")
        yield NationalInsurance(lambda: config)


@pytest.fixture
def world(
    centre: NationalInsurance, subscriptions: Subscriptions, sqlite_database: Database
) -> VisitWorld:
    """A visit's world whose billing claims on that centre."""
    handlers.subscribe_insurance(subscriptions, centre)
    return make_visit_world(sqlite_database)


@pytest.fixture
def page(
    world: VisitWorld,
    centre: NationalInsurance,
    tmp_path: Path,
    browser_context: Callable[..., BrowserContext],
) -> Iterator[Page]:
    """The hand of a patient with a blood count to pay, opened by a registrar in the whole application."""
    open_bill(world.database, world.clinic.hospital_id, world.patient_id)
    program = replace(make_program(world.database, tmp_path), insurance=centre)
    switch = ActorSwitch()
    switch.actor = staff_actor(world.clinic.hospital_id, *ROLE_PERMISSIONS[Role.REGISTRAR])
    parts = collect_parts(program)
    parts.actor_loaders = [("/backoffice", switch)]
    with serving(create_app(program, parts)) as served:
        opened = browser_context(viewport={"width": 1440, "height": 900}).new_page()
        opened.goto(f"{served.url}/backoffice/front-desk/patients/{world.patient_id}")
        yield opened


def test_the_insurance_pays_its_part_at_the_desk(page: Page, world: VisitWorld) -> None:
    page.keyboard.press("Alt+i")
    page.keyboard.type(EMPLOYEE)
    assert axe(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_text("正在向医保中心申请结算")).to_be_visible()
    Dispatcher(world.database).drain()
    expect(page.locator("#toasts")).to_contain_text("医保支付 ¥17.50")
    expect(page.locator(".xl-lines-left")).to_contain_text("¥7.50")
    assert axe(page) == []
