"""Receipts as literal ESC/POS bytes, and how each print ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import DeviceError, TransientError
from hardware_drivers.receipt_printer import (
    Cut,
    Feed,
    PaperState,
    PrinterStatus,
    PrintOutcome,
    PrintState,
    Qr,
    Receipt,
    Row,
    Rule,
    Text,
)
from hardware_drivers.receipt_printer.answers import AnswerStream, is_status_byte, parse_status
from hardware_drivers.receipt_printer.encoder import confirmation_id, encode, request_confirmation
from hardware_drivers.receipt_printer.escpos import EscPosPrinter
from hardware_drivers.receipt_printer.layout import printable, row_lines, text_width, wrap
from hardware_drivers.transports.memory import MemoryTransport
from tests.contract.hardware_drivers import vectors

RECEIPT = Receipt((Text("杏林医院", align="center", is_bold=True, scale=2), Cut()))
IDENTIFIER = confirmation_id("job-1")
CONFIRMED = b"\x37\x22" + IDENTIFIER + b"\x00"
HEALTHY = [vectors.AT_REST] * 4


def print_with(*answers: bytes | DeviceError) -> tuple[PrintOutcome, MemoryTransport]:
    """Print over scripted answers; the clock moves a second a look, so every wait ends."""
    transport = MemoryTransport(answers)
    ticks = iter(range(1000))
    printer = EscPosPrinter(
        transport, status_timeout=50, confirm_timeout=20, clock=lambda: next(ticks)
    )
    return printer.print(RECEIPT, "job-1"), transport


def test_chinese_goes_out_as_gb18030_in_double_byte_mode() -> None:
    assert encode(RECEIPT) == (
        b"\x1b@\x1c&"
        b"\x1ba\x01\x1d!\x11\x1bE\x01"
        + "杏林医院".encode("gb18030")
        + b"\n\x1d!\x00\x1bE\x00\x1dVB\x00"
    )


def test_every_element_has_its_bytes() -> None:
    data = encode(Receipt((Row("金额", "¥25.00"), Rule(), Qr("XL1", module=5), Feed(2))))
    assert b"\xbd\xf0\xb6\xee" + b" " * 37 + b"\xa3\xa425.00\n" in data
    assert b"-" * 48 + b"\n" in data
    assert b"\x1ba\x01\x1d(k\x04\x001A2\x00" in data
    assert b"\x1d(k\x03\x001C\x05" in data
    assert b"\x1d(k\x03\x001E1" in data
    assert b"\x1d(k\x06\x001P0XL1" in data
    assert b"\x1d(k\x03\x001Q0" in data
    assert data.endswith(b"\x1bd\x02")


def test_job_confirmation_is_the_literal_request() -> None:
    assert request_confirmation(b"ABCD") == vectors.CONFIRM_HEAD + b"ABCD"
    assert all(32 <= byte <= 126 for byte in confirmation_id("任意 id"))
    assert confirmation_id("job-1") != confirmation_id("job-2")


@pytest.mark.parametrize("bad", ["", "中文", "x" * 701])
def test_qr_payloads_scanners_would_misread_are_refused(bad: str) -> None:
    with pytest.raises(ValueError):
        Qr(bad)


def test_a_name_can_never_be_a_command() -> None:
    """Control characters from outside are dropped; what is left is text."""
    data = encode(Receipt((Text("张\x1b@三\x1dVA\x00\x10\x04\x01"),)))
    assert "张@三VA".encode("gb18030") in data
    assert data.count(b"\x1b@") == 1


@given(st.text(max_size=200), st.integers(1, 48))
def test_wrapping_keeps_every_visible_character_and_the_width(text: str, columns: int) -> None:
    lines = wrap(text, max(2, columns))
    assert all(text_width(line) <= max(2, columns) for line in lines)
    assert "".join(lines).replace(" ", "") == printable(text).replace(" ", "")


@given(st.text(max_size=80), st.text(max_size=80))
def test_rows_fit_the_paper(left: str, right: str) -> None:
    assert all(text_width(line) <= 48 for line in row_lines(left, right, 48))


@given(st.text(max_size=60))
def test_any_text_encodes_without_stray_commands(text: str) -> None:
    body = encode(Receipt((Text(text),)))
    head, tail = b"\x1b@\x1c&\x1ba\x00\x1d!\x00\x1bE\x00", b"\x1d!\x00\x1bE\x00"
    assert body.startswith(head)
    assert body.endswith(tail)
    assert all(byte >= 0x20 or byte == 0x0A for byte in body[len(head) : -len(tail)])


def test_printed_when_confirmed() -> None:
    outcome, transport = print_with(*HEALTHY, CONFIRMED)
    assert outcome == PrintOutcome(
        "job-1", PrintState.PRINTED, None, PrinterStatus(is_reachable=True)
    )
    assert transport.written[:4] == list(vectors.ASK_STATUS)
    assert transport.written[4] == encode(RECEIPT) + vectors.CONFIRM_HEAD + IDENTIFIER


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([b"\x12", b"\x16", b"\x12", b"\x12"], "cover_open"),
        ([b"\x1a", b"\x32", b"\x12", b"\x7e"], "paper_out"),
        ([b"\x12", b"\x12", b"\x1a", b"\x12"], "cutter_error"),
        ([b"\x12", b"\x52", b"\x12", b"\x12"], "printer_error"),
        ([b"\x12", b"\x12", b"\x32", b"\x12"], "printer_error"),
        ([TransientError("unreachable")], "unreachable"),
        ([b"\x12", TransientError("connection_lost")], "unreachable"),
        ([], "unreachable"),
    ],
)
def test_failed_and_nothing_sent_when_the_printer_cannot_print(
    answers: list[bytes | DeviceError], code: str
) -> None:
    outcome, transport = print_with(*answers)
    assert (outcome.state, outcome.code) == (PrintState.FAILED, code)
    assert set(transport.written) <= set(vectors.ASK_STATUS)


@pytest.mark.parametrize(
    ("after", "code"),
    [
        ([TransientError("connection_lost")], "connection_lost"),
        ([b"", b"\x12", b"\x32", b"\x12", b"\x7e"], "paper_out"),
        ([b"", b"\x12", b"\x16", b"\x12", b"\x12"], "cover_open"),
        ([b""] + HEALTHY * 10, "no_confirmation"),
        ([b"\x37\x22OTHR\x00"] + HEALTHY * 10, "no_confirmation"),
        ([b"\x37\x22" + IDENTIFIER + b"\x01"] + HEALTHY * 10, "no_confirmation"),
        ([b""], "unreachable"),
    ],
)
def test_ambiguous_once_anything_was_sent_and_not_confirmed(
    after: list[bytes | DeviceError], code: str
) -> None:
    outcome, _transport = print_with(*HEALTHY, *after)
    assert (outcome.state, outcome.code) == (PrintState.AMBIGUOUS, code)


def test_a_confirmation_that_comes_with_the_status_counts() -> None:
    outcome, _transport = print_with(*HEALTHY, b"", CONFIRMED + b"\x12", b"\x12", b"\x12", b"\x12")
    assert outcome.state is PrintState.PRINTED


def test_near_end_prints_and_is_told() -> None:
    outcome, _transport = print_with(b"\x12", b"\x12", b"\x12", b"\x1e", CONFIRMED)
    assert outcome.state is PrintState.PRINTED
    assert outcome.status is not None
    assert outcome.status.paper is PaperState.NEAR_END


def test_status_of_a_printer_that_is_not_there() -> None:
    status = EscPosPrinter(MemoryTransport([TransientError("unreachable")])).status()
    assert (status.is_reachable, status.problem) == (False, "unreachable")


@pytest.mark.parametrize(
    ("value", "is_status"), [(0x12, True), (0x7E, True), (0x37, False), (0x92, False)]
)
def test_status_bytes_by_their_fixed_bits(value: int, is_status: bool) -> None:
    assert is_status_byte(value) is is_status


@given(st.lists(st.integers(1, 6), max_size=12))
def test_answers_are_understood_in_any_pieces(cuts: list[int]) -> None:
    stream, data = AnswerStream(), b"\x12" + CONFIRMED + b"\x16\x00" + CONFIRMED
    for size in [*cuts, len(data)]:
        stream.feed(data[:size])
        data = data[size:]
    assert stream.confirmations == [IDENTIFIER, IDENTIFIER]
    assert stream.status_bytes == [0x12, 0x16]


@given(st.binary(max_size=64))
def test_noise_confirms_nothing(noise: bytes) -> None:
    stream = AnswerStream()
    stream.feed(noise)
    assert all(b"\x37\x22" + each + b"\x00" in noise for each in stream.confirmations)


def test_missing_status_bytes_count_as_at_rest() -> None:
    assert parse_status({}).problem is None
