"""The schedules pages in a real browser, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.scheduling import backoffice
from backend.web_parts import Parts
from tests.factories.clinic import make_clinic
from tests.factories.serving import listening
from tests.factories.webapp import ActorSwitch, make_app, staff_actor
from tests.services.browser import axe


@pytest.fixture
def page(
    sqlite_database: Database, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> Iterator[Page]:
    """The week of a department whose schedules are still to be generated."""
    clinic = make_clinic(sqlite_database)
    switch = ActorSwitch()
    switch.actor = staff_actor(
        clinic.hospital_id,
        Permission.SCHEDULING_SCHEDULE_READ,
        Permission.SCHEDULING_SCHEDULE_GENERATE,
    )
    app = make_app(
        sqlite_database, tmp_path, switch, backoffice.blueprint, parts=Parts(nav=backoffice.NAV)
    )
    app.config["WTF_CSRF_ENABLED"] = True
    with listening(app) as url:
        opened = browser_context(viewport={"width": 1280, "height": 900}).new_page()
        opened.goto(f"{url}/backoffice/schedules")
        yield opened


def test_from_an_empty_week_to_the_places_of_a_session(page: Page) -> None:
    expect(page.locator("#week")).to_contain_text("这一周还没有班次")
    assert axe(page) == []
    page.keyboard.press("g")
    expect(page.locator("#toasts")).to_contain_text("已生成 2 个班次")
    expect(page.locator(".xl-session")).to_have_count(2)
    expect(page.locator(".xl-session").first).to_contain_text("余 3")
    assert axe(page) == []
    page.keyboard.press("n")
    expect(page.locator("#week")).to_contain_text("这一周还没有班次")
    page.keyboard.press("p")
    expect(page.locator(".xl-session")).to_have_count(2)
    page.keyboard.press("d")
    rows = page.locator("[data-item]")
    expect(rows).to_have_count(2)
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#slots")).to_contain_text("08:30–09:00")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    # The row keeps the focus, so that the arrows go on from here.
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(rows.first).to_have_attribute("aria-current", "true")
    assert axe(page) == []
    page.keyboard.press("w")
    expect(page.locator(".xl-session")).to_have_count(2)
