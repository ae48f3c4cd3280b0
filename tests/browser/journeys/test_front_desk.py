"""The front desk in a real browser, by keyboard alone: from finding to giving back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from backend.billing import queries as bills
from backend.billing import service as billing
from tests.browser.journeys.conftest import open_patient
from tests.factories.databases import SYSTEM
from tests.factories.front_desk import PHONE, VisitWorld
from tests.factories.people import id_number
from tests.services.browser import axe


def test_a_search_by_name_survives_going_back(page: Page) -> None:
    """Sent words lead to an address that says nothing of them; typing again replaces what was found."""
    page.locator("[data-search]").press_sequentially("wj", delay=20)
    expect(page.locator("[data-item]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"\?s="))
    assert "wj" not in page.url.partition("?s=")[0]
    page.locator("[data-open]").first.click()
    expect(page.locator(".xl-patient-name")).to_have_text("王建国")
    page.go_back()
    expect(page.locator("[data-item]")).to_have_count(1)
    expect(page.locator("[data-search]")).to_have_value("wj")


def test_why_somebody_cannot_book_is_said_rule_by_rule(page: Page, world: VisitWorld) -> None:
    open_patient(page)
    book(page)
    asked = page.locator("#sessions [data-item] a").first
    asked.focus()
    page.keyboard.press("Enter")
    why = page.locator("#why")
    expect(why).to_contain_text("您在这位医生的这个半天已经有号了")
    expect(why.get_by_text("不能挂")).to_have_count(3)
    assert axe(page) == []


def book(page: Page) -> None:
    """By the doctor's name, ↓ and Enter."""
    page.keyboard.press("Alt+b")
    page.keyboard.type("医生1")
    expect(page.locator("#sessions [data-item]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#visits-title + *, .xl-visit")).to_contain_text(["待支付"])


def test_a_visit_by_keyboard_alone(page: Page) -> None:
    expect(page.locator("[data-search]")).to_be_focused()
    assert axe(page) == []
    open_patient(page)
    assert axe(page) == []
    book(page)
    assert axe(page) == []

    # After booking the cash field has the focus; too little is said in place and the figure stays.
    cash = page.get_by_label("收到现金")
    expect(cash).to_be_focused()
    page.keyboard.type("20")
    expect(page.locator("[data-change]")).to_have_text("还差 ¥5.00")
    page.keyboard.press("Enter")
    expect(page.locator(".xl-bill [data-problems]")).to_contain_text("少于应付金额")
    expect(cash).to_have_value("20")
    cash.fill("100")
    expect(page.locator("[data-change]")).to_have_text("找零 ¥75.00")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("找零 ¥75.00")
    expect(page.locator(".xl-visit")).to_contain_text("待报到")

    page.keyboard.press("Alt+r")
    expect(page.locator(".xl-visit")).to_contain_text("候诊中 A001")
    expect(page.locator(".xl-ticket")).to_contain_text("前面 0 人")
    assert axe(page) == []

    page.get_by_text("退号…").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("请退还现金 ¥25.00")
    expect(page.locator(".xl-visit")).to_contain_text("已退号")


def test_a_qr_code_is_paid_while_it_is_shown(page: Page, world: VisitWorld) -> None:
    open_patient(page)
    book(page)
    page.keyboard.press("Alt+q")
    expect(page.locator(".xl-qr")).to_contain_text("正在生成付款码")
    with world.database.read(SYSTEM) as session:
        bill = bills.list_open_invoices(session, world.patient_id)[0]
        payment = bills.list_payments(session, bill.id)[0]
    with world.database.write(SYSTEM) as session:
        billing.store_code(session, payment.id, "weixin://wxpay/bizpayurl?pr=1")
    expect(page.locator(".xl-qr img")).to_be_visible()
    assert axe(page) == []
    world.report_paid(payment.out_trade_no or "")
    expect(page.locator("#toasts")).to_contain_text("支付成功")
    expect(page.locator(".xl-visit")).to_contain_text("待报到")


def test_registering_somebody_new_and_seeing_the_number(page: Page) -> None:
    page.keyboard.type("李四")
    expect(page.locator("#results")).to_contain_text("没有找到这位患者")
    page.get_by_role("link", name="新建档案").last.press("Enter")
    expect(page.get_by_label("姓名")).to_have_value("李四")
    assert axe(page) == []
    page.get_by_label("证件号码").fill("110105196005040011")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".xl-field-error")).to_contain_text("身份证号码有误")
    expect(page.get_by_label("姓名")).to_have_value("李四")
    expect(page.get_by_label("证件号码")).to_be_focused()
    assert axe(page) == []
    page.get_by_label("证件号码").fill(id_number(7))
    page.get_by_label("手机号码").fill("13912345678")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".xl-patient-name")).to_have_text("李四")
    expect(page.locator(".xl-patient")).to_contain_text("139****5678")
    page.get_by_role("button", name="显示完整电话").press("Enter")
    expect(page.locator(".xl-patient")).to_contain_text("13912345678")
    assert PHONE not in page.content()


def test_paper(page: Page, world: VisitWorld) -> None:
    visit = world.booked()
    ticket_id = world.check_in(visit)
    base = f"{page.url}/patients/{world.patient_id}"
    page.goto(f"{base}/tickets/{ticket_id}/print")
    expect(page.locator(".xl-paper")).to_contain_text("A001")
    assert axe(page) == []
    page.goto(f"{base}/invoices/{visit.invoice.id}/print")
    expect(page.locator(".xl-paper")).to_contain_text("¥25.00")
    assert axe(page) == []
