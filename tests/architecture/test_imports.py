"""The import contracts of pyproject.toml see what they forbid: each is broken once, in a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, source_files

_PACKAGES = ("backend", "hardware_drivers", "kiosk_agent", "miniprogram_api", "queue_display")

_PLANTS = [
    ("Layers of the backend, complete", "backend/kernel/planted.py", "import backend.patients"),
    ("Layers of the backend, complete", "backend/billing/planted.py", "import backend.scheduling"),
    ("Layers of the backend, complete", "backend/planted.py", ""),
    ("Layers across the programs", "backend/patients/planted.py", "import miniprogram_api"),
    ("Inside a domain", "backend/billing/errors.py", "import backend.billing.service"),
    ("A domain's models are its own", "backend/wechat/x.py", "import backend.billing.models"),
    (
        "Rules are pure: no database, no web",
        "backend/billing/rules/amounts.py",
        "import sqlalchemy",
    ),
    ("Flask at the edges only", "backend/billing/planted.py", "import flask"),
    ("The payment library behind one gateway", "backend/billing/x.py", "import wechatpayv3"),
    (
        "The sandbox stands alone: it knows nothing of us",
        "backend/sandbox/planted.py",
        "import backend.kernel",
    ),
    (
        "The sandbox stands alone: nobody imports it",
        "backend/wechat/planted.py",
        "import backend.sandbox",
    ),
    (
        "Kiosk over drivers; both reach the backend by HTTP",
        "hardware_drivers/planted.py",
        "import kiosk_agent",
    ),
    (
        "Kiosk and drivers import no server code",
        "kiosk_agent/planted.py",
        "import backend.kernel",
    ),
    (
        "The backend imports no kiosk and no driver",
        "backend/billing/planted.py",
        "import hardware_drivers",
    ),
    (
        "Simulators are written from the wire format: no driver code",
        "hardware_drivers/simulators/planted.py",
        "import hardware_drivers.receipt_printer",
    ),
    (
        "Drivers have no mock mode: nobody imports a simulator",
        "hardware_drivers/id_card/planted.py",
        "import hardware_drivers.simulators",
    ),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's Python files, where a test may plant something."""
    folder = tmp_path_factory.mktemp("planted")
    for path in source_files(".py"):
        if path.parts[0] in {*_PACKAGES, "tools"}:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, folder / path)
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    return folder


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    # `-S` keeps the checkout, which the environment puts on the import path, out of sight.
    program = (
        "import sys, site; site.addsitedir = lambda *_: None; "
        f"sys.path[:0] = [{str(folder)!r}]; "
        "from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("contract", "file", "line"), _PLANTS, ids=[f"{file}: {line}" for _, file, line in _PLANTS]
)
def test_a_planted_import_breaks_its_contract(
    copy: Path, contract: str, file: str, line: str
) -> None:
    path = copy / file
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        result = _lint(copy)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")
    assert result.returncode != 0
    assert f"{contract} BROKEN" in result.stdout, result.stdout + result.stderr
    broken = result.stdout.partition("Broken contracts")[2]
    assert file.removesuffix(".py").replace("/", ".") in broken


def test_every_contract_has_a_plant() -> None:
    listed = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    names = {
        line.partition('"')[2].rstrip('"')
        for line in listed.partition("[tool.importlinter]")[2].splitlines()
        if line.startswith("name = ")
    }
    assert names == {contract for contract, _, _ in _PLANTS}
