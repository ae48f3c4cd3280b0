"""Parts of a paid bill go back in a real browser, by keyboard: how much of which line, refused in place, then all."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import InvoiceState
from backend.billing.verify import verify_ledger
from backend.journeys import settlement
from backend.kernel.ids import Id
from tests.browser.journeys.conftest import open_patient
from tests.factories.bills import open_bill
from tests.factories.databases import SYSTEM
from tests.factories.front_desk import VisitWorld
from tests.services.browser import axe


@pytest.fixture
def bill(world: VisitWorld) -> Id:
    """A blood count at ¥25, paid in cash."""
    invoice_id = open_bill(world.database, world.clinic.hospital_id, world.patient_id)
    with world.database.write(SYSTEM) as session:
        settlement.pay_cash(session, invoice_id=invoice_id, received_fen=2500)
    return invoice_id


def open_refund(page: Page) -> None:
    """From the patient's latest bills."""
    page.get_by_role("link", name="的费").press("Enter")
    expect(page.locator("h1")).to_have_text("退费")


def state_of(world: VisitWorld, invoice_id: Id) -> InvoiceState:
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []
        return bills.get_invoice(session, invoice_id).state


def test_a_part_of_a_line_then_the_rest(page: Page, world: VisitWorld, bill: Id) -> None:
    open_patient(page)
    open_refund(page)
    assert axe(page) == []
    amount = page.get_by_label("退 血常规（五分类）（元）")
    expect(amount).to_be_focused()
    page.keyboard.type("25.01")
    page.keyboard.press("Tab")
    expect(page.get_by_label("退费原因")).to_be_focused()
    page.keyboard.type("误开")
    page.keyboard.press("Enter")
    expect(page.locator("form [data-problems]")).not_to_be_empty()
    expect(amount).to_have_value("25.01")
    expect(page.get_by_label("退费原因")).to_have_value("误开")
    assert axe(page) == []

    amount.fill("5")
    amount.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("退费已办：现金 ¥5.00")
    expect(page.locator("#bills-title")).to_be_visible()
    assert state_of(world, bill) is InvoiceState.PART_REFUNDED
    assert axe(page) == []

    open_refund(page)
    expect(page.locator("main")).to_contain_text("误开")
    page.get_by_label("退费原因").fill("不做了")
    page.get_by_role("button", name="全部退").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("退费已办：现金 ¥20.00")
    assert state_of(world, bill) is InvoiceState.REFUNDED
    expect(page.get_by_role("link", name="的费")).to_have_count(0)


def test_what_was_done_cannot_be_chosen(page: Page, world: VisitWorld, bill: Id) -> None:
    with world.database.write(SYSTEM) as session:
        line = bills.get_invoice(session, bill).lines[0]
        billing.mark_executed(session, source_kind="order", source_id=line.source_id)
    open_patient(page)
    open_refund(page)
    expect(page.get_by_label("退 血常规（五分类）（元）")).to_be_disabled()
    assert axe(page) == []
    page.get_by_label("退费原因").fill("误开")
    page.get_by_role("button", name="全部退").press("Enter")
    expect(page.locator("form [data-problems]")).to_contain_text("撤销执行")
    assert state_of(world, bill) is InvoiceState.PAID
