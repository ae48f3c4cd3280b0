"""The kiosk fleet in a real browser: every state of the page is accessible, also while it reads itself anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.app import create_app
from backend.kernel.outbox import Subscriptions
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.web_parts import collect_parts
from tests.factories.billing import ScriptedGateway
from tests.factories.kiosks import Door, make_door, subscribe_all
from tests.factories.serving import serving
from tests.factories.webapp import ActorSwitch, make_program, staff_actor
from tests.services.browser import axe


@pytest.fixture
def gateway() -> ScriptedGateway:
    return ScriptedGateway()


@pytest.fixture
def subscriptions(gateway: ScriptedGateway) -> Subscriptions:
    return subscribe_all(Subscriptions(), gateway)


@pytest.fixture
def door(sqlite_database: Database, gateway: ScriptedGateway, tmp_path: Path) -> Door:
    return make_door(sqlite_database, gateway, tmp_path)


@pytest.fixture
def page(
    door: Door, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> Iterator[Page]:
    """The fleet, opened by a device operator."""
    switch = ActorSwitch()
    switch.actor = staff_actor(
        door.clinic.hospital_id, Permission.DEVICES_KIOSK_READ, Permission.DEVICES_KIOSK_MANAGE
    )
    program = make_program(door.database, tmp_path)
    parts = collect_parts(program)
    parts.actor_loaders.insert(0, ("/backoffice", switch))
    app = create_app(program, parts)
    with serving(app) as served:
        opened = browser_context(viewport={"width": 1440, "height": 900}).new_page()
        opened.goto(f"{served.url}/backoffice/kiosks")
        yield opened


def test_the_fleet_is_accessible_in_every_state(door: Door, page: Page) -> None:
    assert axe(page) == []
    kiosk = door.kiosk()
    page.reload()
    expect(page.locator("main")).to_contain_text("K01")
    assert axe(page) == []
    kiosk.hospital_card()
    visit = door.paid_visit(kiosk)
    ticket = kiosk.ok("POST", "/check-ins", {"appointment_id": visit["appointment_id"]})["ticket"]
    order = kiosk.ok(
        "POST", "/prints", {"kind": "ticket", "ticket_id": ticket["ticket_id"]}, key="p"
    )
    kiosk.ok("POST", f"/prints/{order['print_id']}/result", {"outcome": "ambiguous", "code": "jam"})
    expect(page.locator("main")).to_contain_text("待核对的打印")  # it reads itself anew
    assert axe(page) == []
    page.get_by_role("link", name="K01").click()
    expect(page.locator("main")).to_contain_text("卡纸")
    assert axe(page) == []
    page.set_viewport_size({"width": 480, "height": 900})  # too narrow for the table of prints
    expect(page.locator(".table-responsive")).to_have_attribute("tabindex", "0")
    assert axe(page) == []
