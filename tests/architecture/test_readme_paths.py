"""The README's "I want to change X → open Y" opens what is there."""

from __future__ import annotations

import re

from tests.architecture.tree import ROOT

TOPS = "backend|design|docs|hardware_drivers|kiosk_agent|miniprogram_api|queue_display|tests|tools"
PATH = re.compile(rf"`((?:{TOPS})/[\w./-]+)`")

NAME = re.compile(rf"`((?:{TOPS})/[\w./-]+|\w+\.\w+)`")


def missing(text: str) -> list[str]:
    """Paths in backticks, from the top of the tree, that lead nowhere."""
    return [path for path in PATH.findall(text) if not (ROOT / path).exists()]


def test_every_path_of_the_readme_and_the_documents_exists() -> None:
    texts = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = {text.name: missing(text.read_text(encoding="utf-8")) for text in texts}
    assert {name: paths for name, paths in found.items() if paths} == {}
    assert missing("| prices | `backend/billing/rules.py` |") == ["backend/billing/rules.py"]


def astray(text: str) -> list[str]:
    """Names without a folder, in rows of a table, that lie neither beside the path before them nor at the top."""
    lost = []
    for row in (line for line in text.splitlines() if line.startswith("|")):
        folder = None
        for name in NAME.findall(row):
            if "/" in name:
                folder = ROOT / name if (ROOT / name).is_dir() else (ROOT / name).parent
            elif folder and not (folder / name).exists() and not (ROOT / name).exists():
                lost.append(name)
    return lost


def test_a_name_without_a_folder_lies_beside_the_path_before_it() -> None:
    assert astray((ROOT / "README.md").read_text(encoding="utf-8")) == []
    assert astray("| bills | `backend/channels/alipay_bill.py`, `card_bills.py` |") == [
        "card_bills.py"
    ]
