"""The far end of a serial line: a pseudo-terminal with a stable name."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path


class PtyPort:
    """A pty whose near end is linked as `link`; `on_bytes` gets what is written there, in a thread
    of its own.
    """

    def __init__(self, link: Path, on_bytes: Callable[[bytes], None]) -> None:
        self.link = link
        self._on_bytes = on_bytes
        # The near end stays open here too: otherwise the far end fails whenever no program has it
        # open.
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        os.set_blocking(self._far, False)
        self._wake_read, self._wake_write = os.pipe()
        temporary = link.with_name(f".{link.name}.new")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(os.ttyname(self._near))
        temporary.replace(link)
        self._thread = threading.Thread(target=self._run, name=f"pty-{link.name}", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The address a kiosk is configured with."""
        return f"serial://{self.link.absolute()}?baud=115200"

    def write(self, data: bytes) -> bool:
        """Send bytes to whoever reads; answers False when the line is full and they were lost."""
        try:
            return os.write(self._far, data) == len(data)
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Take the line down and its name away."""
        os.write(self._wake_write, b"x")
        self._thread.join()
        self.link.unlink(missing_ok=True)
        for descriptor in (self._far, self._near, self._wake_read, self._wake_write):
            os.close(descriptor)

    def _run(self) -> None:
        while True:
            ready = select.select([self._far, self._wake_read], [], [])[0]
            if self._wake_read in ready:
                return
            self._on_bytes(os.read(self._far, 4096))
