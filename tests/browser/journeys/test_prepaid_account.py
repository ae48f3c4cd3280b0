"""A prepaid account in a real browser, by keyboard: opened, topped up, paid from, given back, frozen, closed."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from backend.billing import queries as bills
from backend.billing.verify import verify_ledger
from tests.browser.journeys.conftest import open_patient
from tests.factories.bills import open_bill
from tests.factories.databases import SYSTEM
from tests.factories.front_desk import VisitWorld
from tests.services.browser import axe


def open_account(page: Page) -> None:
    """From the patient in hand to the account's page, and the account opened."""
    open_patient(page)
    page.keyboard.press("Alt+u")
    expect(page.locator("main")).to_contain_text("还没有预交金账户")
    assert axe(page) == []
    expect(page.get_by_role("button", name="开立账户")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("账户已开立")


def top_up(page: Page, yuan: str) -> None:
    """The amount, then the cash for it on the patient's page."""
    expect(page.get_by_label("充值金额")).to_be_focused()
    page.keyboard.type(yuan)
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("充值单已生成")
    page.keyboard.press("Alt+c")
    page.keyboard.type(yuan)
    page.keyboard.press("Enter")
    expect(page.locator("#due-title + *")).to_contain_text(f"预交金 ¥{yuan}.00")


def balance_fen(world: VisitWorld) -> int:
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []
        found = bills.find_account(session, world.patient_id, hospital_id=world.clinic.hospital_id)
    assert found is not None
    return found.balance_fen


def test_a_balance_pays_a_bill_and_the_rest_goes_back(page: Page, world: VisitWorld) -> None:
    open_account(page)
    assert axe(page) == []
    page.keyboard.type("60000")
    page.keyboard.press("Enter")
    expect(page.locator("form [data-problems]").first).to_contain_text("0.01 元到 50000 元之间")
    expect(page.get_by_label("充值金额")).to_have_value("60000")
    assert axe(page) == []
    page.get_by_label("充值金额").fill("")
    top_up(page, "100")
    assert axe(page) == []

    open_bill(world.database, world.clinic.hospital_id, world.patient_id)
    page.reload()
    page.keyboard.press("Alt+y")
    expect(page.locator("#toasts")).to_contain_text("已从预交金支付 ¥25.00")
    expect(page.locator("#hand")).to_contain_text("没有要缴的费用")

    page.keyboard.press("Alt+u")
    expect(page.locator(".xl-balance")).to_have_text("¥75.00")
    back = page.get_by_label("退回金额")
    back.fill("80")
    page.keyboard.press("Tab")
    page.keyboard.type("不再就诊")
    page.keyboard.press("Enter")
    expect(page.locator("form [data-problems]").nth(1)).to_contain_text("余额不足")
    expect(back).to_have_value("80")
    assert axe(page) == []
    back.fill("")
    back.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("已退回 ¥75.00")
    expect(page.locator(".xl-balance")).to_have_text("¥0.00")
    expect(page.locator("tbody tr")).to_have_count(4)
    assert balance_fen(world) == 0

    page.get_by_role("button", name="关闭账户").press("Enter")
    expect(page.locator("main")).to_contain_text("已关闭")
    assert axe(page) == []
    page.get_by_role("button", name="重新开立账户").press("Enter")
    expect(page.get_by_label("充值金额")).to_be_focused()


def test_a_frozen_account_pays_nothing_until_it_is_lifted(page: Page, world: VisitWorld) -> None:
    open_account(page)
    top_up(page, "30")
    page.keyboard.press("Alt+u")
    reason = page.get_by_label("冻结或解冻的原因")
    reason.fill("卡丢失")
    reason.press("Enter")
    expect(page.locator("main")).to_contain_text("已冻结")
    expect(page.get_by_role("button", name="退回余额")).to_have_count(0)
    assert axe(page) == []
    open_bill(world.database, world.clinic.hospital_id, world.patient_id)
    page.keyboard.press("Alt+n")
    expect(page.get_by_label("收到现金")).to_be_visible()
    expect(page.get_by_role("button", name="预交金支付")).to_have_count(0)
    page.keyboard.press("Alt+u")
    reason.fill("卡找到了")
    reason.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("账户已解除冻结")
    page.keyboard.press("Alt+n")
    page.get_by_role("button", name="预交金支付").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("已从预交金支付 ¥25.00")
    assert balance_fen(world) == 500
