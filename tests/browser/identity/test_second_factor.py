"""Enrolling in a real browser by keyboard alone, from the forced page to the printed codes; then a login with one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.app import create_app
from backend.identity.rules import Role
from backend.kernel.clock import FixedClock
from backend.kernel.uow import Database
from tests.factories.clinic import make_clinic
from tests.factories.serving import listening
from tests.factories.staff import PASSWORD, make_account
from tests.factories.webapp import make_program
from tests.services.browser import axe

STEP = dt.timedelta(seconds=30)


@pytest.fixture
def page(
    sqlite_database: Database, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> Iterator[Page]:
    """The login form of a hospital whose administrator has no second factor."""
    make_account(sqlite_database, make_clinic(sqlite_database), "admin", Role.ADMINISTRATOR)
    app = create_app(make_program(sqlite_database, tmp_path))
    with listening(app) as url:
        opened = browser_context(viewport={"width": 1440, "height": 900}).new_page()
        opened.goto(f"{url}/login")
        yield opened


def type_login(page: Page) -> None:
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def test_an_administrator_enrols_and_logs_in_by_keyboard(page: Page, clock: FixedClock) -> None:
    expect(page.locator("#f-username")).to_be_focused()
    type_login(page)
    expect(page.locator("main")).to_contain_text("管理员账号必须先绑定动态口令")
    assert axe(page) == []
    expect(page.get_by_role("button", name="开始绑定")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#f-first-code")).to_be_focused()
    assert axe(page) == []
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="动态口令不对").first).to_be_visible()
    expect(page.locator("#f-first-code")).to_be_focused()
    assert axe(page) == []
    secret = page.locator("#manual-key").inner_text().replace(" ", "")
    page.keyboard.type(pyotp.TOTP(secret).at(clock.now()))
    page.keyboard.press("Enter")
    codes = page.locator(".xl-codes code")
    expect(codes).to_have_count(10)
    assert axe(page) == []
    page.emulate_media(media="print")
    expect(page.locator(".xl-side")).to_be_hidden()
    expect(codes.first).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="我已保存，继续").press("Enter")
    expect(page.locator("h1")).to_contain_text("早上好")
    page.get_by_role("button", name="退出").press("Enter")
    page.locator("#f-username").focus()
    type_login(page)
    expect(page.locator("#f-code")).to_be_focused()
    assert axe(page) == []
    page.keyboard.type(pyotp.TOTP(secret).at(clock.now() + STEP))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("早上好")
