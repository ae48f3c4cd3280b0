"""A serial line through pyserial, reopened by itself after the adapter was unplugged or the far end
went away.
"""

from __future__ import annotations

import termios
import threading

import serial

from hardware_drivers.errors import TransientError

# termios.error is neither of the two others.
_FAILURES = (serial.SerialException, OSError, termios.error)


class SerialTransport:
    """8N1 serial port at `path` (a device or a link to one)."""

    def __init__(self, path: str, baud: int = 115200) -> None:
        self.path = path
        self.baud = baud
        self._port: serial.Serial | None = None
        self._lock = threading.RLock()

    def _open(self) -> serial.Serial:
        with self._lock:
            if self._port is None:
                try:
                    self._port = serial.Serial(self.path, self.baud, timeout=0, write_timeout=3)
                except _FAILURES as error:
                    raise TransientError("unreachable", f"cannot open {self.path}") from error
            return self._port

    def write(self, data: bytes) -> None:
        """Send all of `data`; see ByteTransport.write."""
        port = self._open()
        try:
            port.write(data)
            port.flush()
        except _FAILURES as error:
            self.close()
            raise TransientError("connection_lost", self.path) from error

    def read(self, size: int, timeout: float) -> bytes:
        """Return what is there, at most `size` bytes; see ByteTransport.read."""
        port = self._open()
        try:
            port.timeout = timeout
            first = port.read(1)
            if not first:
                return b""
            # Take what has already arrived, but do not wait for more: a frame may be shorter than
            # `size`.
            port.timeout = 0
            return bytes(first + port.read(size - 1)) if size > 1 else bytes(first)
        except (*_FAILURES, TypeError) as error:
            # pyserial raises TypeError when another thread closes the port under a read.
            self.close()
            raise TransientError("connection_lost", self.path) from error

    def discard_input(self) -> None:
        """Drop bytes received so far."""
        if self._port is not None:
            try:
                self._port.reset_input_buffer()
            except _FAILURES as error:
                self.close()
                raise TransientError("connection_lost", self.path) from error

    def close(self) -> None:
        """Close the port; the next use opens it again."""
        with self._lock:
            port, self._port = self._port, None
            if port is not None:
                port.close()
