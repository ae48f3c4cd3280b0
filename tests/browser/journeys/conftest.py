"""The front desk in a browser, opened by a registrar of a clinic that is ready for a visit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.journeys import backoffice
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.front_desk import VisitWorld, make_visit_world
from tests.factories.serving import serving
from tests.factories.webapp import ActorSwitch, make_app, staff_actor


@pytest.fixture
def world(sqlite_database: Database) -> VisitWorld:
    return make_visit_world(sqlite_database)


@pytest.fixture
def page(
    world: VisitWorld, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> Iterator[Page]:
    """The front desk, opened by a registrar."""
    switch = ActorSwitch()
    switch.actor = staff_actor(world.clinic.hospital_id, *ROLE_PERMISSIONS[Role.REGISTRAR])
    parts = Parts(nav=backoffice.NAV)
    parts.shell = lambda: {"search_url": "/backoffice/front-desk"}
    app = make_app(world.database, tmp_path, switch, backoffice.blueprint, parts=parts)
    app.config["WTF_CSRF_ENABLED"] = True
    with serving(app) as served:
        opened = browser_context(viewport={"width": 1440, "height": 900}).new_page()
        opened.goto(f"{served.url}/backoffice/front-desk")
        yield opened


def open_patient(page: Page) -> None:
    """Find by initials; the first result is chosen by ↓ and Enter."""
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("wjg")
    expect(page.locator("[data-item]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".xl-patient-name")).to_have_text("王建国")
    expect(page.locator("#sessions [data-item]")).to_have_count(2)
