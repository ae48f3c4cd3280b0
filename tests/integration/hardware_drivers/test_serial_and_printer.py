"""ID reader and scanner over real ptys, printer over real TCP: driver and simulator meet only on
the wire.
"""

from __future__ import annotations

import io
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pyzbar import pyzbar

from hardware_drivers.errors import PermanentError, TransientError
from hardware_drivers.receipt_printer import (
    Cut,
    PaperState,
    PrintState,
    Qr,
    Receipt,
    ReceiptPrinter,
    Row,
    Rule,
    Text,
)
from hardware_drivers.receipt_printer.escpos import EscPosPrinter
from hardware_drivers.registry import open_id_reader, open_printer, open_scanner
from hardware_drivers.simulators.id_reader import Fault, IdReaderOnPty, Layout, PrintedCard
from hardware_drivers.simulators.printer.mechanism import PrinterState, PrintFault, Roll
from hardware_drivers.simulators.printer.server import PrinterSimulator
from hardware_drivers.simulators.scanner import ScannerSimulator
from hardware_drivers.transports.tcp import TcpTransport

CARD = PrintedCard(
    name="买买提·吐尔逊江",
    sex="1",
    ethnic_group="05",
    birth_date="19491231",
    address="新疆维吾尔自治区乌鲁木齐市",
    number="11010519491231002X",
    authority="公安局",
    valid_from="20180601",
    valid_until="20380601",
)
RECEIPT = Receipt(
    (
        Text("杏林肿瘤医院", align="center", is_bold=True, scale=2),
        Text("挂号凭条", align="center"),
        Rule(),
        Row("姓名", "张*三"),
        Row("金额", "¥25.00"),
        Qr("http://127.0.0.1:8000/t/token"),
        Cut(),
    )
)


def test_id_card_over_a_serial_line(id_reader: IdReaderOnPty) -> None:
    reader = open_id_reader(id_reader.port.url)
    assert reader.is_alive()
    assert reader.wait_for_card(0) is None
    putting = threading.Timer(0.1, id_reader.reader.put, [CARD])
    putting.start()
    card = reader.wait_for_card(10)
    assert card is not None
    assert (card.name, card.number) == (CARD.name, CARD.number)
    assert len(card.photo) == 1024
    with pytest.raises(TransientError) as caught:
        reader.read()
    assert caught.value.code == "no_card"
    reader.close()


@pytest.mark.parametrize("fault", [Fault.TORN, Fault.CHECKSUM])
def test_a_damaged_frame_is_read_again(id_reader: IdReaderOnPty, fault: Fault) -> None:
    id_reader.reader.put(CARD)
    id_reader.reader.set_fault(fault)
    reader = open_id_reader(id_reader.port.url)
    assert reader.read().name == CARD.name
    reader.close()


def test_a_card_lifted_in_mid_read(id_reader: IdReaderOnPty) -> None:
    id_reader.reader.put(CARD)
    id_reader.reader.set_fault(Fault.LIFT)
    reader = open_id_reader(id_reader.port.url)
    with pytest.raises(TransientError) as caught:
        reader.read()
    assert caught.value.code == "card_removed"
    id_reader.reader.put(CARD)
    assert reader.read().name == CARD.name
    reader.close()


def test_other_documents_are_named(id_reader: IdReaderOnPty) -> None:
    reader = open_id_reader(id_reader.port.url)
    for layout, code in [
        (Layout.FOREIGNER, "foreigner_card"),
        (Layout.HMT_RESIDENT, "hmt_resident_card"),
    ]:
        id_reader.reader.put(replace(CARD, layout=layout))
        with pytest.raises(PermanentError) as caught:
            reader.read()
        assert caught.value.code == code
    reader.close()


def test_a_reader_unplugged_and_plugged_in_again(tmp_path: Path) -> None:
    far_end = IdReaderOnPty(tmp_path / "id")
    reader = open_id_reader(far_end.port.url)
    assert reader.is_alive()
    far_end.close()
    assert not reader.is_alive()
    with pytest.raises(TransientError):
        reader.read()
    far_end = IdReaderOnPty(tmp_path / "id")
    far_end.reader.put(CARD)
    assert reader.read().name == CARD.name
    reader.close()
    far_end.close()


