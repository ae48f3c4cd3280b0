"""The editors of the price list in a real browser, by keyboard: plan, cancel, undo, a stale form, an import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from backend.billing.backoffice import prices
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.billing import make_world
from tests.factories.serving import listening
from tests.factories.webapp import ActorSwitch, make_app, staff_actor
from tests.services.browser import axe

ROWS = (
    "编码,名称,单位,类别,单价,生效日期\n"
    "CT-CHEST,胸部CT平扫,次,放射影像,230,2026-12-20\n"
    "NEW-1,全身正电子发射断层显像及低剂量计算机断层扫描融合成像（含显像剂制备）,次,核医学,7000,\n"
)


@pytest.fixture
def page(
    sqlite_database: Database, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> Iterator[Page]:
    """The price list of a price clerk."""
    world = make_world(sqlite_database)
    switch = ActorSwitch()
    switch.actor = staff_actor(
        world.hospital_id, Permission.BILLING_PRICE_READ, Permission.BILLING_PRICE_WRITE
    )
    app = make_app(sqlite_database, tmp_path, switch, prices.blueprint, parts=Parts(nav=prices.NAV))
    app.config["WTF_CSRF_ENABLED"] = True
    with listening(app) as url:
        opened = browser_context(viewport={"width": 1440, "height": 900}).new_page()
        opened.goto(f"{url}/backoffice/prices")
        yield opened


def test_a_price_is_planned_cancelled_and_brought_back(page: Page) -> None:
    assert axe(page) == []
    page.get_by_role("link", name="CT-CHEST").press("Enter")
    page.locator("#f-price").fill("200")
    page.locator("#f-effective_from").fill("2026-12-01")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("调价已登记")
    assert axe(page) == []
    page.get_by_role("button", name="取消 2026-12-01 的调价").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("已取消这次调价")
    page.keyboard.press("Alt+z")
    expect(page.locator("#toasts")).to_contain_text("已恢复这次调价")
    expect(page.get_by_role("button", name="取消 2026-12-01 的调价")).to_be_visible()


def test_a_stale_form_says_what_the_other_changed(page: Page) -> None:
    page.get_by_role("link", name="CT-CHEST").press("Enter")
    expect(page.locator("#f-name")).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)
    other.locator("#f-unit").fill("部位")
    other.keyboard.press("Enter")
    expect(other.locator("#toasts")).to_contain_text("已保存")
    page.locator("#f-name").fill("胸部CT平扫（低剂量）")
    page.keyboard.press("Enter")
    alert = page.get_by_role("alert").filter(has_text="别人已经修改过")
    expect(alert).to_contain_text("部位")
    expect(page.locator("#f-name")).to_have_value("胸部CT平扫（低剂量）")
    assert axe(page) == []


def test_an_import_is_previewed_and_confirmed_by_keyboard(page: Page) -> None:
    page.keyboard.press("n")
    expect(page.locator("#f-code")).to_be_focused()
    assert axe(page) == []
    page.goto(page.url.replace("/new", "/import"))
    page.locator("#f-text").fill(ROWS.replace("230", "二百"))
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("1 行有错误")
    assert axe(page) == []
    page.get_by_role("link", name="重新选择").press("Enter")
    page.locator("#f-text").fill(ROWS)
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("会有的变化")
    assert axe(page) == []
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("2 个项目有变化")
