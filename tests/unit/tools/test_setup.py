"""The set-up: what it finds missing, what it says when it may not install, what it writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import debian, environment, frontend
from tools.console import SetupError, run, step


def test_the_list_of_packages_ignores_comments() -> None:
    assert debian.wanted_packages("# head\n\na   # why\nb-1.2\n") == ["a", "b-1.2"]


def test_only_what_dpkg_does_not_have_is_missing() -> None:
    assert debian.missing_packages(["dpkg", "no-such-package-anywhere"]) == [
        "no-such-package-anywhere"
    ]


def test_whoever_may_not_install_is_told_the_exact_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packages = tmp_path / "packages.txt"
    packages.write_text("no-such-package-anywhere\n")
    monkeypatch.setattr(debian, "LIST", packages)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda name: None if name == "sudo" else f"/usr/bin/{name}")
    with pytest.raises(SetupError) as caught:
        debian.ensure_packages()
    assert (
        "sudo apt-get update && sudo apt-get install --yes --no-install-recommends "
        "no-such-package-anywhere"
    ) in str(caught.value)


def test_another_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    environment.check_python()
    monkeypatch.setattr("sys.version_info", (3, 13, 0, "final", 0))
    with pytest.raises(SetupError, match=r"Python 3\.11"):
        environment.check_python()


def test_commands_of_the_project_are_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project.scripts]\nhello = "greetings.words:main"\n')
    made = tmp_path / ".venv"
    (made / "bin").mkdir(parents=True)
    site_packages = made / "lib" / "python3.11" / "site-packages"
    site_packages.mkdir(parents=True)
    for _ in range(2):
        environment.write_launchers(tmp_path, made)
    launcher = made / "bin" / "hello"
    assert os.access(launcher, os.X_OK)
    assert launcher.read_text().startswith(f"#!{made}/bin/python\n")
    assert "from greetings.words import main" in launcher.read_text()
    assert (site_packages / "xinglin.pth").read_text() == f"{tmp_path}\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for source in frontend.LIBRARIES:
        file = tmp_path / "node_modules" / source
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    (tmp_path / "design").mkdir()
    (tmp_path / "design" / "tokens.css").write_text(":root {}")
    (tmp_path / "design" / "README.md").write_text("words")
    return tmp_path


def test_files_are_copied_once_and_again_when_they_change(checkout: Path) -> None:
    assert frontend.copy_files(checkout) > 0
    assert (checkout / "backend/static/vendor/htmx.min.js").exists()
    assert (checkout / "kiosk_agent/static/vendor/tokens.css").exists()
    assert not (checkout / "kiosk_agent/static/vendor/README.md").exists()
    assert frontend.copy_files(checkout) == 0
    (checkout / "design" / "tokens.css").write_text(":root{}!")
    assert frontend.copy_files(checkout) == len(frontend.DESIGN_FOLDERS)


def test_a_library_that_lost_a_file_is_named(checkout: Path) -> None:
    (checkout / "node_modules/htmx.org/dist/htmx.min.js").unlink()
    with pytest.raises(SetupError, match="htmx"):
        frontend.copy_files(checkout)


def test_a_failing_command_shows_the_end_of_its_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SetupError, match="no such mirror"), step("Fetching"):
        run(["sh", "-c", "echo no such mirror; exit 4"])
    assert capsys.readouterr().out == "· Fetching … failed\n"
