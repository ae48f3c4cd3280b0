"""The payer's phone in a real browser: by hand, by picture, live, and pressed ten times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import segno
from playwright.sync_api import BrowserContext, Page, expect

from backend.billing.ports import TradeState
from backend.wechat.pay import WeChatPayGateway
from tests.contract.wechat.sandbox_process import Sandbox
from tests.services.browser import axe

NUMBER = "XL20261123001"
OpenContext = Callable[..., BrowserContext]


@pytest.fixture
def phone(browser_context: OpenContext) -> Page:
    return browser_context(viewport={"width": 390, "height": 844}).new_page()


def open_order(gateway: WeChatPayGateway, number: str = NUMBER) -> str:
    return gateway.create_native(
        out_trade_no=number,
        amount_fen=38650,
        description="杏林肿瘤医院-检验费、药费",
        expires_at=datetime.now(UTC) + timedelta(minutes=15),
    )


def test_a_picture_is_scanned_and_a_button_hit_ten_times_pays_once(
    phone: Page, sandbox: Sandbox, gateway: WeChatPayGateway, tmp_path: Path
) -> None:
    picture = tmp_path / "qr.png"
    segno.make_qr(open_order(gateway)).save(str(picture), scale=6)
    phone.goto(sandbox.url)
    assert axe(phone) == []
    phone.set_input_files("#picture", picture)
    expect(phone.get_by_role("heading", name="确认付款")).to_be_visible()
    expect(phone.get_by_text("386.50")).to_be_visible()
    assert axe(phone) == []
    phone.get_by_role("button", name="支付").click(click_count=10)
    expect(phone.get_by_role("main").get_by_text("支付成功")).to_be_visible()
    assert axe(phone) == []
    assert gateway.query(NUMBER).state is TradeState.SUCCESS
    assert len(sandbox.get("/sandbox/notifications")["notifications"]) == 1


def test_a_new_order_appears_by_itself_and_may_be_cancelled(
    phone: Page, sandbox: Sandbox, gateway: WeChatPayGateway
) -> None:
    phone.goto(sandbox.url)
    expect(phone.get_by_text("没有待付款的订单")).to_be_visible()
    open_order(gateway)
    phone.get_by_role("link", name="杏林肿瘤医院-检验费、药费").click()
    phone.get_by_role("link", name="取消").click()
    expect(phone.get_by_role("heading", name="待付款")).to_be_visible()
    assert gateway.query(NUMBER).state is TradeState.NOT_PAID


def test_a_wrong_code_says_what_to_do(phone: Page, sandbox: Sandbox) -> None:
    phone.goto(sandbox.url)
    phone.get_by_label("付款码文字").fill("https://example.invalid/")
    phone.get_by_role("button", name="识别").click()
    expect(phone.get_by_role("alert")).to_have_text("这不是付款二维码")
    expect(phone.get_by_text("请扫描收银台或自助机屏幕上的付款码")).to_be_visible()
    assert axe(phone) == []


def test_the_panel_drops_the_next_notification(
    browser_context: OpenContext, sandbox: Sandbox, gateway: WeChatPayGateway
) -> None:
    desk = browser_context(viewport={"width": 1280, "height": 1000}).new_page()
    desk.goto(sandbox.url)
    form = desk.locator("form", has=desk.get_by_role("heading", name="支付通知"))
    form.get_by_label("改为").select_option("drop")
    form.get_by_role("button", name="应用").click()
    expect(form.get_by_text("丢失 · 还有 1 次")).to_be_visible()
    sandbox.pay(open_order(gateway))
    row = desk.get_by_role("row", name="61123001")
    expect(row.get_by_text("已丢弃")).to_be_visible()
    assert axe(desk) == []
