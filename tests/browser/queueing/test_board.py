"""The triage desk in a real browser: the lists move by themselves; a missed patient is let back in by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from backend.kernel import links
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.queueing import backoffice
from backend.web_parts import Parts
from tests.factories.queues import Hall, add_hall_queue, make_hall
from tests.factories.serving import serving
from tests.factories.webapp import ActorSwitch, make_app, staff_actor
from tests.services.browser import axe

SECRET = "test-secret-" * 4


@pytest.fixture
def hall(sqlite_database: Database) -> Hall:
    return make_hall(sqlite_database)


@pytest.fixture
def page(
    hall: Hall, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> Iterator[Page]:
    """The desk of a triage nurse."""
    switch = ActorSwitch()
    switch.actor = staff_actor(
        hall.clinic.hospital_id, Permission.QUEUEING_TICKET_READ, Permission.QUEUEING_TICKET_MANAGE
    )
    parts = Parts(nav=backoffice.NAV, stream_guards={"queue": partial(links.may_follow, SECRET)})
    app = make_app(hall.database, tmp_path, switch, backoffice.blueprint, parts=parts)
    app.config["WTF_CSRF_ENABLED"] = True
    with serving(app) as served:
        opened = browser_context(viewport={"width": 1280, "height": 900}).new_page()
        opened.goto(f"{served.url}/backoffice/queues")
        expect(opened.locator("body")).to_have_attribute("data-live", "live")
        yield opened


def test_the_lists_move_by_themselves_and_the_missed_come_back(hall: Hall, page: Page) -> None:
    lists = page.locator("#queue")
    expect(lists).to_contain_text("没有人在等")
    assert axe(page) == []
    for patient in range(3):
        hall.check_in(patient)
    expect(lists).to_contain_text("候诊 3 人")
    hall.call()
    expect(lists).to_contain_text("已叫 1 次")
    page.get_by_role("button", name="A001 再叫").press("Enter")
    expect(lists).to_contain_text("已叫 2 次")
    expect(page.locator("#toasts")).to_contain_text("A001 已再次叫号")
    page.get_by_role("button", name="A001 过号").press("Enter")
    expect(lists).to_contain_text("过号 1 人")
    assert axe(page) == []
    page.get_by_role("button", name="A001 重新排队").press("Enter")
    expect(lists).to_contain_text("过号后返回，排在后续 3 位之后")
    page.get_by_label("A003 的级别").select_option("emergency")
    expect(page.locator("#toasts")).to_contain_text("A003 现在是：急诊优先")
    assert axe(page) == []


def test_an_act_is_not_lost_to_a_refresh_under_way(hall: Hall, page: Page) -> None:
    """A list asked for before the nurse acted must not take her form away, nor show the time before."""
    hall.check_in(0)
    lists = page.locator("#queue")
    expect(lists).to_contain_text("候诊 1 人")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/backoffice/queues\?queue="), hold)
    with page.expect_request(lambda request: "/queues?queue=" in request.url) as asked:
        hall.check_in(1)
    assert asked.value.headers["x-background"] == "1"  # nobody's act: it keeps no session awake
    page.get_by_label("A001 的级别").select_option("emergency")
    expect(page.locator("#toasts")).to_contain_text("A001 现在是：急诊优先")
    expect(lists).to_contain_text("候诊 2 人")
    assert held, "no refresh was under way"
    page.unroute_all(behavior="ignoreErrors")


def test_a_list_just_shown_takes_acts_at_once(hall: Hall, page: Page) -> None:
    """No moment between a list's appearing and its working in which a quick hand does nothing."""
    hall.check_in(0)
    expect(page.locator("#queue")).to_contain_text("候诊 1 人")
    page.evaluate(
        """() => document.body.addEventListener("htmx:afterSwap", () => setTimeout(() => {
            const choice = document.querySelector("select[name=ticket_class]");
            choice.value = "emergency";
            choice.dispatchEvent(new Event("change", { bubbles: true }));
        }), { once: true })"""
    )
    hall.check_in(1)
    expect(page.locator("#toasts")).to_contain_text("A001 现在是：急诊优先")


def test_another_queue_is_followed_too(hall: Hall, page: Page) -> None:
    other = add_hall_queue(hall, "Q2", "彩超", "B")
    page.reload()
    page.get_by_label("队列", exact=True).select_option(str(other))
    expect(page).to_have_url(re.compile(str(other)))
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    hall.check_in(0, queue_id=other)
    expect(page.locator("#queue")).to_contain_text("候诊 1 人")
