"""Every source file is small, says what it owns, and holds nothing that was left for later."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, read, source_files

MOST_LINES = 400

_THIS = Path(__file__).relative_to(ROOT)

_LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_SKIPS = re.compile(r"\b(pytest\.|mark\.|unittest\.)(skip|xfail|importorskip)")
_PRETENCE = re.compile(r"simulat|\bmock|\bfake", re.IGNORECASE)
_INLINE_STYLE = re.compile(r"<[^>]*\sstyle\s*=|<style\b")
_INLINE_SCRIPT = re.compile(r"<script\b(?![^>]*\b(src=|type=\"application/))")
_HANDLER = re.compile(r"<[^>]*\son(click|change|submit|load|input|key\w+)\s*=", re.IGNORECASE)
_MACHINE_PATH = re.compile(r"(?<![\w.])/(work|root)/\w")


def _lines_of(pattern: re.Pattern[str], path: Path) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for number, line in enumerate(read(path).splitlines(), start=1)
        if pattern.search(line)
    ]


def _found(pattern: re.Pattern[str], paths: tuple[Path, ...]) -> list[str]:
    return [hit for path in paths if path != _THIS for hit in _lines_of(pattern, path)]


def test_no_file_is_too_long() -> None:
    long = {
        str(path): count
        for path in source_files(".py", ".js", ".css", ".html")
        if (count := len(read(path).splitlines())) > MOST_LINES
    }
    assert long == {}


def test_every_module_says_what_it_owns() -> None:
    silent = [
        str(path)
        for path in source_files(".py")
        if read(path).strip() and ast.get_docstring(ast.parse(read(path))) is None
    ]
    assert silent == []


def test_nothing_is_left_for_later() -> None:
    assert _found(_LEFTOVERS, source_files(".py", ".js", ".css", ".html", ".md", ".toml")) == []


def test_what_asks_by_itself_keeps_no_session_awake() -> None:
    asking = _found(re.compile(r'hx-trigger="[^"]*\bevery '), source_files(".html"))
    assert asking
    assert [line for line in asking if "X-Background" not in line] == []


def test_no_test_is_skipped() -> None:
    tests = tuple(path for path in source_files(".py") if path.parts[0] == "tests")
    assert _found(_SKIPS, tests) == []


def test_business_code_pretends_nothing() -> None:
    """What is simulated hangs at the far end of a wire; no program knows of it."""
    programs = {"backend", "kiosk_agent", "miniprogram_api", "queue_display"}
    # The sandbox and the demo are pretence by trade; settings and serving only name them.
    outside = {("backend", name) for name in ("sandbox", "demo", "settings.py", "serving.py")}
    business = tuple(
        path
        for path in source_files(".py")
        if path.parts[0] in programs and path.parts[:2] not in outside
    )
    assert _found(_PRETENCE, business) == []


def test_no_path_of_one_machine() -> None:
    assert _found(_MACHINE_PATH, source_files(".py", ".js", ".html", ".md", ".toml", ".json")) == []


@pytest.mark.parametrize("pattern", [_INLINE_STYLE, _INLINE_SCRIPT, _HANDLER])
def test_templates_obey_the_strict_policy(pattern: re.Pattern[str]) -> None:
    assert _found(pattern, source_files(".html")) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (_LEFTOVERS, "# TODO later"),
        (_SKIPS, "@pytest.mark.skip"),
        (_PRETENCE, "if simulated:"),
        (_INLINE_STYLE, '<p style="color:red">'),
        (_INLINE_SCRIPT, "<script>alert(1)</script>"),
        (_HANDLER, '<a onclick="x()">'),
        (_MACHINE_PATH, "see /root/x"),
    ],
)
def test_each_pattern_finds_what_it_forbids(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


@pytest.mark.parametrize(
    "text", ['<script src="a.js" defer></script>', '<script type="application/json">']
)
def test_scripts_from_files_and_data_blocks_are_fine(text: str) -> None:
    assert not _INLINE_SCRIPT.search(text)
