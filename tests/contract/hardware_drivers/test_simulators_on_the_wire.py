"""The far ends of the wires against the same literal bytes as the drivers, never against the
drivers themselves.
"""

from __future__ import annotations

import io

import pytest
from escpos.printer import Dummy
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pyzbar import pyzbar

from hardware_drivers.simulators.cards import HealthCard, MifareCard
from hardware_drivers.simulators.id_reader import Fault, IdReaderSimulator, Layout, PrintedCard
from hardware_drivers.simulators.printer.commands import CommandStream
from hardware_drivers.simulators.printer.mechanism import (
    ConnectionBrokenError,
    PrinterMechanism,
    PrinterState,
    PrintFault,
    Roll,
)
from tests.contract.hardware_drivers import vectors

CARD = PrintedCard(
    name="张三",
    sex="1",
    ethnic_group="01",
    birth_date="19491231",
    address="北京市朝阳区安定路1号",
    number="11010519491231002X",
    authority="北京市公安局朝阳分局",
    valid_from="20180601",
    valid_until="长期",
)
LINE = "杏林".encode("gb18030") + b"\n"


def reader_with_card() -> IdReaderSimulator:
    reader = IdReaderSimulator()
    reader.put(CARD)
    return reader


def read_all(reader: IdReaderSimulator) -> list[bytes]:
    return [
        answer
        for command in (vectors.FIND, vectors.SELECT, vectors.READ)
        for answer in reader.receive(command)
    ]


def test_id_reader_answers_with_the_frames_of_the_standard() -> None:
    assert read_all(reader_with_card()) == [
        vectors.FOUND,
        vectors.SELECTED,
        vectors.read_answer(vectors.text_block()),
    ]


def test_id_reader_finds_no_card_twice_until_it_is_lifted() -> None:
    reader = reader_with_card()
    read_all(reader)
    assert reader.receive(vectors.FIND) == [vectors.NO_CARD]
    reader.lift()
    assert reader.receive(vectors.FIND) == [vectors.NO_CARD]
    reader.put(CARD)
    assert reader.receive(vectors.FIND) == [vectors.FOUND]


def test_id_reader_refuses_steps_out_of_order_and_damaged_commands() -> None:
    assert IdReaderSimulator().receive(vectors.SELECT) == [vectors.SELECT_FAILED]
    assert reader_with_card().receive(vectors.READ) == [vectors.READ_FAILED]
    assert IdReaderSimulator().receive(vectors.FIND[:-1] + b"\x00") == [vectors.BAD_CHECKSUM]


@given(st.lists(st.integers(1, 9), max_size=12), st.binary(max_size=6))
def test_id_reader_takes_commands_in_any_pieces_after_any_noise(
    cuts: list[int], noise: bytes
) -> None:
    data = noise.replace(b"\xaa", b"") + vectors.FIND
    reader, answers = reader_with_card(), []
    for size in [*cuts, len(data)]:
        answers += reader.receive(data[:size])
        data = data[size:]
    assert answers == [vectors.FOUND]


