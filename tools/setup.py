"""`python3 -m tools.setup`: makes a fresh Debian 12 machine able to run Xinglin.

Standard library only, since it runs before the virtual environment exists. Each part first looks
whether anything is to be done, so a second run takes a moment and says nothing.
"""

from __future__ import annotations

import fcntl
import sys
from pathlib import Path

from tools.console import SetupError, complain
from tools.debian import ensure_packages
from tools.environment import check_python, ensure_environment
from tools.frontend import ensure_frontend

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Install what is missing; return 0, or 1 after saying what a person has to do."""
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    with (var / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` at once take turns
        try:
            check_python()
            ensure_packages()
            environment = ensure_environment(ROOT)
            ensure_frontend(ROOT, environment)
        except SetupError as error:
            complain(error)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
