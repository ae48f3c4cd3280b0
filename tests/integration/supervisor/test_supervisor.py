"""The supervisor with real processes: it waits, restarts, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from backend.supervisor import ProcessSpec, Supervisor
from backend.supervisor_guard import members
from tests.services.ports import free_port, is_listening

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]


def _child(name: str, *argv: object, **more: Any) -> dict[str, Any]:
    program = [sys.executable, "children.py", *map(str, argv)]
    return {"name": name, "argv": program, **more}


class Runner:
    """A runner process with what it prints."""

    def __init__(self, folder: Path, specs: list[dict[str, Any]]) -> None:
        self.folder = folder
        # A copy of its own tells these processes from those of a test run next door.
        self.programs = str(shutil.copy(_HERE / "children.py", folder))
        for spec in specs:
            spec["argv"][1] = self.programs
        file = folder / "specs.json"
        file.write_text(json.dumps(specs))
        self.process = subprocess.Popen(
            [sys.executable, "-u", str(_HERE / "runner.py"), str(folder), str(file)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )
        self.lines: list[str] = []

    def read_until(self, words: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if words in line:
                return
        raise AssertionError(f"the runner ended without saying {words!r}: {self.lines}")

    def pid(self, name: str) -> int:
        return int(
            json.loads((self.folder / "processes.json").read_text())["processes"][name]["pid"]
        )

    def guards(self) -> list[int]:
        return [
            pid for pid in _commands_with("supervisor_guard.py") if _parent(pid) == self.process.pid
        ]

    def end(self) -> int:
        assert self.process.stdout is not None
        self.lines += [line.rstrip() for line in self.process.stdout]
        return self.process.wait(10)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    runners: list[Runner] = []

    def start_runner(*specs: dict[str, Any]) -> Runner:
        runners.append(Runner(tmp_path, list(specs)))
        return runners[-1]

    yield start_runner
    for runner in runners:
        if runner.process.poll() is None:
            runner.process.send_signal(signal.SIGTERM)
            runner.end()
        assert runner.process.stdout is not None
        runner.process.stdout.close()


def _three_free_ports() -> int:
    """Return the first of three neighbouring ports that are all free."""
    while True:
        port = free_port()
        with suppress(OSError, OverflowError):
            for number in (port, port + 1, port + 2):
                socket.create_server(("127.0.0.1", number)).close()
            return port


def _wait_until(is_true: Callable[[], bool], seconds: float) -> float:
    started = time.monotonic()
    while not is_true():
        assert time.monotonic() - started < seconds, f"not so after {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - started


def _commands_with(marker: str) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if marker in (folder / "cmdline").read_text() and int(folder.name) != os.getpid():
                    found.append(int(folder.name))
    return found


def _family(port: int) -> list[dict[str, Any]]:
    return [
        _child("family", "family", port, port=port),
        _child("stubborn", "stubborn", free := free_port(), port=free, after=["family"]),
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_outlives_the_runner(
    start: Callable[..., Runner], number: signal.Signals
) -> None:
    port = _three_free_ports()
    runner = start(*_family(port))
    runner.read_until("ALL READY")
    _wait_until(lambda: is_listening(port + 1) and is_listening(port + 2), 5)
    assert len(_commands_with(runner.programs)) >= 4
    [guard] = runner.guards()

    runner.process.send_signal(number)
    seconds = _wait_until(lambda: not _commands_with(runner.programs), 10)
    _wait_until(lambda: not any(is_listening(port + n) for n in range(3)), 10 - seconds)
    if number is signal.SIGKILL:
        _wait_until(lambda: not Path(f"/proc/{guard}").exists(), 10 - seconds)
        assert runner.end() == -signal.SIGKILL
    else:
        assert runner.end() == 0
        assert any("stubborn" in line and "killed" in line for line in runner.lines)
        assert not (runner.folder / "processes.json").exists()


def test_a_second_signal_ends_the_waiting(start: Callable[..., Runner]) -> None:
    port = free_port()
    runner = start(_child("stubborn", "stubborn", port, port=port))
    runner.read_until("ALL READY")
    runner.process.send_signal(signal.SIGINT)
    runner.read_until("stopping")
    started = time.monotonic()
    runner.process.send_signal(signal.SIGINT)
    assert runner.end() == 0
    assert time.monotonic() - started < 3


def test_a_program_starts_when_those_before_it_are_ready(start: Callable[..., Runner]) -> None:
    first, second = free_port(), free_port()
    runner = start(
        _child("second", "serve", second, port=second, after=["first"]),
        _child("first", "serve", first, port=first),
    )
    runner.read_until("ALL READY")
    told = [" ".join(line.split()[:3]) for line in runner.lines[:-1]]
    assert [line.split()[0] + " " + line.split()[2] for line in told] == [
        "first started",
        "first ready",
        "second started",
        "second ready",
    ]


def test_a_program_that_dies_is_restarted_and_leaves_its_port_free(
    start: Callable[..., Runner],
) -> None:
    port = _three_free_ports()
    runner = start(_child("family", "family", port, port=port))
    runner.read_until("ALL READY")
    before = runner.pid("family")
    os.kill(before, signal.SIGKILL)
    runner.read_until("died")
    assert "SIGKILL" in runner.lines[-1]
    runner.read_until("ready")
    assert runner.pid("family") != before
    assert is_listening(port)


def test_a_program_that_cannot_start_ends_the_run_with_its_last_words(
    start: Callable[..., Runner],
) -> None:
    port = free_port()
    runner = start(_child("steady", "serve", port, port=port), _child("broken", "crash", 7, port=1))
    assert runner.end() == 1
    assert sum("died" in line for line in runner.lines) == 2
    said = "\n".join(runner.lines)
    assert "failed" in said
    assert "exit code 7" in said
    assert "no database at this address" in said
    assert not is_listening(port)


def test_a_program_that_is_never_ready_ends_the_run(start: Callable[..., Runner]) -> None:
    runner = start(_child("mute", "never_ready", port=free_port(), ready_timeout_seconds=0.3))
    assert runner.end() == 1
    assert "not ready" in "\n".join(runner.lines)


def test_a_busy_port_is_named_before_anything_starts(start: Callable[..., Runner]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        runner = start(
            _child("free", "serve", free := free_port(), port=free),
            _child("backend", "serve", port, port=port),
        )
        assert runner.end() == 3
    said = "\n".join(runner.lines)
    assert f"{port}(backend)" in said
    assert "端口已被占用" in said
    assert "XINGLIN_PORT_BASE" in said
    assert "started" not in said
    assert not (runner.folder / "log").exists()


def test_logs_go_to_files_and_the_previous_run_is_kept(start: Callable[..., Runner]) -> None:
    for _ in range(2):
        port = free_port()
        runner = start(_child("web", "serve", port, port=port))
        runner.read_until("ALL READY")
        runner.process.send_signal(signal.SIGTERM)
        assert runner.end() == 0
    logs = runner.folder / "log"
    assert (logs / "web.log").read_text() == "serving\n"
    assert (logs / "web.log.1").read_text() == "serving\n"
    assert "serving" not in "\n".join(runner.lines)


def test_a_killed_guard_is_replaced(start: Callable[..., Runner]) -> None:
    port = _three_free_ports()
    runner = start(*_family(port))
    runner.read_until("ALL READY")
    [old] = runner.guards()
    os.kill(old, signal.SIGKILL)
    _wait_until(lambda: set(runner.guards()) - {old} != set(), 5)
    runner.process.send_signal(signal.SIGKILL)
    _wait_until(lambda: not _commands_with(runner.programs), 10)


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def test_names_are_unique_and_known(tmp_path: Path) -> None:
    one = ProcessSpec("one", ["true"])
    with pytest.raises(ValueError, match="unique"):
        Supervisor([one, one], log_dir=tmp_path)
    with pytest.raises(ValueError, match="known"):
        Supervisor([ProcessSpec("two", ["true"], after=["three"])], log_dir=tmp_path)


def test_members_of_an_unknown_run_are_none() -> None:
    assert members("no such run", set()) == []
