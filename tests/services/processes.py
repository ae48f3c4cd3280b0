"""Starts and ends the server processes of a test run so that none outlives it.

Each child gets a session of its own and asks the kernel for a signal when its parent dies, so
even a test run ended by SIGKILL leaves no server behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path


def start_server(
    argv: Sequence[str | Path],
    *,
    log: Path,
    user: str | None = None,
    death_signal: str = "TERM",
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server whose output goes to `log`; `user` drops root to that account first."""
    wrapper = ["setpriv", "--pdeathsig", death_signal]
    if user is not None and os.geteuid() == 0:
        wrapper += ["--reuid", user, "--regid", user, "--init-groups"]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*wrapper, "--", *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd,
        )


def stop_server(
    process: subprocess.Popen[bytes],
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    timeout_seconds: float = 10.0,
) -> None:
    """Ask the server to end, wait, and kill it when it does not."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout_seconds)
