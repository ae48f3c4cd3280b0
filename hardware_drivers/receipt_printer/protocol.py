"""What is printed (`Receipt`), how a printer is (`PrinterStatus`) and how a print ended
(`PrintOutcome`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

Align = Literal["left", "center", "right"]
MAX_QR_BYTES = 700


@dataclass(frozen=True)
class Text:
    """One paragraph, broken into lines at the paper's edge. `scale` 1..4 enlarges both ways."""

    text: str
    align: Align = "left"
    is_bold: bool = False
    scale: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.scale <= 4:
            raise ValueError("scale is 1..4")


@dataclass(frozen=True)
class Row:
    """A label at the left edge and a value at the right edge of one line (of two when they do not
    fit).
    """

    left: str
    right: str
    is_bold: bool = False


@dataclass(frozen=True)
class Rule:
    """A line of dashes across the paper."""


@dataclass(frozen=True)
class Qr:
    """A QR code, centred. ASCII only (scanners guess other encodings differently); `module` is dots
    a module, 3..10.
    """

    payload: str
    module: int = 6

    def __post_init__(self) -> None:
        if not self.payload or not self.payload.isascii() or len(self.payload) > MAX_QR_BYTES:
            raise ValueError("QR payload must be 1..700 ASCII characters")
        if not 3 <= self.module <= 10:
            raise ValueError("module is 3..10 dots")


@dataclass(frozen=True)
class Feed:
    """Empty lines."""

    lines: int = 1


@dataclass(frozen=True)
class Cut:
    """Feed past the knife and cut."""


Element = Text | Row | Rule | Qr | Feed | Cut


@dataclass(frozen=True)
class Receipt:
    """What to print, top to bottom. `columns` is the width in half-width characters (48 on 80 mm
    paper).
    """

    elements: tuple[Element, ...]
    columns: int = 48


class PaperState(StrEnum):
    """The roll."""

    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"


@dataclass(frozen=True)
class PrinterStatus:
    """The printer's own word about itself; `is_reachable` False when it gave none."""

    is_reachable: bool
    paper: PaperState = PaperState.OK
    is_cover_open: bool = False
    has_cutter_error: bool = False
    has_error: bool = False

    @property
    def problem(self) -> str | None:
        """Code of what keeps it from printing: unreachable, paper_out, cover_open, cutter_error,
        printer_error.
        """
        if not self.is_reachable:
            return "unreachable"
        if self.is_cover_open:
            return "cover_open"
        if self.paper is PaperState.OUT:
            return "paper_out"
        if self.has_cutter_error:
            return "cutter_error"
        return "printer_error" if self.has_error else None


class PrintState(StrEnum):
    """How a print ended."""

    PRINTED = "printed"  # the printer confirmed it
    FAILED = "failed"  # not a byte of it was sent: safe to print again
    AMBIGUOUS = "ambiguous"  # sent, never confirmed: a person must look


@dataclass(frozen=True)
class PrintOutcome:
    """How the print of `job_id` ended. `code` says why when not printed: a `PrinterStatus.problem`,
    `connection_lost` or `no_confirmation`. `status` is the last one known."""

    job_id: str
    state: PrintState
    code: str | None = None
    status: PrinterStatus | None = None


class ReceiptPrinter(Protocol):
    """One printer; calls from several threads are served one after the other."""

    def status(self) -> PrinterStatus:
        """Ask the printer; never raises (an unreachable printer is a status)."""

    def print(self, receipt: Receipt, job_id: str) -> PrintOutcome:
        """Status, print, confirmation on one connection; never raises for anything the device does.

        Raises ValueError for a receipt that cannot be encoded.
        """

    def close(self) -> None:
        """Let go of the printer."""
