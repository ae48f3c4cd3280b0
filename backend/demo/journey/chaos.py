"""Bad weather for a crowd: the platform's faults in turn, and programs that are killed and come back.

Everything happens in a fixed order at a fixed pace, so that two runs meet the same weather.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import requests

from backend.demo.journey.wires import TIMEOUT, must, session

FAULT_SECONDS = 7.0
KILL_SECONDS = 16.0
#: Time for what was delayed to arrive and for the last questions to be asked and answered.
QUIET_SECONDS = 50.0
CALM: dict[str, Any] = {"notification": "normal", "api": "normal", "refund": "normal"}
#: A genuine signature over a wrong amount is not among them: what it freezes waits for a person.
FAULTS: tuple[dict[str, Any], ...] = (
    {"notification": {"mode": "drop", "count": 4}},
    {"api": {"mode": "lost_answer", "count": 2, "operation": "native"}},
    {"notification": {"mode": "repeat", "count": 6, "times": 4}},
    {"api": {"mode": "error500", "count": 3}},
    {"notification": {"mode": "forge", "count": 4, "forgery": "signature", "then_genuine": True}},
    {"api": {"mode": "timeout", "count": 1, "seconds": 6}},
    {"notification": {"mode": "delay", "count": 5, "seconds": 20}},
    {"api": {"mode": "bad_signature", "count": 2}},
    {"notification": {"mode": "reorder", "count": 4, "times": 3}},
    {"notification": {"mode": "forge", "count": 3, "forgery": "timestamp", "then_genuine": True}},
    {"api": {"mode": "lost_answer", "count": 2, "operation": "close"}},
    {"api": {"mode": "lost_answer", "count": 1, "operation": "query"}},
)
#: Which program is killed in turn; those that this installation does not run are passed over.
VICTIMS = ("kiosk1", "backend", "sandbox", "worker", "kiosk3", "backend", "worker", "kiosk0")


@dataclass
class Weather:
    """The bad weather while the block runs; at its end the platform behaves again."""

    sandbox_url: str
    state_file: Path
    killed: dict[str, int] = field(default_factory=dict)
    faults: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _http: requests.Session = field(default_factory=session)

    def __enter__(self) -> Self:
        for work in (self._spoil, self._kill):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(TIMEOUT)
        while not self._set_faults(CALM):
            self._over.wait(1)
        threading.Event().wait(QUIET_SECONDS)

    def summary(self) -> str:
        """What the weather did."""
        killed = ", ".join(f"{name} {count}×" for name, count in sorted(self.killed.items()))
        return f"{self.faults} faults set at the platform; killed: {killed or 'nothing'}"

    def _spoil(self) -> None:
        for fault in itertools.cycle(FAULTS):
            if self._set_faults(fault):
                self.faults += 1
            if self._over.wait(FAULT_SECONDS):
                return

    def _set_faults(self, fault: dict[str, Any]) -> bool:
        with contextlib.suppress(requests.RequestException):
            url = f"{self.sandbox_url}/sandbox/faults"
            must(self._http.put(url, json=fault, timeout=TIMEOUT), 200)
            return True
        return False  # it is one of those that get killed

    def _kill(self) -> None:
        for victim in itertools.cycle(VICTIMS):
            if self._over.wait(KILL_SECONDS):
                return
            processes = json.loads(self.state_file.read_text())["processes"]
            pid = processes.get(victim, {}).get("pid")
            if not pid:
                continue
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # gone meanwhile
                os.kill(_one_of(pid), signal.SIGKILL)
                self.killed[victim] = self.killed.get(victim, 0) + 1


def _one_of(pid: int) -> int:
    """A server's worker when it has several, so that the others go on serving; else the program itself."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if len(children) > 1 else pid
