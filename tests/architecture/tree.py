"""The files of the repository, as the architecture tests look at them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def source_files(*suffixes: str) -> tuple[Path, ...]:
    """Return the repository's files with one of the suffixes, relative to its root.

    Files that git ignores (vendor folders, the virtual environment) are not the project's own.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    paths = sorted({Path(name) for name in listed.split("\0") if name})
    return tuple(path for path in paths if path.suffix in suffixes and (ROOT / path).is_file())


def read(path: Path) -> str:
    """Return the text of a file given relative to the root."""
    return (ROOT / path).read_text(encoding="utf-8")