def test_id_reader_faults_strike_once() -> None:
    whole = vectors.read_answer(vectors.text_block())
    for fault, answer in [
        (Fault.TORN, whole[: len(whole) // 2]),
        (Fault.LIFT, vectors.READ_FAILED),
    ]:
        reader = reader_with_card()
        reader.set_fault(fault)
        assert read_all(reader)[2] == answer
        assert reader.fault is None
    reader = reader_with_card()
    reader.set_fault(Fault.CHECKSUM)
    damaged = read_all(reader)[2]
    assert [a == b for a, b in zip(damaged, whole, strict=True)].count(False) == 1
    assert reader.receive(vectors.READ) == [whole]


@pytest.mark.parametrize(
    ("layout", "letter"), [(Layout.FOREIGNER, "I"), (Layout.HMT_RESIDENT, "J")]
)
def test_other_documents_carry_their_letter(layout: Layout, letter: str) -> None:
    card = PrintedCard(**{**CARD.__dict__, "layout": layout})
    assert card.to_bytes() == vectors.text_block(letter=letter)


def test_contactless_card_answers_pcsc_part_3() -> None:
    card = MifareCard(bytes.fromhex("04A1B2C3"), "H00012345")
    assert card.answer(vectors.GET_UID) == bytes.fromhex("04A1B2C3 9000")
    assert card.answer(vectors.READ_4) == bytes.fromhex("6982")
    assert card.answer(vectors.LOAD_KEY) == bytes.fromhex("9000")
    assert card.answer(vectors.AUTHENTICATE_4) == bytes.fromhex("9000")
    assert card.answer(vectors.READ_4) == b"H00012345".ljust(16, b"\x00") + bytes.fromhex("9000")
    card.reset()
    assert card.answer(vectors.AUTHENTICATE_4) == bytes.fromhex("6300")
    assert card.answer(bytes.fromhex("00 A4 04 00 00")) == bytes.fromhex("6E00")


def test_contact_card_answers_iso_7816_4() -> None:
    card = HealthCard("A123456789")
    assert card.answer(bytes.fromhex("00 B0 00 00 20")) == bytes.fromhex("6986")
    assert card.answer(bytes.fromhex("00 A4 00 00 02 EF 05")) == bytes.fromhex("6A82")
    assert card.answer(bytes.fromhex("00 A4 04 00 07 D1 56 00 00 02 57 74")) == bytes.fromhex(
        "610B"
    )
    assert card.answer(bytes.fromhex("00 C0 00 00 0B")).endswith(bytes.fromhex("9000"))
    assert card.answer(bytes.fromhex("00 A4 00 00 02 EF 05")) == bytes.fromhex("6106")
    assert card.answer(bytes.fromhex("00 B0 00 10 20")) == bytes.fromhex("6C10")
    assert card.answer(bytes.fromhex("00 B0 00 00 0A")) == b"A123456789" + bytes.fromhex("9000")


@pytest.mark.parametrize(
    ("state", "answer"),
    [
        (PrinterState(), "12 12 12 12"),
        (PrinterState(paper=Roll.NEAR_END), "12 12 12 1E"),
        (PrinterState(paper=Roll.OUT), "1A 32 12 7E"),
        (PrinterState(cover_open=True), "1A 16 12 12"),
        (PrinterState(is_jammed=True), "1A 52 1A 12"),
    ],
)
def test_printer_status_bytes(state: PrinterState, answer: str) -> None:
    printer = PrinterMechanism()
    printer.set_state(state)
    assert printer.receive(b"".join(vectors.ASK_STATUS)) == bytes.fromhex(answer)


def test_printer_confirms_a_job_with_its_own_four_bytes() -> None:
    printer = PrinterMechanism()
    job = b"\x1b@\x1c&" + LINE + b"\x1dVB\x00" + vectors.CONFIRM_HEAD + b"ABCD"
    assert printer.receive(job) == bytes.fromhex("37 22 41 42 43 44 00")
    (receipt,) = printer.receipts()
    assert (receipt.text, receipt.complete) == ("杏林", True)


def test_printer_without_chinese_mode_prints_rubbish_as_a_real_one_does() -> None:
    printer = PrinterMechanism()
    printer.receive(b"\x1b@" + LINE + b"\x1dV\x00")
    assert "杏林" not in printer.receipts()[0].text


def test_printer_without_confirmation_prints_and_keeps_silent() -> None:
    printer = PrinterMechanism()
    printer.set_state(PrinterState(no_confirmation=True))
    assert printer.receive(b"\x1c&" + LINE + b"\x1dV\x00" + vectors.CONFIRM_HEAD + b"ABCD") == b""
    assert printer.receipts()[0].complete


@pytest.mark.parametrize("fault", [PrintFault.PAPER_OUT, PrintFault.COVER_OPEN, PrintFault.JAM])
def test_printer_stops_in_mid_receipt(fault: PrintFault) -> None:
    printer = PrinterMechanism()
    printer.set_state(PrinterState(fail_during_next=fault))
    assert (
        printer.receive(b"\x1c&" + LINE * 6 + b"\x1dV\x00" + vectors.CONFIRM_HEAD + b"ABCD") == b""
    )
    (receipt,) = printer.receipts()
    assert (receipt.text.count("杏林"), receipt.complete) == (3, False)
    assert not printer.state.is_online


def test_printer_whose_cable_goes_keeps_the_torn_paper() -> None:
    printer = PrinterMechanism()
    printer.set_state(PrinterState(fail_during_next=PrintFault.CONNECTION))
    with pytest.raises(ConnectionBrokenError):
        printer.receive(b"\x1c&" + LINE * 6)
    printer.hang_up()
    assert [receipt.complete for receipt in printer.receipts()] == [False]


def test_printer_draws_what_an_independent_encoder_sends() -> None:
    """python-escpos shares no code with us: its QR codes and pictures must come out readable too."""
    printer, encoder = PrinterMechanism(), Dummy()
    encoder.text("Xinglin\n")
    encoder.qr("https://example.invalid/t/abc", native=True, size=6)
    encoder.image(Image.new("1", (64, 16), 0))
    encoder.cut()
    printer.receive(encoder.output)
    (receipt,) = printer.receipts()
    codes = pyzbar.decode(Image.open(io.BytesIO(receipt.png)))
    assert [code.data for code in codes] == [b"https://example.invalid/t/abc"]
    assert receipt.text.splitlines()[0] == "Xinglin"


@given(st.binary(max_size=200))
def test_any_bytes_leave_the_printer_working(noise: bytes) -> None:
    printer = PrinterMechanism()
    printer.receive(noise)
    printer.hang_up()
    printer.receive(b"\x1b@\x1c&" + LINE + b"\x1dV\x00")
    assert printer.receipts()[0].text == "杏林"


@given(st.lists(st.integers(1, 9), max_size=30))
def test_commands_are_the_same_in_any_pieces(cuts: list[int]) -> None:
    data = (
        b"\x1b@\x1c&\x1ba\x01\x1d!\x11" + LINE + b"\x1d(k\x06\x001P0XL1\x1d(k\x03\x001Q0\x1dVB\x00"
    )
    whole = CommandStream().feed(data)
    stream, found = CommandStream(), []
    for size in [*cuts, len(data)]:
        found += stream.feed(data[:size])
        data = data[size:]
    assert found == whole
