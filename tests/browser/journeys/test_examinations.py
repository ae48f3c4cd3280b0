"""Planning examinations in a real browser: the plan comes by itself, answers change it, other days, booking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.journeys.backoffice import examinations
from backend.kernel.uow import Database
from tests.factories.imaging_desk import ImagingDesk, make_imaging_desk
from tests.factories.serving import serving
from tests.factories.webapp import ActorSwitch, make_app, staff_actor
from tests.services.browser import axe


@pytest.fixture
def desk(sqlite_database: Database) -> ImagingDesk:
    return make_imaging_desk(sqlite_database)


@pytest.fixture
def page(
    desk: ImagingDesk, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> Iterator[Page]:
    """The examinations of the patient who sits with the doctor, opened by a registrar."""
    desk.order("US-ABD", "GASTRO", "MR")
    switch = ActorSwitch()
    switch.actor = staff_actor(desk.hospital_id, *ROLE_PERMISSIONS[Role.REGISTRAR])
    app = make_app(desk.database, tmp_path, switch, examinations.blueprint)
    app.config["WTF_CSRF_ENABLED"] = True
    with serving(app) as served:
        opened = browser_context(viewport={"width": 1440, "height": 900}).new_page()
        opened.goto(f"{served.url}/backoffice/examinations/patients/{desk.patient_id}")
        yield opened


def test_the_plan_follows_the_answers_and_is_booked_by_keyboard(page: Page) -> None:
    plan = page.locator("#plan")
    expect(plan).to_have_attribute("data-days", "1", timeout=20_000)
    expect(plan).not_to_contain_text("磁共振")
    assert axe(page) == []
    for question in page.locator("fieldset.xl-exam-question").all():
        question.get_by_label("没有").check()
    page.keyboard.press("Alt+s")
    expect(plan).to_contain_text("头颅磁共振平扫", timeout=20_000)
    expect(plan).to_contain_text("先“腹部超声”后“电子胃镜检查”")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("3 项检查已全部约好")
    expect(page.locator(".xl-visit")).to_have_count(3)
    assert axe(page) == []


def test_other_days_and_the_way_back(page: Page) -> None:
    plan = page.locator("#plan")
    expect(plan).to_have_attribute("data-days", "1", timeout=20_000)
    first = plan.locator("h3").inner_text()
    page.keyboard.press("Alt+o")
    expect(plan.locator("h3")).not_to_have_text(first, timeout=20_000)
    plan.get_by_role("link", name="回到最好的安排").click()
    expect(plan.locator("h3")).to_have_text(first, timeout=20_000)
    page.get_by_label("时段").select_option("pm")
    expect(plan).to_contain_text("没有合适的空位", timeout=20_000)
    assert axe(page) == []
