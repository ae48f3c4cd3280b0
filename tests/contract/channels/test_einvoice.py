"""The bill platform over the wire: issue, find, write off, and what is not believed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from backend.billing.ports import GatewayRefused, GatewayUnknown
from backend.billing.ports.einvoice import EInvoiceLine, EInvoiceOrder
from backend.channels.einvoice import EInvoicePlatform, load_einvoice_file, signature
from tests.contract.wechat.sandbox_process import Sandbox, http

AT = dt.datetime(2026, 11, 23, 1, 30, tzinfo=dt.UTC)
ORDER = EInvoiceOrder(
    "B1",
    "张*三",
    AT,
    (EInvoiceLine("REG", "挂号费", 1, 1000), EInvoiceLine("CBC", "血常规", 2, 4000)),
)


@pytest.fixture
def platform(sandbox: Sandbox) -> EInvoicePlatform:
    path = sandbox.directory / "einvoice.json"
    return EInvoicePlatform(lambda: load_einvoice_file(path))


def fault(sandbox: Sandbox, mode: str, service: str) -> None:
    sandbox.put("/sandbox/faults", einvoice=mode, operation=service, count=1)


def test_the_sign_is_the_platforms() -> None:
    # printf 'appid=A&data=e30=&noise=N&key=K&version=1.0' | md5sum
    assert signature("A", "K", "e30=", "N") == "ACCA8D20B8B55AD93B8EA2B63D7B684C"


def test_a_bill_is_issued_once_found_and_shown(platform: EInvoicePlatform) -> None:
    assert platform.find("B1") is None
    bill = platform.issue(ORDER)
    assert bill.total_fen == 5000
    assert platform.issue(ORDER) == bill
    assert platform.find("B1") == bill
    page = http("GET", bill.url)
    assert page.status_code == 200
    assert "血常规" in page.text
    assert "已冲红" not in page.text
    assert http("GET", bill.url[:-1] + "x").status_code == 404


def test_a_bill_is_written_off_once(platform: EInvoicePlatform) -> None:
    bill = platform.issue(ORDER)
    red = platform.write_off(bill, number="B1", reason="退费")
    assert red.red_number
    assert platform.write_off(bill, number="B1", reason="退费") == red
    assert "已冲红" in http("GET", bill.url).text


def test_another_sum_under_the_same_number_is_refused(platform: EInvoicePlatform) -> None:
    platform.issue(ORDER)
    with pytest.raises(GatewayRefused, match="E0106"):
        platform.issue(replace(ORDER, lines=ORDER.lines[:1]))
    with pytest.raises(GatewayRefused, match="E0107"):
        platform.write_off(replace(platform.issue(ORDER), number="0"), number="B1", reason="退费")


@pytest.mark.parametrize("mode", ["silent", "swallow"])
def test_a_lost_answer_is_found_out_by_asking(
    mode: str, platform: EInvoicePlatform, sandbox: Sandbox
) -> None:
    fault(sandbox, mode, "invoiceEBillOutpatient")
    with pytest.raises(GatewayUnknown):
        platform.issue(ORDER)
    assert (platform.find("B1") is None) is (mode == "swallow")


def test_an_account_that_is_not_ours_is_refused_unbelievably(platform: EInvoicePlatform) -> None:
    stranger = EInvoicePlatform(lambda: replace(platform.config, key="0" * 32))
    with pytest.raises(GatewayUnknown, match="wrong sign"):
        stranger.find("B1")
