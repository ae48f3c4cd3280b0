"""A scanner that sends each code as one line ended by CR (LF tolerated), in UTF-8 or GB18030."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hardware_drivers.errors import TransientError
from hardware_drivers.transports.base import ByteTransport

MAX_LINE_BYTES = 2048
_WAIT_SLICE = 0.25


class SerialScanner:
    """A Scanner on a byte transport."""

    def __init__(
        self, transport: ByteTransport, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._pending = b""
        self._is_skipping = False

    def is_alive(self) -> bool:
        """Open the line without waiting; what arrives is kept for the next wait."""
        try:
            self._pending += self._transport.read(256, 0)
        except TransientError:
            return False
        return True

    def wait_for_code(self, timeout: float, cancelled: threading.Event | None = None) -> str | None:
        """The next line; see Scanner.wait_for_code."""
        deadline = self._clock() + timeout
        while True:
            line = self._take_line()
            if line:
                return _decode(line)
            if cancelled is not None and cancelled.is_set():
                return None
            remaining = deadline - self._clock()
            data = self._transport.read(256, max(0.0, min(_WAIT_SLICE, remaining)))
            if not data and remaining <= 0:
                return None
            self._pending += data

    def discard(self) -> None:
        """Forget pending lines."""
        self._pending = b""
        self._is_skipping = False
        self._transport.discard_input()

    def close(self) -> None:
        """Close the line."""
        self._transport.close()

    def _take_line(self) -> bytes | None:
        """Take one non-empty line out of what is pending. A line over the limit is skipped to its
        end and refused.
        """
        while True:
            self._pending = (
                self._pending.lstrip(b"\r\n") if not self._is_skipping else self._pending
            )
            end = self._pending.find(b"\r")
            if end < 0:
                if len(self._pending) > MAX_LINE_BYTES:
                    self._pending = b""
                    self._is_skipping = True
                return None
            line, self._pending = self._pending[:end], self._pending[end + 1 :]
            if self._is_skipping or len(line) > MAX_LINE_BYTES:
                self._is_skipping = False
                raise TransientError("unreadable_code", "line too long")
            if line.strip():
                return line.strip()


def _decode(line: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            continue
        if text.isprintable():
            return text
    raise TransientError("unreadable_code", "not text")
