"""What the set-up installs is pinned whole, and from no particular address."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from tests.architecture.tree import read

_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def _normal(requirement: str) -> str:
    match = _NAME.match(requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def test_every_python_dependency_is_pinned() -> None:
    project = tomllib.loads(_text("pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    lines = [line for line in _text("requirements.txt").splitlines() if line]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==\S+", line)] == []
    pinned = {_normal(line) for line in lines}
    assert {_normal(name) for name in wanted} - pinned == set()


def test_dependencies_stand_in_alphabetical_order() -> None:
    project = tomllib.loads(_text("pyproject.toml"))
    for names in (project["project"]["dependencies"], project["dependency-groups"]["dev"]):
        assert [_normal(name) for name in names] == sorted(_normal(name) for name in names)


def test_front_end_libraries_are_pinned_by_checksum_without_addresses() -> None:
    lock = json.loads(_text("package-lock.json"))
    wanted = json.loads(_text("package.json"))["dependencies"]
    assert lock["packages"][""]["dependencies"] == wanted
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    for name, entry in lock["packages"].items():
        assert "resolved" not in entry, name
        assert name == "" or entry["integrity"].startswith("sha512-"), name


def _text(name: str) -> str:
    return read(Path(name))
