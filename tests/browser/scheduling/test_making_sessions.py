"""Calendar, template grid, heat map and stop-clinic wizard in a real browser, by keyboard where it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.journeys import backoffice as front_desk
from backend.journeys.backoffice import sessions, stops
from backend.journeys.fees import registration_fees
from backend.kernel.outbox import Subscriptions
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.scheduling import backoffice as schedules
from backend.scheduling.backoffice.entry_form import FEES
from backend.web_parts import Parts
from tests.factories.serving import listening
from tests.factories.stops import NEXT, House, make_house
from tests.factories.visits import subscribe
from tests.factories.webapp import ActorSwitch, make_app, staff_actor
from tests.services.browser import axe


@pytest.fixture
def subscriptions() -> Subscriptions:
    return subscribe(Subscriptions())


@pytest.fixture
def house(sqlite_database: Database) -> House:
    return make_house(sqlite_database)


@pytest.fixture
def page(
    house: House, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> Iterator[Page]:
    """A scheduler's browser at 1440 × 900, at the week."""
    switch = ActorSwitch()
    switch.actor = staff_actor(
        house.clinic.hospital_id,
        Permission.SCHEDULING_SCHEDULE_READ,
        Permission.SCHEDULING_SCHEDULE_GENERATE,
        Permission.SCHEDULING_SCHEDULE_MANAGE,
        Permission.SCHEDULING_SLOT_ADD,
    )
    parts = Parts(nav=(*schedules.NAV, *stops.NAV))
    parts.extras[FEES] = registration_fees
    blueprints = (schedules.blueprint, stops.blueprint, sessions.blueprint, front_desk.blueprint)
    app = make_app(house.database, tmp_path, switch, *blueprints, parts=parts)
    app.config["WTF_CSRF_ENABLED"] = True
    with listening(app) as url:
        opened = browser_context(viewport={"width": 1440, "height": 900}).new_page()
        opened.goto(f"{url}/backoffice/schedules")
        yield opened


def test_a_year_is_imported_and_one_day_changed(page: Page) -> None:
    page.keyboard.press("c")
    expect(page.locator("h1")).to_contain_text("2026 年日历")
    assert axe(page) == []
    page.get_by_role("button", name="一键导入 2026 年国务院安排").click()
    expect(page.locator("#toasts")).to_contain_text("已更新 39 天")
    expect(page.locator("td[data-kind=holiday]")).to_have_count(33)
    page.get_by_role("link", name="11月23日").click()
    expect(page.locator("#calendar-day")).to_contain_text("11月23日")
    page.get_by_label("名称").fill("院庆")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("已保存 11月23日")
    # Sessions stand on the new holiday already: the page says so.
    expect(page.locator("#main")).to_contain_text("已生成 2 个班次")
    assert axe(page) == []


def test_a_file_is_previewed_before_it_is_taken_over(page: Page) -> None:
    page.keyboard.press("c")
    page.get_by_label("粘贴各行").fill(
        "2027-10-01至2027-10-07,放假,国庆节\n2027-10-09,上班,国庆节,周四"
    )
    page.get_by_role("button", name="预览").click()
    expect(page.locator("#calendar-preview")).to_contain_text("10月9日")
    assert axe(page) == []
    page.get_by_role("button", name="导入这 8 天").click()
    expect(page.locator("#toasts")).to_contain_text("2027 年日历已更新 8 天")


def test_a_template_cell_is_added_and_a_fault_stays_beside_its_field(page: Page) -> None:
    page.keyboard.press("m")
    expect(page.locator(".xl-template-grid .xl-session")).to_have_count(2)
    assert axe(page) == []
    page.get_by_role("link", name="医生0 周二上午 加一班").click()
    form = page.locator("#template-hand")
    form.get_by_label("诊室").select_option(label="一诊室")
    form.get_by_label("挂号费").select_option(index=1)
    form.get_by_label("号数").fill("60")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#f-capacity-error")).to_contain_text("看不完")
    expect(page.get_by_label("号数")).to_have_value("60")
    assert axe(page) == []
    page.get_by_label("号数").fill("12")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("已加入模板")
    expect(page.locator(".xl-template-grid .xl-session")).to_have_count(3)
    page.keyboard.press("v")
    expect(page.locator(".xl-plan")).to_contain_text("医生0")
    assert axe(page) == []


def test_the_heat_map_is_drawn_and_stands_as_a_table_too(page: Page, house: House) -> None:
    house.pay(house.book(0, house.sessions[0, 1]))
    page.keyboard.press("h")
    expect(page.locator("#heat")).to_have_attribute("data-ready", "true")
    expect(page.locator("#heat canvas").first).to_be_visible()
    page.locator("#heat-table summary").click()
    expect(page.locator("#heat-table")).to_contain_text("1/8")
    assert axe(page) == []


def test_the_wizard_in_three_steps_from_a_session(page: Page, house: House) -> None:
    house.pay(house.book(0, house.sessions[0, 1]))
    page.goto(page.url + f"/{house.sessions[0, 1]}")
    assert axe(page) == []
    page.keyboard.press("x")
    expect(page.get_by_label("从哪天")).to_have_value(NEXT.isoformat())
    page.get_by_label("原因").fill("外出会诊")
    assert axe(page) == []
    page.keyboard.press("Control+Enter")
    expect(page.locator("h1")).to_contain_text("核对受影响的患者")
    expect(page.locator("#main")).to_contain_text("停诊并通知 1 人")
    assert axe(page) == []
    page.keyboard.press("Control+Enter")
    expect(page.locator("#stop-visits")).to_contain_text("正在处理")
    house.deliver()
    # The list asks for itself until everybody has been looked after.
    expect(page.locator("#stop-visits")).to_contain_text("等待患者选择")
    assert axe(page) == []
    page.get_by_role("button", name="全部恢复出诊").click()
    expect(page.locator("#stop-visits")).to_contain_text("照常就诊")


def test_a_session_more_is_opened_from_the_week_by_keyboard(page: Page, house: House) -> None:
    page.locator("h1").click()
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="加开")).to_be_visible()
    assert axe(page) == []
    page.get_by_label("医生").select_option(str(house.clinic.practitioner_ids[0]))
    page.get_by_label("日期").fill("2026-11-29")
    page.get_by_label("半天").select_option("pm")
    page.get_by_label("诊室").select_option(str(house.clinic.room_id))
    page.get_by_label("挂号费").select_option("REG-CHIEF")
    page.get_by_label("原因").fill("周末加开")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("已加开，号已放出")).to_be_visible()
