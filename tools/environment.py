"""Makes `.venv`: the virtual environment of exactly the pinned requirements.txt, with the
project's own commands in its `bin`."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tomllib
from pathlib import Path

from tools.console import SetupError, run, step

_STAMP = ".xinglin-stamp"
_LAUNCHER = """\
#!{python}
import sys

from {module} import {function}

if __name__ == "__main__":
    sys.exit({function}())
"""


def check_python() -> None:
    """Raise SetupError unless this interpreter is the release that requirements.txt is made for."""
    if sys.version_info[:2] != (3, 11):
        raise SetupError(
            f"Xinglin runs on Python 3.11 (Debian 12's python3); {sys.executable} is "
            f"{sys.version.split()[0]}. Start again with `make PYTHON=/path/to/python3.11 …`."
        )


def ensure_environment(root: Path) -> Path:
    """Make or renew `root/.venv` when it does not fit the lock, and return it. Idempotent."""
    environment = root / ".venv"
    stamp = environment / _STAMP
    fingerprint = _fingerprint(root)
    if not (stamp.exists() and stamp.read_text(encoding="utf-8") == fingerprint):
        stamp.unlink(missing_ok=True)
        _install(root, environment)
        stamp.write_text(fingerprint, encoding="utf-8")
    write_launchers(root, environment)
    return environment


def write_launchers(root: Path, environment: Path) -> None:
    """Put the `[project.scripts]` into the environment and the checkout on its import path.

    Plain files rather than an editable install: nothing to build, and a moved entry point is
    right at the next start.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, target in project.get("scripts", {}).items():
        module, _, function = target.partition(":")
        _write(
            environment / "bin" / name,
            _LAUNCHER.format(
                python=environment / "bin" / "python", module=module, function=function
            ),
            mode=0o755,
        )
    site_packages = next((environment / "lib").glob("python3.*/site-packages"))
    _write(site_packages / "xinglin.pth", f"{root}\n", mode=0o644)


def _install(root: Path, environment: Path) -> None:
    lock = root / "requirements.txt"
    pins = [line for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line]
    if not _is_usable(environment):
        with step("Making the virtual environment .venv"):
            shutil.rmtree(environment, ignore_errors=True)
            run([sys.executable, "-m", "venv", environment])
    with step(f"Installing {len(pins)} Python packages (about a minute)"):
        # The lock is complete, so pip need not look for more.
        pip = [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        run([*pip, "install", "--quiet", "--no-deps", "--requirement", str(lock)])


def _is_usable(environment: Path) -> bool:
    """Say whether the environment exists and was made by this interpreter at this place."""
    configuration = environment / "pyvenv.cfg"
    if not (configuration.exists() and (environment / "bin" / "pip").exists()):
        return False
    interpreter = (environment / "bin" / "python").resolve()
    first_line = (environment / "bin" / "pip").read_text(encoding="utf-8").partition("\n")[0]
    return interpreter == Path(sys.executable).resolve() and str(environment) in first_line


def _fingerprint(root: Path) -> str:
    digest = hashlib.sha256((root / "requirements.txt").read_bytes())
    digest.update(f"{root}\0{sys.version}".encode())
    return digest.hexdigest()


def _write(path: Path, text: str, *, mode: int) -> None:
    if not (path.exists() and path.read_text(encoding="utf-8") == text):
        path.write_text(text, encoding="utf-8")
    path.chmod(mode)
