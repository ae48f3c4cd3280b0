"""Scanned lines and what they are."""

from __future__ import annotations

import io
import threading

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from hardware_drivers.errors import PermanentError, TransientError
from hardware_drivers.scanner import CodeKind, classify
from hardware_drivers.scanner.serial_line import MAX_LINE_BYTES, SerialScanner
from hardware_drivers.scanner.stills import decode_picture
from hardware_drivers.transports.memory import MemoryTransport

PUBLIC_URL = "http://127.0.0.1:8000"


def scanner_with(data: bytes) -> SerialScanner:
    transport = MemoryTransport()
    transport.feed(data)
    return SerialScanner(transport)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("XL20261123A012", CodeKind.OURS),
        ("http://127.0.0.1:8000/t/abc.def", CodeKind.OURS),
        ("http://127.0.0.1:8000.example/t/abc", CodeKind.UNKNOWN),
        ("100000000000000000", CodeKind.WECHAT_PAYMENT),
        ("159999999999999999", CodeKind.WECHAT_PAYMENT),
        ("169999999999999999", CodeKind.UNKNOWN),
        ("13456789012345678", CodeKind.UNKNOWN),
        ("2500000000000000", CodeKind.ALIPAY_PAYMENT),
        ("309999999999999999999999", CodeKind.ALIPAY_PAYMENT),
        ("3100000000000000", CodeKind.UNKNOWN),
        ("2799999999999999999999999", CodeKind.UNKNOWN),
        ("a1" * 32 + ":1:110000", CodeKind.HEALTH_CARD),
        ("1" * 28, CodeKind.INSURANCE),
        ("１３４５６７８９０１２３４５６７８９", CodeKind.UNKNOWN),
        ("", CodeKind.UNKNOWN),
        ("你好", CodeKind.UNKNOWN),
    ],
)
def test_kind_of_a_code(text: str, kind: CodeKind) -> None:
    assert classify(text, PUBLIC_URL).kind is kind


def test_a_payment_code_stays_out_of_logs() -> None:
    assert "1345" not in repr(classify("134567890123456789"))


@given(st.text(max_size=100))
def test_any_text_has_one_kind(text: str) -> None:
    assert classify(text, PUBLIC_URL).text == text.strip()


def test_one_line_a_scan() -> None:
    scanner = scanner_with("XL1\r\n\r你好\rrest".encode())
    assert scanner.wait_for_code(0) == "XL1"
    assert scanner.wait_for_code(0) == "你好"
    assert scanner.wait_for_code(0) is None


def test_gb18030_lines_of_older_scanners() -> None:
    assert scanner_with("杏林".encode("gb18030") + b"\r").wait_for_code(0) == "杏林"


@pytest.mark.parametrize(
    "line", [b"\x00\x01\x02\r", b"\xff\xff\xff\r", b"x" * (MAX_LINE_BYTES + 1) + b"\r"]
)
def test_what_is_not_text_is_refused_and_the_next_line_read(line: bytes) -> None:
    scanner = scanner_with(line + b"XL2\r")
    with pytest.raises(TransientError) as caught:
        scanner.wait_for_code(0)
    assert caught.value.code == "unreadable_code"
    assert scanner.wait_for_code(0) == "XL2"


def test_discard_forgets_what_was_scanned_before() -> None:
    scanner = scanner_with(b"OLD\r")
    assert scanner.is_alive()
    scanner.discard()
    assert scanner.wait_for_code(0) is None


def test_cancelled_wait_reads_nothing() -> None:
    cancelled = threading.Event()
    cancelled.set()
    assert scanner_with(b"").wait_for_code(60, cancelled) is None


def test_codes_in_a_picture() -> None:
    picture = io.BytesIO()
    segno.make_qr("http://127.0.0.1:8000/t/abc").save(picture, kind="png", scale=4)
    picture.seek(0)
    assert decode_picture(picture) == ["http://127.0.0.1:8000/t/abc"]
    with pytest.raises(PermanentError) as caught:
        decode_picture(io.BytesIO(b"not a picture"))
    assert caught.value.code == "unreadable_picture"
