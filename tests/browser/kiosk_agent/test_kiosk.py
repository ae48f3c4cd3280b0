"""The touch screen in a real browser: a visit by finger, and what every screen must satisfy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from hardware_drivers.simulators.printer.mechanism import Roll
from tests.browser.kiosk_agent.conftest import GLASS, MEASURE
from tests.factories.kiosk_rig import Rig, running_kiosk
from tests.services.browser import axe


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A kiosk in service."""
    with running_kiosk(tmp_path) as found:
        yield found


@pytest.fixture
def page(rig: Rig, browser_context: Callable[..., BrowserContext]) -> Page:
    """The kiosk's browser on its own page."""
    found = browser_context(viewport=GLASS, reduced_motion="reduce").new_page()
    found.goto(rig.glass.base)
    on(found, "home")
    return found


def on(page: Page, name: str) -> None:
    """Wait for the screen `name`."""
    expect(page.locator(f"[data-screen={name}]")).to_be_visible(timeout=20_000)


def tap(page: Page, action: str, value: str = "") -> None:
    """Touch a button of the question (the frame's own included) once the screen listens."""
    chosen = f"[data-value='{value}']" if value else ""
    button = page.locator(f"button[data-action='{action}']{chosen}").first
    expect(button).to_be_enabled()
    listening(page)
    number = page.locator(".k-main").get_attribute("data-no") or ""
    button.click()
    expect(page.locator(".k-main")).not_to_have_attribute("data-no", number)


def listening(page: Page) -> None:
    """Wait until the screen takes touches (it ignores the finger that is still on its way)."""
    expect(page.locator("#glass")).to_have_attribute("data-listening", "")


def check(page: Page, name: str) -> None:
    """The screen `name` is there, fits, is large enough, and axe finds nothing."""
    on(page, name)
    assert page.evaluate(MEASURE) == []
    assert axe(page) == []


def test_a_visit_by_finger(rig: Rig, page: Page) -> None:
    check(page, "home")
    tap(page, "purpose", "visit")
    check(page, "identify")
    rig.put_id_card()
    check(page, "confirm_person")
    expect(page.get_by_text("张小三")).to_be_visible()
    tap(page, "confirm_person")
    check(page, "departments")
    tap(page, "department", "department-0")
    check(page, "schedules")
    tap(page, "schedule", "schedule-0")
    check(page, "confirm_booking")
    tap(page, "book")
    on(page, "pay")
    expect(page.locator("img.k-qr")).to_be_visible()
    check(page, "pay")
    rig.backend.pay()
    check(page, "done")
    expect(page.get_by_text("A012")).to_be_visible()
    tap(page, "finish")
    on(page, "home")
    expect(page.get_by_text("张小三")).to_have_count(0)


@pytest.mark.parametrize("mode", ["English", "large type", "both"])
def test_the_other_ways_of_reading_fit_too(rig: Rig, page: Page, mode: str) -> None:
    if mode != "large type":
        tap(page, "language")
        expect(page.locator("html")).to_have_attribute("lang", "en")
    if mode != "English":
        tap(page, "elderly")
        expect(page.locator("html")).to_have_attribute("data-mode", "elderly")
    check(page, "home")
    rig.backend.departments = 22
    tap(page, "purpose", "visit")
    check(page, "identify")
    rig.put_id_card()
    check(page, "confirm_person")
    tap(page, "confirm_person")
    check(page, "departments")
    tap(page, "next_page")
    check(page, "departments")
    tap(page, "department", "department-11" if mode == "English" else "department-6")
    check(page, "schedules")
    tap(page, "schedule", "schedule-0")
    check(page, "confirm_booking")


def test_a_ticket_without_paper(rig: Rig, page: Page) -> None:
    mechanism = rig.printer.mechanism
    mechanism.set_state(replace(mechanism.state, paper=Roll.OUT))
    expect(page.get_by_text("本机缺纸")).to_be_visible(timeout=20_000)
    check(page, "home")
    rig.backend.appointments = [{"appointment_id": "appointment-1", "can_check_in": True}]
    tap(page, "purpose", "check_in")
    rig.put_id_card()
    on(page, "confirm_person")
    tap(page, "confirm_person")
    check(page, "problem")
    expect(page.get_by_alt_text("手机查看排队的二维码")).to_be_visible()


def test_ten_quick_taps_act_once(rig: Rig, page: Page) -> None:
    tap(page, "purpose", "visit")
    rig.put_id_card()
    on(page, "confirm_person")
    tap(page, "confirm_person")
    on(page, "departments")
    tap(page, "department", "department-0")
    on(page, "schedules")
    tap(page, "schedule", "schedule-0")
    on(page, "confirm_booking")
    listening(page)
    box = page.locator("[data-action=book]").bounding_box()
    assert box is not None
    for _tap in range(10):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    on(page, "pay")
    assert rig.backend.paths().count("/appointments") == 1
    assert rig.backend.paths().count("/payments") == 1


def test_the_warning_lets_one_stay(
    tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> None:
    with running_kiosk(tmp_path, idle_seconds=1.0, warning_seconds=30.0) as rig:
        page = browser_context(viewport=GLASS, reduced_motion="reduce").new_page()
        page.goto(rig.glass.base)
        on(page, "home")
        tap(page, "purpose", "visit")
        dialog = page.get_by_role("alertdialog", name="您还在吗？")
        expect(dialog).to_be_visible()
        assert axe(page) == []
        tap(page, "stay")
        on(page, "identify")
        tap(page, "home")
        on(page, "home")
        expect(dialog).to_have_count(0)


def test_out_of_service_when_the_backend_is_away(rig: Rig, page: Page) -> None:
    rig.backend.is_away = True
    check(page, "out_of_service")
    rig.backend.is_away = False
    on(page, "home")


def test_large_type_speaks_each_new_heading(rig: Rig, page: Page) -> None:
    with page.expect_response("**/api/voice.wav**") as spoken:
        tap(page, "elderly")
        tap(page, "purpose", "visit")
    assert spoken.value.headers["content-type"] == "audio/wav"


def test_a_page_whose_kiosk_is_gone_says_so(
    tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> None:
    with running_kiosk(tmp_path) as rig:
        page = browser_context(viewport=GLASS).new_page()
        page.goto(rig.glass.base)
        on(page, "home")
    expect(page.get_by_text("屏幕正在重新连接")).to_be_visible(timeout=30_000)
