"""The workstation in a real browser: a whole visit by keyboard, live list, autosave, two tabs; axe and the CSP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.clinical import backoffice, queries, service
from backend.kernel.uow import Database
from backend.patients.models import Patient
from backend.web_parts import Parts
from tests.factories.clinical import Hour, make_hour
from tests.factories.databases import SYSTEM
from tests.factories.serving import listening
from tests.factories.webapp import ActorSwitch, make_app
from tests.services.browser import axe


@pytest.fixture
def hour(sqlite_database: Database) -> Hour:
    """A consulting hour whose first patient is allergic to penicillins."""
    found = make_hour(sqlite_database)
    with sqlite_database.write(SYSTEM, housekeeping=True) as session:
        session.get_one(Patient, found.clinic.patient_ids[0]).allergies = "青霉素类"
    return found


@pytest.fixture
def page(
    hour: Hour, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> Iterator[Page]:
    """The first doctor's workstation."""
    switch = ActorSwitch()
    switch.actor = hour.doctor()
    parts = Parts(nav=backoffice.NAV)
    app = make_app(hour.database, tmp_path, switch, backoffice.blueprint, parts=parts)
    app.config["WTF_CSRF_ENABLED"] = True
    with listening(app) as url:
        opened = browser_context(viewport={"width": 1440, "height": 900}).new_page()
        opened.goto(f"{url}/backoffice/workstation")
        yield opened


def choose(page: Page, words: str) -> None:
    """Type into the focused search and take the first answer."""
    listbox = page.locator('[role="listbox"]:visible')
    page.keyboard.type(words)
    expect(listbox.locator('[aria-selected="true"]')).to_be_visible()
    page.keyboard.press("Enter")


def test_a_whole_visit_by_keyboard(page: Page, hour: Hour) -> None:
    expect(page.locator("#desk")).to_contain_text("诊室里没有患者")
    assert axe(page) == []
    hour.arrive()
    expect(page.locator("#worklist")).to_contain_text("A001", timeout=10_000)
    page.keyboard.press("n")
    expect(page.locator(".xl-call")).to_contain_text("第 1 次呼叫")
    page.keyboard.press("a")
    expect(page.locator(".xl-call")).to_contain_text("第 2 次呼叫")
    assert axe(page) == []
    page.keyboard.press("s")
    expect(page.locator("#patient-bar")).to_contain_text("青霉素类")
    expect(page.locator("#complaint")).to_be_focused()
    page.keyboard.type("左乳肿物2月")
    page.keyboard.press("Tab")
    expect(page.locator("#note-state")).to_contain_text("已保存")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#finish")).to_contain_text("还没有填写诊断")
    page.keyboard.press("Escape")
    page.locator("#diagnosis").focus()
    choose(page, "rf")
    expect(page.locator("[data-diagnosis-id]")).to_have_count(1)
    expect(page.locator("#diagnosis")).to_be_focused()
    assert axe(page) == []
    page.locator("#drug").focus()
    choose(page, "qms")
    expect(page.locator("#drug-quantity")).to_be_focused()
    expect(page.locator("#drug-route")).to_have_value("口服")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(page.locator("[data-order-id]")).to_contain_text("患者过敏：青霉素类")
    expect(page.locator("#drug")).to_be_focused()
    page.locator("#laboratory").focus()
    choose(page, "xcg")
    expect(page.locator("[data-order-id]")).to_have_count(2)
    expect(page.locator(".xl-total")).to_contain_text("¥45.60")
    expect(page.locator("#laboratory")).to_be_focused()
    page.locator("#examination").focus()
    page.keyboard.type("最后一句")
    expect(page.locator("#examination")).to_have_value("最后一句")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-confirm]")).to_be_focused()
    assert axe(page) == []
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("A001 就诊结束，请患者缴费 ¥45.60")
    page.locator("#worklist a").click()
    expect(page.locator(".xl-note")).to_contain_text("最后一句")
    assert axe(page) == []


def test_a_note_changed_elsewhere_stays_on_the_page(page: Page, hour: Hour) -> None:
    encounter_id = hour.begin()
    page.reload()
    page.locator("#history").fill("这一页写的")
    with hour.database.read(SYSTEM) as session:
        version = queries.get_encounter(session, encounter_id).version
    with hour.database.write(hour.doctor()) as session:
        service.record_note(
            session, encounter_id=encounter_id, version=version, complaint="另一页写的",
            history="", examination="",
        )  # fmt: skip
    page.locator("#complaint").focus()
    expect(page.locator(".xl-note [data-problems]")).to_contain_text("刚被别人修改过")
    expect(page.locator("#history")).to_have_value("这一页写的")
    assert axe(page) == []
