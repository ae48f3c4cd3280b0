"""A bar-code scanner on a pty: each scan is one line in UTF-8 ended by CR."""

from __future__ import annotations

from pathlib import Path

from hardware_drivers.simulators.pty_port import PtyPort

MAX_TEXT_BYTES = 2000


class ScannerSimulator:
    """A scanner whose laser is the method `scan`."""

    def __init__(self, link: Path) -> None:
        self.port = PtyPort(link, lambda _data: None)

    def scan(self, text: str) -> bool:
        """Send one code; False when nobody has read the line for so long that it is full.

        Raises ValueError for a text no scanner would send (control characters, too long, empty).
        """
        data = text.encode("utf-8")
        if not text.strip() or not text.isprintable() or len(data) > MAX_TEXT_BYTES:
            raise ValueError("text")
        return self.port.write(data + b"\r")

    def close(self) -> None:
        """Unplug it."""
        self.port.close()
