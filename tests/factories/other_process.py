"""The same value made by another Python process, whose hashes differ from ours."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def digest(value: object) -> str:
    """A digest of how ``value`` is written."""
    return hashlib.sha256(repr(value).encode()).hexdigest()


def digest_elsewhere(preparation: str, expression: str) -> str:
    """The digest of ``expression`` after the statements of ``preparation``, from a process of its own."""
    program = f"from tests.factories.other_process import digest\n{preparation}\nprint(digest({expression}))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4242", "PYTHONUTF8": "1"},
        text=True,
    )
    return done.stdout.strip()
