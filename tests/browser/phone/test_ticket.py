"""The ticket on a phone in real Chromium: it follows the queue, fits at 200 % text, and says when it is cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.kernel import links
from backend.kernel.clock import SystemClock, business_date
from backend.kernel.ids import Id
from backend.queueing import service
from backend.web_parts import Parts
from miniprogram_api import ticket as phone
from tests.factories.bills import open_bill
from tests.factories.databases import make_empty_database
from tests.factories.queues import Hall, make_hall
from tests.factories.serving import serving
from tests.factories.webapp import ActorSwitch, make_app
from tests.services.browser import axe

SECRET = "test-secret-" * 4
SMALL = {"width": 390, "height": 844}


@dataclass
class Patient:
    """A ticket behind another one, and its page."""

    hall: Hall
    ticket_id: Id
    page: Page


@pytest.fixture
def patient(tmp_path: Path, browser_context: Callable[..., BrowserContext]) -> Iterator[Patient]:
    """A phone that shows the second ticket of the queue, live."""
    database = make_empty_database(f"sqlite:///{tmp_path / 'phone.db'}", SystemClock())
    hall = make_hall(database)
    hall.check_in(0)
    mine = hall.check_in(1)
    open_bill(database, hall.clinic.hospital_id, hall.clinic.patient_ids[1])
    parts = Parts(stream_guards={"queue": partial(links.may_follow, SECRET)})
    app = make_app(database, tmp_path, ActorSwitch(), phone.blueprint, parts=parts)
    app.config["WTF_CSRF_ENABLED"] = True
    with serving(app) as served:
        page = browser_context(viewport=SMALL, has_touch=True).new_page()
        day = business_date(database.clock.now())
        page.goto(links.ticket_url(served.url, SECRET, mine, day))
        expect(page.locator("body")).to_have_attribute("data-live", "live")
        yield Patient(hall, mine, page)
    database.engine.dispose()


def test_the_phone_follows_the_queue(patient: Patient) -> None:
    page, hall = patient.page, patient.hall
    expect(page.locator("[data-ahead]")).to_have_text("1 人")
    assert axe(page) == []
    hall.serve()
    expect(page.locator("[data-ahead]")).to_have_text("0 人")
    hall.call(doctor=1)
    expect(page.locator(".h-state")).to_have_text("轮到您了")
    expect(page.locator(".h-where")).to_have_text("请到 二诊室")
    assert axe(page) == []
    hall.act(service.pass_over, patient.ticket_id)
    expect(page.locator(".h-state")).to_have_text("已过号")
    assert axe(page) == []


def test_paying_begins_from_the_phone(patient: Patient) -> None:
    page = patient.page
    page.get_by_role("button", name="微信扫码支付").tap()
    expect(page.locator("[data-paying]")).to_be_visible()
    expect(page.get_by_role("button", name="微信扫码支付")).to_have_count(0)
    assert axe(page) == []


def test_nothing_is_cut_off_at_double_text_size(patient: Patient) -> None:
    page = patient.page
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    clipped = page.evaluate(
        """[...document.querySelectorAll("main *")].filter((e) =>
             e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflow !== "visible"
           ).map((e) => e.className)"""
    )
    assert clipped == []


def test_a_phone_that_is_cut_off_says_so_and_catches_up(patient: Patient) -> None:
    page = patient.page
    page.route("**/now", lambda route: route.abort())
    patient.hall.serve()
    expect(page.locator("[data-live-words]")).to_contain_text("网络断开")
    expect(page.locator("[data-ahead]")).to_have_text("1 人")
    page.unroute("**/now")
    expect(page.locator("[data-ahead]")).to_have_text("0 人", timeout=10_000)
    expect(page.locator("[data-live-words]")).to_contain_text("实时更新")
