"""The electronic bill that a payer opens by its code, on a phone: as issued, and written off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from backend.billing.ports.einvoice import EInvoiceLine, EInvoiceOrder
from backend.channels.einvoice import EInvoicePlatform, load_einvoice_file
from tests.contract.wechat.sandbox_process import Sandbox
from tests.services.browser import axe

ORDER = EInvoiceOrder(
    "B1",
    "尼***曼",
    dt.datetime(2026, 11, 23, 1, 30, tzinfo=dt.UTC),
    (
        EInvoiceLine("CT", "胸部CT增强扫描（含对比剂）", 1, 120576),
        EInvoiceLine("DRG", "注射用紫杉醇（白蛋白结合型）100 mg", 12, 4000),
    ),
)


def test_a_bill_fits_a_phone(
    browser_context: Callable[..., BrowserContext], sandbox: Sandbox
) -> None:
    platform = EInvoicePlatform(lambda: load_einvoice_file(sandbox.directory / "einvoice.json"))
    bill = platform.issue(ORDER)
    phone = browser_context(viewport={"width": 390, "height": 844}).new_page()
    phone.goto(bill.url)
    expect(phone.get_by_role("row", name="胸部CT增强扫描")).to_be_visible()
    assert axe(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    platform.write_off(bill, number="B1", reason="退费")
    phone.reload()
    expect(phone.get_by_role("status")).to_contain_text("已冲红")
    assert axe(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
