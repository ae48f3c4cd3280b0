"""Wires without a wire: scripted answers for tests of the pure part of a driver."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from hardware_drivers.errors import DeviceError
from hardware_drivers.transports.base import ApduAnswer

Step = bytes | DeviceError


class MemoryTransport:
    """A byte stream whose far end is a list: each write makes the next scripted answer readable.

    An answer that is a DeviceError is raised by the read that would have returned it.
    """

    def __init__(self, answers: Iterable[Step] = ()) -> None:
        self.written: list[bytes] = []
        self._answers: deque[Step] = deque(answers)
        self._input = b""
        self._failure: DeviceError | None = None

    def feed(self, data: bytes) -> None:
        """Make `data` readable at once, as a device that speaks unasked."""
        self._input += data

    def write(self, data: bytes) -> None:
        """Remember `data` and make the next answer readable."""
        self.written.append(data)
        if self._answers:
            answer = self._answers.popleft()
            if isinstance(answer, DeviceError):
                self._failure = answer
            else:
                self._input += answer

    def read(self, size: int, timeout: float) -> bytes:
        """Return at most `size` readable bytes; never waits."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        data, self._input = self._input[:size], self._input[size:]
        return data

    def discard_input(self) -> None:
        """Drop readable bytes."""
        self._input = b""

    def close(self) -> None:
        """Nothing to close."""


class MemoryCard:
    """A card slot answered by a function from APDU to (data, sw); raise DeviceError in it to break
    the line.
    """

    def __init__(
        self, answer: Callable[[bytes], tuple[bytes, int]], atr: bytes = b"\x3b\x00"
    ) -> None:
        self.sent: list[bytes] = []
        self.is_present = True
        self._answer = answer
        self._atr = atr

    def wait_for_change(self, *, is_present: bool, timeout: float) -> bool:
        """Answer whether the slot is in the wished state; never waits."""
        return self.is_present == is_present

    def connect(self) -> bytes:
        """Return the ATR."""
        return self._atr

    def transmit(self, apdu: bytes) -> ApduAnswer:
        """Remember and answer one APDU."""
        self.sent.append(apdu)
        data, sw = self._answer(apdu)
        return ApduAnswer(data, sw)

    def disconnect(self) -> None:
        """Nothing to let go."""

    def close(self) -> None:
        """Nothing to close."""
