"""A receipt as ESC/POS bytes. Pure.

Chinese goes out as GB18030 after `FS &` (double-byte mode), which python-escpos never sends; QR
codes by the printer's own `GS ( k`; the job ends with `GS ( H`, which the printer answers once
everything before it is on paper.
"""

from __future__ import annotations

import zlib

from hardware_drivers.receipt_printer.layout import row_lines, wrap
from hardware_drivers.receipt_printer.protocol import (
    Cut,
    Element,
    Feed,
    Qr,
    Receipt,
    Row,
    Rule,
    Text,
)

INITIALIZE = b"\x1b@"
CHINESE_MODE = b"\x1c&"
_ALIGN = {"left": b"\x1ba\x00", "center": b"\x1ba\x01", "right": b"\x1ba\x02"}
_FIRST_ID_BYTE = 32
_ID_BYTES = 95  # the four bytes of a job id are 32..126


def confirmation_id(job_id: str) -> bytes:
    """Four printable bytes that stand for `job_id` in the printer's confirmation (they repeat after
    81 million).
    """
    number = zlib.crc32(job_id.encode())
    digits = []
    for _ in range(4):
        number, digit = divmod(number, _ID_BYTES)
        digits.append(_FIRST_ID_BYTE + digit)
    return bytes(digits)


def request_confirmation(identifier: bytes) -> bytes:
    """`GS ( H` function 48: answer `37 22 d1 d2 d3 d4 00` when printed."""
    if len(identifier) != 4:
        raise ValueError("the confirmation id has four bytes")
    return b"\x1d(H\x06\x0000" + identifier


def encode(receipt: Receipt) -> bytes:
    """All bytes of a receipt. Raises ValueError for an element it does not know."""
    parts = [INITIALIZE, CHINESE_MODE]
    parts += [_encode_element(element, receipt.columns) for element in receipt.elements]
    return b"".join(parts)


def _encode_element(element: Element, columns: int) -> bytes:
    match element:
        case Text():
            lines = wrap(element.text, columns // element.scale)
            return _styled(lines, element.align, is_bold=element.is_bold, scale=element.scale)
        case Row():
            return _styled(
                row_lines(element.left, element.right, columns),
                "left",
                is_bold=element.is_bold,
                scale=1,
            )
        case Rule():
            return _styled(["-" * columns], "left", is_bold=False, scale=1)
        case Qr():
            return _encode_qr(element)
        case Feed():
            return b"\x1bd" + bytes([min(element.lines, 255)])
        case Cut():
            return b"\x1dVB\x00"
    raise ValueError(f"unknown element {type(element).__name__}")


def _styled(lines: list[str], align: str, *, is_bold: bool, scale: int) -> bytes:
    size = (scale - 1) << 4 | (scale - 1)
    begin = _ALIGN[align] + b"\x1d!" + bytes([size]) + b"\x1bE" + bytes([is_bold])
    end = b"\x1d!\x00\x1bE\x00"
    return begin + b"".join(line.encode("gb18030") + b"\n" for line in lines) + end


def _encode_qr(qr: Qr) -> bytes:
    payload = qr.payload.encode("ascii")
    return b"".join(
        (
            _ALIGN["center"],
            _qr_function(65, b"2\x00"),  # model 2
            _qr_function(67, bytes([qr.module])),
            _qr_function(69, b"1"),  # error correction M
            _qr_function(80, b"0" + payload),  # store
            _qr_function(81, b"0"),  # print
            _ALIGN["left"],
        )
    )


def _qr_function(function: int, parameters: bytes) -> bytes:
    body = b"1" + bytes([function]) + parameters
    return b"\x1d(k" + len(body).to_bytes(2, "little") + body
