"""The opening rush on a phone in real Chromium: from the line to the bill without a touch too many."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import BrowserContext, Page, expect

from backend.kernel.clock import FixedClock
from tests.factories.databases import make_empty_database
from tests.factories.rush import OPENS, Morning, make_morning, make_rush_app
from tests.factories.serving import serving
from tests.services.browser import axe

SMALL = {"width": 390, "height": 844}
PROGRAM = {"Accept": "application/json"}


@dataclass
class Phone:
    """One patient's page, and everybody else as programs."""

    morning: Morning
    clock: FixedClock
    url: str
    page: Page

    def other(self, patient: int, act: str) -> int:
        address = f"{self.url}{self.morning.link(patient)}/{act}"
        return requests.post(address, headers=PROGRAM, timeout=10).status_code

    def goto(self, patient: int) -> None:
        self.page.goto(self.url + self.morning.link(patient))


@pytest.fixture
def phone(tmp_path: Path, browser_context: Callable[..., BrowserContext]) -> Iterator[Phone]:
    clock = FixedClock(OPENS - dt.timedelta(seconds=1))
    database = make_empty_database(f"sqlite:///{tmp_path / 'rush.db'}", clock)
    morning = make_morning(database, capacity=1)
    app = make_rush_app(morning, tmp_path, most_inside=1)
    with serving(app) as served:
        page = browser_context(viewport=SMALL, has_touch=True).new_page()
        yield Phone(morning, clock, served.url, page)
    database.engine.dispose()


def test_from_the_line_to_the_bill(phone: Phone) -> None:
    page = phone.page
    assert phone.other(0, "arrive") == 200
    phone.goto(1)
    page.get_by_role("button", name="开始排队").tap()
    expect(page.locator("[data-ahead]")).to_have_text("1")
    expect(page.locator(".h-state")).to_have_text("07:00 开始")
    assert axe(page) == []
    phone.clock.set(OPENS)
    expect(page.locator("[data-ahead]")).to_have_text("0", timeout=15_000)
    expect(page.locator(".h-state")).to_have_text("排队中")
    assert axe(page) == []
    assert phone.other(0, "book") == 200
    phone.clock.advance(dt.timedelta(seconds=1))
    expect(page.locator(".h-state")).to_have_text("轮到您了", timeout=15_000)
    assert axe(page) == []
    page.get_by_role("button", name="挂 08:00 的号").tap()
    expect(page.locator(".h-total")).to_have_text("¥25.00")
    assert axe(page) == []
    page.get_by_role("button", name="微信扫码支付").tap()
    expect(page.locator("[data-paying]")).to_be_visible()


def test_those_still_waiting_are_told_when_the_last_place_has_gone(phone: Phone) -> None:
    page = phone.page
    for patient in (0, 1):
        phone.other(patient, "arrive")
    phone.goto(2)
    page.get_by_role("button", name="开始排队").tap()
    phone.clock.set(OPENS)
    expect(page.locator("[data-doubtful]")).to_be_visible(timeout=15_000)
    for patient in (0, 1):
        phone.clock.advance(dt.timedelta(seconds=1))
        page.request.get(f"{phone.url}{phone.morning.link(patient)}/now")
        assert phone.other(patient, "book") == 200
    phone.clock.advance(dt.timedelta(seconds=1))
    expect(page.locator(".h-state")).to_have_text("号已经挂完", timeout=30_000)
    assert axe(page) == []


@pytest.mark.parametrize("moment", ["join", "waiting", "turn"])
def test_nothing_is_cut_off_at_double_text_size(phone: Phone, moment: str) -> None:
    page = phone.page
    if moment != "join":
        phone.other(0, "arrive")
        phone.other(1, "arrive")
    if moment == "turn":
        phone.clock.set(OPENS)
    phone.goto(0)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    clipped = page.evaluate(
        """[...document.querySelectorAll("main *")].filter((e) =>
             e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflow !== "visible"
           ).map((e) => e.className)"""
    )
    assert clipped == []


def test_a_phone_that_is_cut_off_says_so_and_keeps_its_place(phone: Phone) -> None:
    page = phone.page
    phone.other(0, "arrive")
    phone.other(1, "arrive")
    phone.goto(1)
    page.route("**/now", lambda route: route.abort())
    expect(page.locator("[data-live-words]")).to_contain_text("网络断开", timeout=15_000)
    page.unroute("**/now")
    expect(page.locator("[data-live-words]")).to_contain_text("自己更新", timeout=15_000)
    expect(page.locator("[data-ahead]")).to_have_text("1")