def test_scanner_line(scanner: ScannerSimulator) -> None:
    driver = open_scanner(scanner.port.url)
    assert driver.is_alive()
    assert scanner.scan("XL1 你好")
    assert driver.wait_for_code(10) == "XL1 你好"
    scanner.scan("OLD")
    assert driver.wait_for_code(10) == "OLD"
    assert driver.wait_for_code(0) is None
    with pytest.raises(ValueError):
        scanner.scan("a\rb")
    driver.close()


def test_a_receipt_a_person_and_a_phone_can_read(printer: PrinterSimulator) -> None:
    driver = open_printer(printer.url)
    assert driver.status().problem is None
    assert driver.print(RECEIPT, "job-1").state is PrintState.PRINTED
    (receipt,) = printer.mechanism.receipts()
    assert receipt.complete
    assert "挂号凭条" in receipt.text
    assert receipt.text.splitlines()[4].endswith("￥25.00")
    picture = Image.open(io.BytesIO(receipt.png))
    assert [code.data for code in pyzbar.decode(picture)] == [b"http://127.0.0.1:8000/t/token"]
    assert picture.width > 576


@pytest.mark.parametrize(
    ("state", "code"),
    [(PrinterState(paper=Roll.OUT), "paper_out"), (PrinterState(cover_open=True), "cover_open")],
)
def test_paper_out_before_a_print_is_safe_to_repeat(
    printer: PrinterSimulator, state: PrinterState, code: str
) -> None:
    driver = open_printer(printer.url)
    printer.mechanism.set_state(state)
    outcome = driver.print(RECEIPT, "job-1")
    assert (outcome.state, outcome.code) == (PrintState.FAILED, code)
    assert printer.mechanism.receipts() == []
    printer.mechanism.set_state(PrinterState(paper=Roll.NEAR_END))
    again = driver.print(RECEIPT, "job-1")
    assert again.state is PrintState.PRINTED
    assert again.status is not None
    assert again.status.paper is PaperState.NEAR_END


def short(printer: PrinterSimulator) -> ReceiptPrinter:
    """A driver that does not wait long for what will not come."""
    return EscPosPrinter(
        TcpTransport("127.0.0.1", printer.port), status_timeout=0.3, confirm_timeout=1
    )


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (PrintFault.PAPER_OUT, "paper_out"),
        (PrintFault.COVER_OPEN, "cover_open"),
        (PrintFault.JAM, "cutter_error"),
        (PrintFault.CONNECTION, "connection_lost"),
    ],
)
def test_what_stops_a_print_leaves_it_ambiguous(
    printer: PrinterSimulator, fault: PrintFault, code: str
) -> None:
    printer.mechanism.set_state(PrinterState(fail_during_next=fault))
    outcome = short(printer).print(RECEIPT, "job-1")
    assert (outcome.state, outcome.code) == (PrintState.AMBIGUOUS, code)
    assert [receipt.complete for receipt in printer.mechanism.receipts()] == [False]


def test_a_printer_without_confirmation_ends_ambiguous(printer: PrinterSimulator) -> None:
    printer.mechanism.set_state(PrinterState(no_confirmation=True))
    outcome = short(printer).print(RECEIPT, "job-1")
    assert (outcome.state, outcome.code) == (PrintState.AMBIGUOUS, "no_confirmation")
    assert printer.mechanism.receipts()[0].complete


def test_a_printer_switched_off_or_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        driver = EscPosPrinter(TcpTransport(*silent.getsockname()), status_timeout=0.2)
        outcome = driver.print(RECEIPT, "job-1")
        assert (outcome.state, outcome.code) == (PrintState.FAILED, "unreachable")
    assert driver.print(RECEIPT, "job-1").state is PrintState.FAILED


def test_several_threads_print_one_after_the_other(printer: PrinterSimulator) -> None:
    driver = open_printer(printer.url)
    states = []
    threads = [
        threading.Thread(target=lambda i=i: states.append(driver.print(RECEIPT, f"job-{i}").state))
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states == [PrintState.PRINTED] * 4
    assert len(printer.mechanism.receipts()) == 4
