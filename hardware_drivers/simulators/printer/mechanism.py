"""The printer behind the wire: sensors, faults, and the paper commands are carried out on.
Thread-safe, no network.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from hardware_drivers.simulators.printer.commands import Command, CommandStream
from hardware_drivers.simulators.printer.paper import Paper

KEPT_RECEIPTS = 60
_LINES_BEFORE_FAULT = 3
_LEVELS = {48: "L", 49: "M", 50: "Q", 51: "H"}


class Roll(StrEnum):
    """How much paper is left."""

    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"


class PrintFault(StrEnum):
    """What goes wrong in the middle of the next receipt."""

    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    JAM = "jam"
    CONNECTION = "connection"


@dataclass(frozen=True)
class PrinterState:
    """What a person at the printer could see or has arranged."""

    paper: Roll = Roll.OK
    cover_open: bool = False
    is_jammed: bool = False
    fail_during_next: PrintFault | None = None
    no_confirmation: bool = False

    @property
    def is_online(self) -> bool:
        """Whether it prints at all."""
        return self.paper is not Roll.OUT and not self.cover_open and not self.is_jammed


@dataclass(frozen=True)
class PrintedReceipt:
    """One piece of paper; `complete` when the knife cut it off, False when printing stopped before."""

    id: int
    printed_at: datetime
    complete: bool
    text: str
    png: bytes


class ConnectionBrokenError(Exception):
    """The arranged fault is that the cable goes: the server must drop the connection."""


def _now() -> datetime:
    return datetime.now(UTC)


class PrinterMechanism:
    """Takes bytes, answers bytes, collects receipts."""

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._state = PrinterState()
        self._receipts: list[PrintedReceipt] = []
        self._next_id = 1
        self._stream = CommandStream()
        self._power_on()
        self._paper = Paper()

    @property
    def state(self) -> PrinterState:
        """The present state."""
        with self._lock:
            return self._state

    def set_state(self, state: PrinterState) -> None:
        """What a person does at the printer. New paper or a shut cover also clears a jam, as it
        does by hand.
        """
        with self._lock:
            self._state = state

    def receipts(self) -> list[PrintedReceipt]:
        """All kept receipts, newest first."""
        with self._lock:
            return list(reversed(self._receipts))

    def receive(self, data: bytes) -> bytes:
        """Carry out bytes and return what the printer says to them. Raises ConnectionBrokenError."""
        with self._lock:
            return b"".join(self._carry_out(command) for command in self._stream.feed(data))

    def hang_up(self) -> None:
        """The connection ended: what is on the paper stays there as an unfinished receipt."""
        with self._lock:
            self._stream.reset()
            self._tear_off(complete=False)
            self._power_on()

    def _power_on(self) -> None:
        self._align, self._width, self._height = 0, 1, 1
        self._is_bold = self._is_chinese = False
        self._line = b""
        self._qr_module, self._qr_level, self._qr_data = 3, "L", b""
        self._lines_printed = 0
        self._is_discarding = False

    def _carry_out(self, command: Command) -> bytes:
        if command.name == "status":
            return self._status_byte(command.number)
        if self._is_discarding or not self._state.is_online:
            # Off line: what comes in is lost with the job; only real-time commands are heard.
            self._is_discarding = True
            return b""
        if command.name == "confirm":
            return b"" if self._state.no_confirmation else b"\x37\x22" + command.data + b"\x00"
        self._print(command)
        return b""

    def _print(self, command: Command) -> None:
        match command.name:
            case "initialize":
                self._power_on()
            case "chinese":
                self._is_chinese = bool(command.number)
            case "align":
                self._align = command.number % 48
            case "bold":
                self._is_bold = bool(command.number & 1)
            case "size":
                self._width, self._height = (command.number >> 4 & 7) + 1, (command.number & 7) + 1
            case "mode":
                self._is_bold = bool(command.number & 0x08)
                self._height = 2 if command.number & 0x10 else 1
                self._width = 2 if command.number & 0x20 else 1
            case "text":
                self._line += command.data
            case "line_feed":
                self._print_line()
            case "feed":
                self._paper.feed(command.number)
            case "qr":
                self._qr(command)
            case "raster":
                self._paper.raster(command.data, command.number, self._align)
            case "cut":
                self._paper.feed(2)
                self._tear_off(complete=True)
                self._lines_printed = 0

    def _print_line(self) -> None:
        # Outside Chinese mode bytes are single characters of the western code page: a driver that
        # forgets the mode gets what a real printer prints, rubbish.
        text = self._line.decode("gb18030" if self._is_chinese else "cp437", "replace")
        self._line = b""
        self._paper.text_line(
            text, align=self._align, width=self._width, height=self._height, is_bold=self._is_bold
        )
        self._lines_printed += 1
        if self._state.fail_during_next and self._lines_printed >= _LINES_BEFORE_FAULT:
            self._fail(self._state.fail_during_next)

    def _fail(self, fault: PrintFault) -> None:
        self._state = replace(
            self._state,
            fail_during_next=None,
            paper=Roll.OUT if fault is PrintFault.PAPER_OUT else self._state.paper,
            cover_open=self._state.cover_open or fault is PrintFault.COVER_OPEN,
            is_jammed=self._state.is_jammed or fault is PrintFault.JAM,
        )
        self._tear_off(complete=False)
        self._is_discarding = True
        if fault is PrintFault.CONNECTION:
            raise ConnectionBrokenError

    def _qr(self, command: Command) -> None:
        match command.number:
            case 67 if command.data:
                self._qr_module = command.data[0]
            case 69 if command.data:
                self._qr_level = _LEVELS.get(command.data[0], "L")
            case 80:
                self._qr_data = command.data[1:]
            case 81 if self._qr_data:
                self._paper.qr(
                    self._qr_data, module=self._qr_module, level=self._qr_level, align=self._align
                )

    def _tear_off(self, *, complete: bool) -> None:
        if not self._paper.is_blank:
            text = "\n".join(self._paper.lines)
            receipt = PrintedReceipt(
                self._next_id, self._now(), complete, text, self._paper.to_png()
            )
            self._receipts = [*self._receipts, receipt][-KEPT_RECEIPTS:]
            self._next_id += 1
        self._paper = Paper()

    def _status_byte(self, kind: int) -> bytes:
        state = self._state
        is_out = state.paper is Roll.OUT
        value = 0x12
        match kind:
            case 1:
                value |= 0 if state.is_online else 0x08
            case 2:
                value |= (0x04 if state.cover_open else 0) | (0x20 if is_out else 0)
                value |= 0x40 if state.is_jammed else 0
            case 3:
                value |= 0x08 if state.is_jammed else 0
            case 4:
                value |= (0x0C if state.paper is not Roll.OK else 0) | (0x60 if is_out else 0)
            case _:
                return b""
        return bytes([value])
