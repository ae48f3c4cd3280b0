"""The rules of every test run, seen from outside: no test is passed over, services are real."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.ports import free_port, is_listening

_ROOT = Path(__file__).resolve().parents[3]

_PYTEST = [
    sys.executable,
    "-m",
    "pytest",
    "-q",
    "-p",
    "no:cacheprovider",
    "-c",
    str(_ROOT / "pyproject.toml"),
]

# Put together here, so that no file of ours contains a test that is passed over.
_MARK = "@pytest.mark."


def _run(folder: Path, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    file = folder / "test_inner.py"
    file.write_text(f"import pytest\n\n{body}\n")
    return subprocess.run(
        [*_PYTEST, f"--rootdir={folder}", str(file), *options],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("parallel", [[], ["-n", "1"]])
def test_a_test_that_is_passed_over_fails_the_run(tmp_path: Path, parallel: list[str]) -> None:
    body = (
        "def test_runs(): pass\n\n"
        f"{_MARK}skip\ndef test_marked(): pass\n\n"
        "def test_gives_up(): getattr(pytest, 'sk' 'ip')('no printer')\n\n"
        f"{_MARK}xfail\ndef test_expected(): assert False\n"
    )
    result = _run(tmp_path, body, *parallel)
    assert result.returncode == 1
    assert "1 passed, 2 skipped, 1 xfailed" in result.stdout
    said = result.stdout.partition("skipped or xfailed, which fails the run")[2]
    for name in ("test_marked", "test_gives_up", "test_expected"):
        assert name in said


def test_a_warning_fails_its_test(tmp_path: Path) -> None:
    body = "import warnings\n\ndef test_warns(): warnings.warn('old')\n\ndef test_runs(): pass"
    result = _run(tmp_path, body)
    assert result.returncode == 1
    assert "1 failed, 1 passed" in result.stdout


def test_a_run_without_a_required_service_fails(tmp_path: Path) -> None:
    result = _run(tmp_path, "def test_it(): pass", "--require-services=redis,pcscd")
    assert result.returncode == 1
    assert "not used, but required: redis, pcscd" in result.stdout


def test_a_used_service_is_named_and_gone_afterwards(tmp_path: Path) -> None:
    body = (
        "from pathlib import Path\n"
        "from tests.services import redis, used\n\n"
        "def test_it():\n"
        "    with redis.running_redis() as server:\n"
        "        used.record('redis', server.version)\n"
        f"        Path({str(tmp_path / 'port')!r}).write_text(str(server.port))\n"
    )
    result = _run(tmp_path, body, "--require-services=redis", "-n", "1")
    assert result.returncode == 0, result.stdout
    assert "redis 7." in result.stdout
    assert not is_listening(int((tmp_path / "port").read_text()))


def test_free_ports_are_free() -> None:
    assert not is_listening(free_port())
