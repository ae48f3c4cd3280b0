"""Ends every process of a run: for the runner when it stops, and in its place when it was killed.

A process belongs to a run when it carries the run's mark in its environment, or lives in the
session of a process the runner started (some servers overwrite their environment). Both survive
forks, and the mark survives new sessions, so grandchildren are found as well.

Executed as a program (`python -I supervisor_guard.py RUN_ID`), it reads session numbers from its
standard input. The end of that input means that the runner is gone, in whatever way: the kernel
closes the pipe even after SIGKILL. Standard library only and no imports from the project.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

MARK = "XINGLIN_RUN_ID"

LEADERS_SECONDS = 5.0  # for the processes themselves to end what they started
REST_SECONDS = 1.5  # for what they left behind
KILL_SECONDS = 1.5  # for the kernel to take away what was killed
_POLL_SECONDS = 0.05


def members(run_id: str, sessions: Collection[int]) -> list[int]:
    """Return the process ids of a run that are alive, zombies and the caller excepted."""
    mark = f"{MARK}={run_id}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        # A process may end while we look at it, and other people's are not ours to read.
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            state, session = _state_and_session(folder)
            if state in {"Z", "X"}:
                continue
            if session in sessions or mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def end_run(
    run_id: str,
    sessions: Collection[int],
    *,
    is_impatient: Callable[[], bool] = lambda: False,
    reap: Callable[[], None] = lambda: None,
) -> list[int]:
    """End every process of the run within 8 s; return those that had to be killed.

    First the session leaders get SIGTERM, so that each ends its own children in its own order;
    then SIGTERM goes to whatever is left, then SIGKILL. `reap` is called while waiting, so a
    parent can collect its children; `is_impatient` cuts the waiting short.
    """

    def wait(seconds: float, is_over: Callable[[list[int]], bool]) -> list[int]:
        deadline = time.monotonic() + seconds
        while True:
            reap()
            alive = members(run_id, sessions)
            if is_over(alive) or is_impatient() or time.monotonic() >= deadline:
                return alive
            time.sleep(_POLL_SECONDS)

    leaders = set(sessions)
    _send(leaders.intersection(members(run_id, sessions)), signal.SIGTERM)
    rest = wait(LEADERS_SECONDS, leaders.isdisjoint)
    _send(rest, signal.SIGTERM)
    rest = wait(REST_SECONDS, lambda alive: not alive)
    killed: set[int] = set()
    deadline = time.monotonic() + KILL_SECONDS
    while rest and time.monotonic() < deadline:
        _send(rest, signal.SIGKILL)
        killed.update(rest)
        time.sleep(_POLL_SECONDS)
        reap()
        rest = members(run_id, sessions)
    return sorted(killed)


def kill_session(session: int) -> None:
    """Kill what a dead process left in its session, so that a successor finds its port free."""
    _send([pid for pid in members("", {session}) if pid != session], signal.SIGKILL)


def _state_and_session(folder: Path) -> tuple[str, int]:
    # The second field is the command in parentheses and may itself contain any character.
    fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
    state, _parent, _group, session = fields.split()[:4]
    return state, int(session)


def _send(pids: Collection[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def main() -> int:
    """Wait for the runner to be gone, then end what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    run_id = sys.argv[1]
    sessions = {int(line) for line in sys.stdin}
    end_run(run_id, sessions)
    return 0


if __name__ == "__main__":
    sys.exit(main())
