"""Runs the programs of one machine as children: start in order, wait until each is ready, restart
what dies, and leave no process behind however the runner itself ends.

Three nets, each enough alone for most cases: the runner ends all on SIGINT, SIGTERM and SIGHUP;
each child asks the kernel for SIGTERM when the runner dies; a guard process ends the whole run,
grandchildren included, when the runner's pipe closes (see `supervisor_guard`).

Standard library only: it must work before anything else does. Why not honcho: docs/adr/0001.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FrameType

from backend import supervisor_guard as guard

_POLL_SECONDS = 0.1
_START_ATTEMPTS = 3
_LONGEST_BACK_OFF_SECONDS = 30.0
_STEADY_SECONDS = 60.0  # a process that lived this long is restarted at once again


@dataclass(frozen=True)
class ProcessSpec:
    """One program to run.

    `ready_url` answers 2xx once the program serves; without it an open `port` counts, without
    both the program is ready as soon as it runs. `after` names programs that must be ready first.
    `env` is added to the runner's own environment.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    ready_url: str | None = None
    after: Sequence[str] = ()
    ready_timeout_seconds: float = 60.0


class ProcessState(StrEnum):
    """What the runner tells about a program."""

    STARTED = "started"
    READY = "ready"
    DIED = "died"
    FAILED = "failed"
    STOPPING = "stopping"
    KILLED = "killed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class ProcessEvent:
    """A change worth a line on the console; `name` is empty when it concerns the whole run."""

    state: ProcessState
    name: str = ""
    detail: str = ""


class PortBusyError(Exception):
    """A port that a program needs is taken; nothing was started."""

    def __init__(self, busy: Sequence[tuple[str, int]]) -> None:
        self.busy = list(busy)
        chinese = "、".join(f"{port}({name})" for name, port in self.busy)
        english = ", ".join(f"{port} ({name})" for name, port in self.busy)
        super().__init__(
            f"端口已被占用：{chinese}。请结束占用它的程序，或用 XINGLIN_PORT_BASE 换一组端口，"
            f"例如 XINGLIN_PORT_BASE=9000。\n"
            f"Port in use: {english}. End the program that holds it, or move all ports with "
            f"XINGLIN_PORT_BASE, for example XINGLIN_PORT_BASE=9000."
        )


_WORDS = {
    ProcessState.STARTED: "启动 started",
    ProcessState.READY: "就绪 ready",
    ProcessState.DIED: "退出 died",
    ProcessState.FAILED: "失败 failed",
    ProcessState.STOPPING: "正在停止 stopping",
    ProcessState.KILLED: "强制结束 killed",
    ProcessState.STOPPED: "已停止 stopped",
}


def print_event(event: ProcessEvent) -> None:
    """Write an event as one line to standard output (several for the log's end of a failure)."""
    words = [part for part in (event.name.ljust(12), _WORDS[event.state], event.detail) if part]
    sys.stdout.write("  ".join(words).strip() + "\n")
    sys.stdout.flush()


@dataclass
class _Child:
    spec: ProcessSpec
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    is_ready: bool = False
    was_ready: bool = False
    deaths: int = 0  # since it last ran steadily
    start_not_before: float = 0.0


