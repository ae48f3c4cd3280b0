"""The whole application in a real browser: a doctor logs in by the form and works a visit by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.app import create_app
from backend.clinical import service
from backend.identity.rules import Role, RoleGrant
from backend.kernel.uow import Database
from backend.web_parts import collect_parts
from tests.factories.clinical import Hour, make_hour
from tests.factories.serving import serving
from tests.factories.staff import PASSWORD, make_account
from tests.factories.webapp import make_program
from tests.services.browser import axe


@pytest.fixture
def hour(sqlite_database: Database) -> Hour:
    """A consulting hour whose first patient was seen before; the first doctor has a demo account."""
    found = make_hour(sqlite_database)
    role = RoleGrant(Role.DOCTOR, found.clinic.department_id)
    make_account(sqlite_database, found.clinic, "doctor", role, is_demo=True)
    earlier = found.begin()
    with sqlite_database.write(found.doctor()) as session:
        service.add_diagnosis(session, encounter_id=earlier, code="D24.x")
        service.finish_visit(session, earlier)
    return found


@pytest.fixture
def page(
    hour: Hour, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> Iterator[Page]:
    """A browser that asks for the workstation without being logged in."""
    program = make_program(hour.database, tmp_path)
    with serving(create_app(program, collect_parts(program))) as served:
        opened = browser_context(viewport={"width": 1440, "height": 900}).new_page()
        opened.goto(f"{served.url}/backoffice/workstation")
        yield opened


def log_in(page: Page, password: str) -> None:
    page.get_by_label("用户名").fill("doctor")
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def choose(page: Page, words: str) -> None:
    """Type into the focused search and take the first answer."""
    page.keyboard.type(words)
    expect(
        page.locator('[role="listbox"]:visible').locator('[aria-selected="true"]')
    ).to_be_visible()
    page.keyboard.press("Enter")


def test_from_the_login_form_to_the_bill(page: Page, hour: Hour) -> None:
    expect(page.get_by_label("用户名")).to_be_focused()
    log_in(page, "not the password")
    expect(page.get_by_text("用户名或密码不对")).to_be_visible()
    expect(page.get_by_label("密码")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).to_contain_text("诊室里没有患者")
    hour.arrive()
    expect(page.locator("#worklist")).to_contain_text("A002", timeout=10_000)
    page.keyboard.press("n")
    expect(page.locator(".xl-call")).to_contain_text("第 1 次呼叫")
    page.keyboard.press("s")
    expect(page.locator("#complaint")).to_be_focused()
    page.keyboard.type("复诊")

    past = page.locator(".xl-past")
    expect(past).to_contain_text("既往就诊 1 次")
    past.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(past.locator("li")).to_contain_text("乳房良性肿瘤")
    page.keyboard.press("d")
    choose(page, "rf")
    expect(page.locator("[data-diagnosis-id]")).to_have_count(1)
    expect(page.locator("#diagnosis")).to_be_focused()
    page.locator("#laboratory").focus()
    choose(page, "xcg")
    order = page.locator("[data-order-id]")
    expect(page.locator(".xl-total")).to_contain_text("¥20.00")
    expect(page.locator("#laboratory")).to_be_focused()
    order.get_by_role("button", name="撤销医嘱").focus()
    page.keyboard.press("Enter")
    undo = order.get_by_role("button", name="恢复医嘱")
    expect(undo).to_be_focused()
    expect(page.locator(".xl-total")).to_contain_text("¥0.00")
    assert axe(page) == []
    page.keyboard.press("Enter")
    expect(page.locator(".xl-total")).to_contain_text("¥20.00")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-confirm]")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("A002 就诊结束，请患者缴费 ¥20.00")
