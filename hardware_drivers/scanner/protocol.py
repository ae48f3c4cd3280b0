"""What any scanner gives: one line of text a scan."""

from __future__ import annotations

import threading
from typing import Protocol


class Scanner(Protocol):
    """One scanner; one thread waits at a time."""

    def is_alive(self) -> bool:
        """Whether the line can be opened. Never raises. (A scanner says nothing until something is
        scanned.)
        """

    def wait_for_code(self, timeout: float, cancelled: threading.Event | None = None) -> str | None:
        """The next scanned text; None after `timeout` seconds or once `cancelled` is set.

        Raises TransientError `unreachable`, `connection_lost`, `unreadable_code` (too long or not
        text).
        """

    def discard(self) -> None:
        """Forget what was scanned before it was asked for."""

    def close(self) -> None:
        """Let go of the line."""