class Supervisor:
    """Runs programs until a signal ends it. Use it from the main thread, once."""

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        log_dir: Path,
        state_file: Path | None = None,
        on_event: Callable[[ProcessEvent], None] = print_event,
    ) -> None:
        names = [spec.name for spec in specs]
        unknown = {name for spec in specs for name in spec.after} - set(names)
        if len(set(names)) != len(names) or unknown:
            raise ValueError(f"names must be unique and known: {names}, after {sorted(unknown)}")
        self._children = {spec.name: _Child(spec) for spec in specs}
        self._log_dir = log_dir
        self._state_file = state_file
        self._on_event = on_event
        self._run_id = uuid.uuid4().hex
        self._sessions: set[int] = set()
        self._guard: subprocess.Popen[bytes] | None = None
        self._signals = 0

    def check_ports(self) -> None:
        """Raise PortBusyError naming every port of ours that something else holds."""
        busy = [
            (child.spec.name, child.spec.port)
            for child in self._children.values()
            if child.spec.port is not None and not _can_bind(child.spec.port)
        ]
        if busy:
            raise PortBusyError(busy)

    def run(self, on_ready: Callable[[], None] = lambda: None) -> int:
        """Start everything, call `on_ready` once all are ready, and watch until told to end.

        Returns 0 after SIGINT, SIGTERM or SIGHUP, 1 when a program cannot be started. Every
        process of the run has ended when this returns. Raises PortBusyError before any start.
        """
        self.check_ports()
        self._log_dir.mkdir(parents=True, exist_ok=True)
        for name in self._children:
            with suppress(FileNotFoundError):
                self._log(name).rename(self._log(name).with_suffix(".log.1"))
        with self._listening_to_signals() as wake:
            try:
                return self._watch(wake, on_ready)
            finally:
                self._stop()

    def _watch(self, wake: int, on_ready: Callable[[], None]) -> int:
        has_told = False
        while not self._signals:
            if self._guard is None or self._guard.poll() is not None:
                self._start_guard()
            for child in self._children.values():
                if not self._look_after(child):
                    return 1
            if not has_told and all(child.is_ready for child in self._children.values()):
                has_told = True
                on_ready()
            select.select([wake], [], [], _POLL_SECONDS)
        return 0

    def _look_after(self, child: _Child) -> bool:
        """Take a program one step further; return False when the run has to be given up."""
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_not_before and self._may_start(child):
                self._start(child)
            return True
        code = child.process.poll()
        if code is not None:
            return self._after_death(child, child.process.pid, code)
        if not child.is_ready:
            if _is_ready(child.spec):
                child.is_ready = child.was_ready = True
                self._tell(ProcessState.READY, child, f"{now - child.started_at:.1f} s")
            elif now - child.started_at > child.spec.ready_timeout_seconds:
                self._give_up(child, f"{child.spec.ready_timeout_seconds:.0f} s 内未就绪 not ready")
                return False
        return True

    def _may_start(self, child: _Child) -> bool:
        return all(self._children[name].is_ready for name in child.spec.after)

    def _start(self, child: _Child) -> None:
        spec = child.spec
        with self._log(spec.name).open("ab") as log:
            child.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *spec.argv],
                env={**os.environ, **spec.env, guard.MARK: self._run_id},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._sessions.add(child.process.pid)
        self._inform_guard([child.process.pid])
        child.started_at = time.monotonic()
        child.is_ready = False
        self._tell(ProcessState.STARTED, child)

    def _after_death(self, child: _Child, pid: int, code: int) -> bool:
        """Plan the restart of a program that ended by itself, slower each time."""
        guard.kill_session(pid)
        self._sessions.discard(pid)
        now = time.monotonic()
        child.deaths = 1 if now - child.started_at > _STEADY_SECONDS else child.deaths + 1
        child.process = None
        child.is_ready = False
        if not child.was_ready and child.deaths >= _START_ATTEMPTS:
            self._give_up(child, _in_words(code))
            return False
        delay = min(2.0 ** (child.deaths - 1), _LONGEST_BACK_OFF_SECONDS)
        child.start_not_before = now + delay
        self._tell(ProcessState.DIED, child, f"{_in_words(code)}, {delay:.0f} s 后重启 restarts")
        return True

    def _give_up(self, child: _Child, reason: str) -> None:
        log = self._log(child.spec.name)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        self._tell(ProcessState.FAILED, child, "\n".join([f"{reason}; {log}:", *lines]))

    def _stop(self) -> None:
        self._on_event(ProcessEvent(ProcessState.STOPPING))

        def reap() -> None:
            for child in self._children.values():
                if child.process is not None:
                    child.process.poll()

        killed = guard.end_run(
            self._run_id, self._sessions, is_impatient=lambda: self._signals > 1, reap=reap
        )
        for name, child in self._children.items():
            if child.process is not None and child.process.pid in killed:
                self._on_event(ProcessEvent(ProcessState.KILLED, name))
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()  # it finds nothing left to end, and ends
            self._guard.wait()
        if self._state_file is not None:
            self._state_file.unlink(missing_ok=True)
        self._on_event(ProcessEvent(ProcessState.STOPPED))

    def _start_guard(self) -> None:
        self._guard = subprocess.Popen(
            [sys.executable, "-I", guard.__file__, self._run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._inform_guard(self._sessions)

    def _inform_guard(self, sessions: Iterable[int]) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            # Straight to the pipe. A guard that has just been killed gets a successor.
            with suppress(BrokenPipeError):
                os.write(self._guard.stdin.fileno(), "".join(f"{n}\n" for n in sessions).encode())

    @contextmanager
    def _listening_to_signals(self) -> Iterator[int]:
        """Count ending signals; yield a file descriptor that becomes readable at each."""
        reading, writing = os.pipe()

        def note(_number: int, _frame: FrameType | None) -> None:
            self._signals += 1
            os.write(writing, b"!")

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, note) for number in numbers}
        try:
            yield reading
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(reading)
            os.close(writing)

    def _tell(self, state: ProcessState, child: _Child, detail: str = "") -> None:
        self._on_event(ProcessEvent(state, child.spec.name, detail))
        if self._state_file is None:
            return
        processes = {
            name: {
                "pid": other.process.pid if other.process else None,
                "port": other.spec.port,
                "ready": other.is_ready,
            }
            for name, other in self._children.items()
        }
        new = self._state_file.with_suffix(".new")
        new.write_text(json.dumps({"runner": os.getpid(), "processes": processes}, indent=1))
        new.replace(self._state_file)

    def _log(self, name: str) -> Path:
        return self._log_dir / f"{name}.log"


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that have just closed do not make a port busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
        return True


def _is_ready(spec: ProcessSpec) -> bool:
    if spec.ready_url is not None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(spec.ready_url, timeout=2.0) as answer:
                return 200 <= int(answer.status) < 300
        except OSError:  # refused, reset, timed out, or an answer of 4xx or 5xx
            return False
    if spec.port is not None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            return probe.connect_ex(("127.0.0.1", spec.port)) == 0
    return True


def _in_words(code: int) -> str:
    return f"信号 signal {signal.Signals(-code).name}" if code < 0 else f"返回码 exit code {code}"
