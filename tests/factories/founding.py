"""`xinglin hospital` over a test database, at the test's clock; what it prints is read back."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from backend import founding
from backend.bootstrap import Program

HEADINGS = "code,name,kind,place,prefix,rooms"


class Terminal:
    """Runs the commands of one program; ``said`` is what the last one printed, ``status`` how it ended."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.said = ""
        self.status = -1

    def create(
        self, *, code: str = "XL", name: str = "杏林肿瘤医院", username: str = "boss"
    ) -> str:
        """Found a hospital; the one-time password, empty when refused."""
        console, printed = _console()
        self.status = founding.create(console, self.program, code, name, username, "周正")
        self.said = printed.getvalue()
        return self._password()

    def departments(
        self, file: Path, *rows: str, code: str = "XL", is_dry_run: bool = False
    ) -> None:
        """Bring rows written into ``file`` under the headings."""
        file.write_text("\n".join((HEADINGS, *rows)), "utf-8")
        console, printed = _console()
        self.status = founding.departments(console, self.program, file, code, is_dry_run=is_dry_run)
        self.said = printed.getvalue()

    def issue_password(self, username: str) -> str:
        """Another one-time password; empty when refused."""
        console, printed = _console()
        self.status = founding.issue_password(console, self.program, username)
        self.said = printed.getvalue()
        return self._password()

    def _password(self) -> str:
        found = re.search(r"one-time password: (\S+)", self.said)
        return found[1] if found else ""


def _console() -> tuple[Console, io.StringIO]:
    printed = io.StringIO()
    return Console(file=printed, width=160), printed
