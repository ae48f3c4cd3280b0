"""Counting a drawer and explaining a difference in a real browser: sums while typing, errors in place, axe, CSP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from backend.billing import service
from backend.billing.backoffice import days, reconciliation, shifts
from backend.indicators import backoffice as indicators
from backend.kernel.clock import FixedClock, at_local
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor, ActorKind, Permission
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.billing import make_world, paid
from tests.factories.channel_bills import ScriptedBills, line, reconcile
from tests.factories.serving import listening
from tests.factories.webapp import ActorSwitch, make_app, staff_actor
from tests.services.browser import axe

DAY = dt.date(2026, 11, 23)
AT = at_local(DAY, dt.time(9, 30))


@contextmanager
def served(database: Database, folder: Path, switch: ActorSwitch, *others: Any) -> Iterator[str]:
    """The money pages, and others, on a port of their own."""
    pages = (shifts, days, reconciliation, *others)
    parts = Parts(nav=tuple(item for page in pages for item in page.NAV))
    app = make_app(database, folder, switch, *(page.blueprint for page in pages), parts=parts)
    app.config["WTF_CSRF_ENABLED"] = True
    with listening(app) as url:
        yield f"{url}/backoffice"


def test_the_share_of_self_service_as_a_picture_with_its_table(
    sqlite_database: Database,
    tmp_path: Path,
    browser_context: Callable[..., BrowserContext],
    clock: FixedClock,
) -> None:
    world, switch = make_world(sqlite_database), ActorSwitch()
    switch.actor = staff_actor(world.hospital_id, Permission.INDICATORS_SHARE_READ)
    kiosk = Actor(ActorKind.DEVICE, id=Id(int=1), hospital_id=world.hospital_id, label="K01")
    with sqlite_database.write(kiosk) as session:
        invoice = world.bill_in(session, "REG-ASSOC")
        service.pay_cash(session, invoice_id=invoice.id, received_fen=2500)
    clock.advance(dt.timedelta(days=1))
    with served(sqlite_database, tmp_path, switch, indicators) as url:
        page = open_page(browser_context)
        page.goto(f"{url}/indicators?days=7")
        expect(page.locator("[data-chart] canvas")).to_have_count(2)
        page.locator("summary").first.click()
        expect(page.get_by_role("table").first).to_contain_text("100.0%")
        assert axe(page) == []


def open_page(browser_context: Callable[..., BrowserContext]) -> Page:
    return browser_context(viewport={"width": 1440, "height": 900}).new_page()


def test_a_drawer_is_counted_by_keyboard_and_closed(
    sqlite_database: Database, tmp_path: Path, browser_context: Callable[..., BrowserContext]
) -> None:
    world, switch = make_world(sqlite_database), ActorSwitch()
    switch.actor = staff_actor(
        world.hospital_id, Permission.BILLING_SHIFT_CLOSE, account_id=Id(int=9)
    )
    with sqlite_database.write(switch.actor) as session:
        invoice = world.bill_in(session, "REG-ASSOC")
        service.pay_cash(session, invoice_id=invoice.id, received_fen=10000)
    with served(sqlite_database, tmp_path, switch) as url:
        page = open_page(browser_context)
        page.goto(f"{url}/shift")
        assert axe(page) == []
        expect(page.locator("[data-difference]")).to_have_text("-¥25.00")
        page.locator("#pieces-2000").fill("1")
        expect(page.locator("[data-counted]")).to_have_text("¥20.00")
        expect(page.locator("[data-difference]")).to_have_text("-¥5.00")
        page.locator("#f-float").fill("10.5")
        expect(page.locator("[data-counted]")).to_have_text("¥9.50")
        page.locator("#f-float").fill("")
        page.locator("#f-handed_to").fill("鄢丽丽")
        page.keyboard.press("Control+Enter")
        expect(page.locator("form [data-problems]")).to_contain_text("请写明长短款的原因")
        expect(page.locator("#pieces-2000")).to_have_value("1")
        assert axe(page) == []
        page.locator("#f-reason").fill("找零多付五元")
        page.keyboard.press("Control+Enter")
        expect(page.locator("h1")).to_have_text("收费员交款单")
        expect(page.locator("main")).to_contain_text("找零多付五元")
        assert axe(page) == []


def test_a_difference_is_explained(
    sqlite_database: Database,
    tmp_path: Path,
    browser_context: Callable[..., BrowserContext],
    clock: FixedClock,
) -> None:
    world, switch, source = make_world(sqlite_database), ActorSwitch(), ScriptedBills()
    switch.actor = staff_actor(
        world.hospital_id,
        Permission.BILLING_RECONCILIATION_READ,
        Permission.BILLING_CASE_CLOSE,
        Permission.BILLING_DAY_CLOSE,
    )
    _id, number = world.start_qr(world.bill("REG-ASSOC"), 2500)
    world.report(paid(number, 2500, AT))
    source.add(DAY, line(number, 2600, AT))
    clock.set(at_local(DAY + dt.timedelta(days=1), dt.time(10, 5)))
    reconcile(world, source, DAY)
    with served(sqlite_database, tmp_path, switch) as url:
        page = open_page(browser_context)
        page.goto(f"{url}/reconciliation")
        assert axe(page) == []
        page.locator("[data-open]").first.click()
        expect(page.locator("main")).to_contain_text("金额不一致")
        assert axe(page) == []
        page.get_by_placeholder("差异原因与处理结果").fill("渠道多收一元，已退")
        page.get_by_role("button", name="结案").click()
        expect(page.locator("main")).to_contain_text("渠道多收一元，已退")
        expect(page.locator("main")).to_contain_text("1 件差异已说明")
        page.goto(f"{url}/day-close/{DAY}")
        expect(page.locator("#close-day")).to_be_visible()
        assert axe(page) == []
        page.keyboard.press("Control+Enter")
        expect(page.locator("main")).to_contain_text("数字不再变化")
        page.goto(f"{url}/day-close")
        assert axe(page) == []
