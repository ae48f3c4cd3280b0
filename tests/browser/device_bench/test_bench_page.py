"""The device bench in a real browser: worked by hand, seen by the drivers, clean for axe and the CSP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import segno
from playwright.sync_api import BrowserContext, Page, expect

from hardware_drivers.receipt_printer import Cut, PrintState, Qr, Receipt, Text
from hardware_drivers.registry import open_card_reader, open_id_reader, open_printer, open_scanner
from hardware_drivers.simulators.bench.app import create_app
from hardware_drivers.simulators.bench.devices import KioskDevices, running_devices
from tests.factories.serving import listening
from tests.services.browser import axe

RECEIPT = Receipt(
    (Text("杏林肿瘤医院", scale=2), Text("A012", scale=4), Qr("XL1"), Text("谢谢"), Cut())
)


@dataclass(frozen=True)
class Bench:
    """A running bench and where its first kiosk's devices are."""

    url: str
    kiosk: KioskDevices

    def address(self, device: str) -> str:
        return str(self.kiosk.addresses()[device])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with (
        running_devices(tmp_path, 1, reader_set="test", wait=60) as kiosks,
        listening(create_app(kiosks)) as url,
    ):
        yield Bench(f"{url}/", kiosks[0])


@pytest.fixture
def page(browser_context: Callable[..., BrowserContext], bench: Bench) -> Page:
    page = browser_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.goto(bench.url)
    return page


def test_cards_are_put_and_taken_by_hand(page: Page, bench: Bench) -> None:
    assert axe(page) == []
    id_reader = open_id_reader(bench.address("id_reader"))
    card_reader = open_card_reader(bench.address("card_reader"))
    page.get_by_label("选一张身份证").select_option(index=2)
    page.get_by_role("button", name="放上身份证").click()
    expect(page.locator("[data-state=id-card]")).to_contain_text("周桂兰")
    card = id_reader.wait_for_card(10)
    assert card is not None
    assert card.name == "周桂兰"
    page.get_by_role("button", name="拿走").first.click()
    expect(page.locator("[data-state=id-card]")).to_have_text("没有卡")
    page.get_by_role("button", name="放上就诊卡").click()
    expect(page.locator("[data-state=hospital-card]")).to_contain_text("10000001")
    hospital_card = card_reader.wait_for_card(10)
    assert hospital_card is not None
    assert hospital_card.number == "10000001"
    id_reader.close()
    card_reader.close()


def test_a_wrong_card_is_told_at_its_field_and_what_was_typed_stays(page: Page) -> None:
    page.get_by_text("查看或改写卡面内容").click()
    page.get_by_label("出生日期").fill("1988-13-01")
    page.get_by_role("button", name="放上身份证").click()
    expect(page.get_by_text("出生日期：请填日期")).to_be_visible()
    expect(page.get_by_label("出生日期")).to_have_value("1988-13-01")
    expect(page.get_by_label("出生日期")).to_have_attribute("aria-invalid", "true")
    assert axe(page) == []


def test_a_picture_is_scanned(page: Page, bench: Bench, tmp_path: Path) -> None:
    scanner = open_scanner(bench.address("scanner"))
    assert scanner.is_alive()
    picture = tmp_path / "code.png"
    segno.make_qr("XL20261123A012").save(str(picture), scale=5)
    page.set_input_files("input[type=file]", picture)
    assert scanner.wait_for_code(10) == "XL20261123A012"
    page.get_by_label("码的内容").fill("134567890123456789")
    page.get_by_role("button", name="扫这个码").click()
    assert scanner.wait_for_code(10) == "134567890123456789"
    scanner.close()


def test_paper_runs_out_and_receipts_appear(page: Page, bench: Bench) -> None:
    printer = open_printer(bench.address("printer"))
    expect(page.get_by_text("还没有打印过")).to_be_visible()
    assert printer.print(RECEIPT, "1").state is PrintState.PRINTED
    expect(page.get_by_text("打印完整")).to_be_visible()
    page.get_by_role("radio", name="没纸").check()
    expect(page.locator("[data-state=printer]")).to_have_text("脱机：没纸")
    assert printer.print(RECEIPT, "2").code == "paper_out"
    page.get_by_role("radio", name="充足").check()
    expect(page.locator("[data-state=printer]")).to_have_text("联机")
    with page.expect_response(lambda response: response.request.method == "PUT"):
        page.get_by_label("打印下一张时").select_option(label="打到一半断线")
    outcome = printer.print(RECEIPT, "3")
    assert (outcome.state, outcome.code) == (PrintState.AMBIGUOUS, "connection_lost")
    expect(page.get_by_text("没有打完")).to_be_visible()
    assert axe(page) == []
