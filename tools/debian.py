"""Installs missing Debian packages: by apt as root or with passwordless sudo, else it names the
exact command and ends."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools.console import SetupError, run, step

LIST = Path(__file__).with_name("debian-packages.txt")

# Their installation starts a system service; we only ever start servers of our own.
_STARTS_SERVICE = ("pcscd", "postgresql", "redis-server")


def wanted_packages(text: str) -> list[str]:
    """Return the package names in the list, in its order; `#` starts a comment."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def missing_packages(names: Sequence[str]) -> list[str]:
    """Return those of `names` that dpkg does not know as installed."""
    if shutil.which("dpkg-query") is None:
        raise SetupError(
            "This is not a Debian system. Install the equivalents of these Debian 12 packages, "
            "then start again with XINGLIN_SKIP_DEBIAN=1:\n  " + " ".join(names)
        )
    answer = subprocess.run(
        ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *names],
        capture_output=True,
        text=True,
        check=False,  # it ends with 1 when one of them is unknown
    )
    installed = {
        line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")
    }
    return [name for name in names if name not in installed]


def install_command(names: Sequence[str]) -> list[str]:
    """Return the apt command that installs the packages and nothing merely recommended."""
    return ["apt-get", "install", "--yes", "--no-install-recommends", *names]


def ensure_packages() -> None:
    """Install what is missing; raise SetupError naming the command when we may not."""
    if os.environ.get("XINGLIN_SKIP_DEBIAN") == "1":
        return
    missing = missing_packages(wanted_packages(LIST.read_text(encoding="utf-8")))
    if not missing:
        return
    prefix = _root_prefix()
    if prefix is None:
        command = " ".join(install_command(missing))
        raise SetupError(
            f"{len(missing)} Debian packages are missing and only root may install them. Run:\n"
            f"  sudo apt-get update && sudo {command}\nthen start again."
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"Installing {len(missing)} Debian packages: {' '.join(missing)}"):
        run([*prefix, "apt-get", "update"], env=environment)
        run([*prefix, *install_command(missing)], env=environment)
        _stop_services(prefix, [name for name in _STARTS_SERVICE if name in missing])


def _root_prefix() -> list[str] | None:
    """Return what turns a command into one of root's: nothing, sudo, or None if we cannot."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asks_nothing = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    # sudo drops the environment; apt must still not ask questions.
    keep = ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"]
    return keep if asks_nothing.returncode == 0 else None


def _stop_services(prefix: Sequence[str], names: Sequence[str]) -> None:
    """Stop the services that this installation has just started; failing to is harmless."""
    for name in names:
        subprocess.run(
            [*prefix, "service", name, "stop"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
