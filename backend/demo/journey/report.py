"""Prints a journey's steps with their times, and sums up a crowd."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console

from backend.demo.journey.wires import StepFailed


@dataclass
class Report:
    """Collects what happened; safe to share between threads."""

    console: Console
    is_quiet: bool = False
    finished: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def step(self, who: str, what: str) -> Iterator[list[str]]:
        """Time one step; add words to the yielded list to have them printed behind it."""
        began = time.monotonic()
        notes: list[str] = []
        try:
            yield notes
        except StepFailed as failure:
            raise StepFailed(f"{what}: {failure}") from failure
        if not self.is_quiet:
            with self._lock:
                took = time.monotonic() - began
                self.console.print(f"{who}  {took:6.2f} s  {what}  {'  '.join(notes)}".rstrip())

    def done(self, who: str, seconds: float) -> None:
        """A whole visit is over."""
        with self._lock:
            self.finished += 1
            self.seconds.append(seconds)
            self.console.print(f"{who}  {seconds:6.2f} s  done")

    def failed(self, who: str, failure: Exception) -> None:
        """A visit went wrong."""
        with self._lock:
            self.failures.append(f"{who}: {failure}")
            self.console.print(f"[red]{who}  wrong:[/red] {failure}", markup=True)
