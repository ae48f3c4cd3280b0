"""A hall screen in real Chromium: it shows, speaks one at a time, notices silence, and catches up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.kernel import links
from backend.kernel.uow import Database
from queue_display import voice
from tests.browser.screens.conftest import SECRET, Screen, screen_app
from tests.factories.queues import add_hall_queue, make_hall
from tests.factories.serving import serving
from tests.services.browser import axe
from tests.services.ports import free_port

FULL_HD = {"width": 1920, "height": 1080}


def opened(browser_context: Callable[..., BrowserContext], url: str) -> Page:
    page = browser_context(viewport=FULL_HD).new_page()
    page.goto(url)
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    return page


@pytest.fixture
def page(screen: Screen, browser_context: Callable[..., BrowserContext]) -> Page:
    """The screen at its true size, live."""
    return opened(browser_context, screen.url)


def spoken(page: Page) -> list[str]:
    """What was played, in order: ``<call>:<turn>:<what>``."""
    return (page.locator("body").get_attribute("data-voice-log") or "").split()


def test_calls_appear_by_themselves_and_everything_fits(screen: Screen, page: Page) -> None:
    expect(page.locator(".s-calls")).to_contain_text("现在没有叫号")
    assert axe(page) == []
    for patient in range(4):
        screen.hall.check_in(patient)
    expect(page.locator(".s-next").last).to_contain_text("A002")
    screen.hall.call(doctor=1)
    expect(page.locator(".s-call[data-now] .s-number")).to_have_text("A001")
    expect(page.locator(".s-call[data-now] .s-where")).to_have_text("二诊室")
    expect(page.locator("td.s-calling")).to_have_text("A001")
    assert axe(page) == []
    overflow = page.evaluate("document.documentElement.scrollHeight - window.innerHeight")
    assert overflow <= 0


def test_nine_queues_turn_pages_and_none_is_cut_off(screen: Screen, page: Page) -> None:
    for number, prefix in enumerate("BCDEFGHK"):
        queue = add_hall_queue(screen.hall, f"X{number}", f"队列{number}", prefix)
        for patient in range(2):
            screen.hall.check_in(patient, queue_id=queue)
    page.reload()
    rows = page.locator("tr[data-page]")
    expect(rows).to_have_count(9)
    assert page.evaluate(
        "(() => { const q = document.querySelector('.s-queues'); return q.scrollHeight <= q.clientHeight; })()"
    )
    expect(rows.first).to_be_visible()
    expect(rows.last).to_be_hidden()
    expect(rows.last).to_be_visible(timeout=12_000)
    expect(rows.first).to_be_hidden()


def test_every_call_is_heard_twice_and_never_two_at_once(screen: Screen, page: Page) -> None:
    for patient in range(2):
        screen.hall.check_in(patient)
    screen.hall.call(0)
    screen.hall.call(1)
    expect(page.locator(".s-call")).to_have_count(2)
    page.wait_for_selector(
        "body[data-voice-log*=':2:ended '][data-voice-log$=':2:ended']", timeout=45_000
    )
    heard = spoken(page)
    second, first = (
        call.get_attribute("data-call") or "" for call in page.locator(".s-call").all()
    )
    # Each sound begins only after the one before has ended.
    assert heard == [
        f"{call}:{turn}:{what}"
        for call in (first, second)
        for turn in (1, 2)
        for what in ("began", "ended")
    ]


def test_a_machine_that_cannot_speak_still_shows(
    screen: Screen, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice, "PROGRAM", "no-such-speaker")
    screen.hall.check_in(0)
    screen.hall.call()
    expect(page.locator(".s-call[data-now] .s-number")).to_have_text("A001")
    page.wait_for_selector("body[data-voice-log$=':1:failed']")


def test_a_browser_that_wants_a_touch_first_gets_a_button(
    screen: Screen, browser_context: Callable[..., BrowserContext]
) -> None:
    page = browser_context(viewport=FULL_HD).new_page()
    page.add_init_script(
        """const play = HTMLMediaElement.prototype.play;
        let touched = false;
        document.addEventListener("pointerdown", () => { touched = true; });
        HTMLMediaElement.prototype.play = function () {
          return touched ? play.call(this)
            : Promise.reject(new DOMException("no gesture", "NotAllowedError"));
        };"""
    )
    page.goto(screen.url)
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    screen.hall.check_in(0)
    screen.hall.call()
    button = page.get_by_role("button", name="轻触开启声音")
    expect(button).to_be_visible()
    expect(page.locator(".s-call[data-now] .s-number")).to_have_text("A001")
    assert axe(page) == []
    button.click()
    expect(button).to_be_hidden()
    page.wait_for_selector("body[data-voice-log$=':2:ended']", timeout=30_000)


def test_a_message_lost_on_the_way_is_shown_within_ten_seconds(
    screen: Screen, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen.hall.check_in(0)
    expect(page.locator(".s-next").last).to_contain_text("A001")

    class Lost:
        def emit(self, *_message: object) -> None:
            """The packet never arrives."""

    monkeypatch.setattr(screen.hall.database, "emitter", Lost())
    screen.hall.call()
    expect(page.locator(".s-call[data-now] .s-number")).to_have_text("A001", timeout=10_000)


def test_a_server_that_stops_is_noticed_and_its_return_too(
    real_time_database: Database,
    tmp_path: Path,
    browser_context: Callable[..., BrowserContext],
) -> None:
    hall = make_hall(real_time_database)
    port = free_port()
    with serving(screen_app(real_time_database, tmp_path), port) as served:
        page = opened(browser_context, links.screen_url(served.url, SECRET, hall.hall_id))
    # The socket stays open; after at most one more beat nothing comes: only 11 s of silence tell.
    expect(page.locator("[data-stale-sign]")).to_be_visible(timeout=17_000)
    expect(page.locator("[data-stale-sign]")).to_contain_text("叫号信息可能不是最新")
    assert axe(page) == []
    hall.check_in(0)
    hall.call()
    with serving(screen_app(real_time_database, tmp_path), port):
        expect(page.locator("[data-stale-sign]")).to_be_hidden(timeout=20_000)
        expect(page.locator(".s-call[data-now] .s-number")).to_have_text("A001")
