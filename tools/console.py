"""One line of progress for each long step of the set-up, and errors a person can act on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class SetupError(Exception):
    """The set-up cannot go on; the text says what to do."""


@contextmanager
def step(words: str) -> Iterator[None]:
    """Print `words` now and the seconds it took when the block ends."""
    print(f"· {words} …", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started:.0f} s", flush=True)


def run(
    argv: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Run a command quietly; raise SetupError with the end of its output when it fails."""
    completed = subprocess.run(
        [str(part) for part in argv],
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if completed.returncode != 0:
        tail = "\n".join(completed.stdout.strip().splitlines()[-20:])
        command = " ".join(str(part) for part in argv)
        raise SetupError(f"{tail}\n\nThis command ended with {completed.returncode}: {command}")


def complain(error: SetupError) -> None:
    """Print what stopped the set-up, on standard error."""
    print(f"\n{error}", file=sys.stderr)
