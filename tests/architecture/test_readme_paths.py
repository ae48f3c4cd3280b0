"""The README's "I want to change X → open Y" opens what is there."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT

TOPS = "backend|design|docs|hardware_drivers|kiosk_agent|miniprogram_api|queue_display|tests|tools"
PATH = re.compile(rf"`((?:{TOPS})/[\w./-]+)`")


def missing(text: str) -> list[str]:
    """Paths in backticks, from the top of the tree, that lead nowhere."""
    return [path for path in PATH.findall(text) if not (ROOT / path).exists()]


def test_every_path_of_the_readme_and_the_documents_exists() -> None:
    texts = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = {text.name: missing(text.read_text(encoding="utf-8")) for text in texts}
    assert {name: paths for name, paths in found.items() if paths} == {}
    assert missing("| prices | `backend/billing/rules.py` |") == ["backend/billing/rules.py"]
