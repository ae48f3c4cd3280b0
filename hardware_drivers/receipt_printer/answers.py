"""What an ESC/POS printer says: real-time status bytes and job confirmations, in one stream. Pure.

Source: ESC/POS `DLE EOT n`, `GS ( H`. A status byte is 0xx1xx10; a confirmation is `37 22 d1 d2 d3
d4 00`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hardware_drivers.receipt_printer.protocol import PaperState, PrinterStatus

STATUS_KINDS = (1, 2, 3, 4)
_HEADER = b"\x37\x22"
_CONFIRMATION_BYTES = 7


def request_status(kind: int) -> bytes:
    """`DLE EOT n`: 1 printer, 2 off-line cause, 3 error cause, 4 paper sensors."""
    return bytes([0x10, 0x04, kind])


def is_status_byte(value: int) -> bool:
    """Whether the fixed bits are those of a real-time status byte."""
    return value & 0b1001_0011 == 0b0001_0010


def parse_status(answers: dict[int, int]) -> PrinterStatus:
    """The status from the bytes answered to each kind asked; missing kinds count as at rest."""
    offline, error, paper = (answers.get(kind, 0x12) for kind in (2, 3, 4))
    # Bits 2,3 near end and 5,6 end are always set in pairs; one of a pair is already a reason not
    # to print.
    is_out = paper & 0x60 or offline & 0x20
    is_near_end = bool(paper & 0x0C)
    left = PaperState.NEAR_END if is_near_end else PaperState.OK
    return PrinterStatus(
        is_reachable=True,
        paper=PaperState.OUT if is_out else left,
        is_cover_open=bool(offline & 0x04),
        has_cutter_error=bool(error & 0x08),
        has_error=bool(error & 0x60 or offline & 0x40),
    )


@dataclass
class AnswerStream:
    """Splits what arrives into status bytes and confirmations; drops line noise."""

    _pending: bytes = b""
    status_bytes: list[int] = field(default_factory=list)
    confirmations: list[bytes] = field(default_factory=list)

    def feed(self, data: bytes) -> None:
        """Take bytes as they arrive, in any pieces."""
        self._pending += data
        while self._pending:
            if self._pending[:2] == _HEADER or self._pending == _HEADER[:1]:
                if len(self._pending) < _CONFIRMATION_BYTES:
                    return
                block, rest = (
                    self._pending[:_CONFIRMATION_BYTES],
                    self._pending[_CONFIRMATION_BYTES:],
                )
                if block[-1] == 0:
                    self.confirmations.append(block[2:6])
                    self._pending = rest
                    continue
            elif is_status_byte(self._pending[0]):
                self.status_bytes.append(self._pending[0])
            self._pending = self._pending[1:]
