"""An ID-card reader that speaks GA 467 on a pty, with the faults a real one has.

Frames `AA AA AA 96 69 LEN CMD PARA DATA CHK`; LEN counts CMD to CHK, CHK is the XOR from LEN on. A
card that was read is not found again until it is lifted.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hardware_drivers.simulators.pty_port import PtyPort

LONG_TERM = "长期"
_PREAMBLE = b"\xaa\xaa\xaa\x96\x69"
_FIELDS = (
    ("name", 15),
    ("sex", 1),
    ("ethnic_group", 2),
    ("birth_date", 8),
    ("address", 35),
    ("number", 18),
    ("authority", 15),
    ("valid_from", 8),
    ("valid_until", 8),
)
_PHOTO = bytes(range(256)) * 4
_LETTER_AT = 124  # in characters: where other layouts carry their letter


class Fault(StrEnum):
    """What goes wrong with the next read."""

    TORN = "torn"  # the answer stops half-way
    CHECKSUM = "checksum"  # one byte arrives changed
    LIFT = "lift"  # the card is taken away while it is read


class Layout(StrEnum):
    """Which document lies on the reader, with the letter that marks it."""

    RESIDENT = "resident"
    FOREIGNER = "foreigner"
    HMT_RESIDENT = "hmt_resident"


_LETTERS = {Layout.RESIDENT: " ", Layout.FOREIGNER: "I", Layout.HMT_RESIDENT: "J"}


@dataclass(frozen=True)
class PrintedCard:
    """What is printed on a card, as the card stores it: dates as YYYYMMDD, `valid_until` may be
    长期.
    """

    name: str
    sex: str
    ethnic_group: str
    birth_date: str
    address: str
    number: str
    authority: str
    valid_from: str
    valid_until: str
    layout: Layout = Layout.RESIDENT

    def to_bytes(self) -> bytes:
        """The 256 text bytes. Raises ValueError naming the field that does not fit."""
        text = ""
        for name, size in _FIELDS:
            value = str(getattr(self, name))
            if len(value) > size:
                raise ValueError(name)
            text += value.ljust(size)
        text = text.ljust(128)
        text = text[:_LETTER_AT] + _LETTERS[self.layout] + text[_LETTER_AT + 1 :]
        data = text.encode("utf-16-le")
        if len(data) != 256:
            raise ValueError("name")
        return data


class IdReaderSimulator:
    """Answers commands for the card put on it; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._card: PrintedCard | None = None
        self._is_selected = False
        self._is_read = False
        self._fault: Fault | None = None
        self._received = b""

    @property
    def card(self) -> PrintedCard | None:
        """The card on the reader."""
        with self._lock:
            return self._card

    @property
    def fault(self) -> Fault | None:
        """The fault waiting for the next read."""
        with self._lock:
            return self._fault

    def put(self, card: PrintedCard) -> None:
        """Put a card on the reader (taking away the one there). Raises ValueError when it cannot be
        printed.
        """
        card.to_bytes()
        with self._lock:
            self._place(card)

    def lift(self) -> None:
        """Take the card away."""
        with self._lock:
            self._place(None)

    def set_fault(self, fault: Fault | None) -> None:
        """Arrange for the next read to go wrong."""
        with self._lock:
            self._fault = fault

    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes from the line; returns the answers to the commands completed by them."""
        with self._lock:
            self._received += data
            found = []
            while (command := self._take_command()) is not None:
                found.append(self._answer(command))
            return found

    def _place(self, card: PrintedCard | None) -> None:
        self._card = card
        self._is_selected = self._is_read = False

    def _take_command(self) -> bytes | None:
        """One whole command with its length and checksum, or None. Noise before a preamble is
        dropped.
        """
        start = self._received.find(_PREAMBLE)
        if start < 0:
            self._received = self._received[-4:]
            return None
        self._received = self._received[start:]
        if len(self._received) < 7:
            return None
        end = 7 + (self._received[5] << 8 | self._received[6])
        if len(self._received) < end:
            return None
        command, self._received = self._received[5:end], self._received[end:]
        return command

    def _answer(self, command: bytes) -> bytes:
        if _xor(command[:-1]) != command[-1]:
            return _frame(0x10)
        match command[2:4]:
            case b"\x11\xff":
                return _frame(0x90)
            case b"\x20\x01":
                self._is_selected = False
                if self._card is None or self._is_read:
                    return _frame(0x80)
                return _frame(0x9F, bytes(4))
            case b"\x20\x02":
                if self._card is None or self._is_read:
                    return _frame(0x81)
                self._is_selected = True
                return _frame(0x90, bytes(8))
            case b"\x30\x01":
                return self._answer_read()
        return _frame(0x21)

    def _answer_read(self) -> bytes:
        fault, self._fault = self._fault, None
        if fault is Fault.LIFT:
            self._place(None)
        if self._card is None or not self._is_selected:
            return _frame(0x41)
        self._is_read = True
        answer = _frame(0x90, b"\x01\x00\x04\x00" + self._card.to_bytes() + _PHOTO)
        if fault is Fault.TORN:
            return answer[: len(answer) // 2]
        if fault is Fault.CHECKSUM:
            return answer[:40] + bytes([answer[40] ^ 0x01]) + answer[41:]
        return answer


class IdReaderOnPty:
    """The reader together with its line."""

    def __init__(self, link: Path) -> None:
        self.reader = IdReaderSimulator()
        self.port = PtyPort(link, self._serve)

    def close(self) -> None:
        """Unplug it."""
        self.port.close()

    def _serve(self, data: bytes) -> None:
        for answer in self.reader.receive(data):
            self.port.write(answer)


def _xor(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value


def _frame(status: int, data: bytes = b"") -> bytes:
    content = b"\x00\x00" + bytes([status]) + data
    counted = (len(content) + 1).to_bytes(2, "big") + content
    return _PREAMBLE + counted + bytes([_xor(counted)])
