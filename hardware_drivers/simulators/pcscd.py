"""A running pcscd with our virtual readers, shared by everybody on the machine who needs it.

There is one pcscd a machine and its socket has a fixed place. Whoever needs it takes a shared lock;
the first starts a guard process (see pcscd_guard) and the guard ends pcscd with the last user, even
when that one was killed. vpcd gives each reader two slots on two ports, so eight readers are the
most pcscd has room for; only the first slot is used. vpcd listens on all interfaces (it cannot do
otherwise): a development machine in an open network wants a firewall.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hardware_drivers.simulators import pcscd_guard

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HOLD_COMMAND = f"{sys.executable} -m hardware_drivers.simulators.pcscd"
# Below the ports Linux hands to outgoing connections: one of those on our port keeps pcscd away.
FIRST_PORT = 28672
SLOTS_A_READER = 2
READERS_A_SET = 4
_SETS = {"kiosk": "Xinglin Kiosk", "test": "Xinglin Test"}
_START_SECONDS = 15.0
_POLL_SECONDS = 0.1


class PcscdError(Exception):
    """pcscd cannot be had; the message (Chinese, for the person at the terminal) names what to
    type.
    """


@dataclass(frozen=True)
class VirtualReader:
    """One reader of ours: its PC/SC name and the port vpcd listens on for its first slot."""

    name: str
    port: int


def readers_of(set_name: str) -> list[VirtualReader]:
    """The four readers of the set `kiosk` or `test`."""
    first = list(_SETS).index(set_name) * READERS_A_SET
    return [
        VirtualReader(f"{_SETS[set_name]} {i}", FIRST_PORT + (first + i) * SLOTS_A_READER)
        for i in range(READERS_A_SET)
    ]


def all_readers() -> list[VirtualReader]:
    """Every reader of ours."""
    return [reader for set_name in _SETS for reader in readers_of(set_name)]


@contextmanager
def running_pcscd() -> Iterator[None]:
    """Keep pcscd with our readers up for the duration. Raises PcscdError."""
    with _lock_file("pcscd-users").open("r") as users:
        # A guard that is taking pcscd down holds this exclusively for at most two seconds.
        fcntl.flock(users, fcntl.LOCK_SH)
        with _lock_file("pcscd-start").open("r") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            guard = _ensure_started()
        try:
            yield
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if guard is not None:
                _let_go(guard)


@contextmanager
def leased_readers(
    set_name: str, count: int, *, wait: float = 0.0
) -> Iterator[list[VirtualReader]]:
    """Take `count` readers of a set for this process alone, with pcscd up; waits at most `wait`
    seconds.

    Raises PcscdError when others have them.
    """
    taken: list[VirtualReader] = []
    locks: list[IO[str]] = []
    deadline = time.monotonic() + wait
    try:
        while True:
            for reader in readers_of(set_name):
                if len(taken) < count and reader not in taken:
                    lock = _try_lock(_lock_file(f"reader-{reader.port}"))
                    if lock is not None:
                        locks.append(lock)
                        taken.append(reader)
            if len(taken) == count:
                break
            if time.monotonic() >= deadline:
                raise PcscdError(
                    f"虚拟读卡器“{_SETS[set_name]}”不够用：需要 {count} 个，空闲 {len(taken)} 个。"
                    "请先结束另一个正在运行的设备台，再试一次。"
                )
            time.sleep(_POLL_SECONDS)
        with running_pcscd():
            yield sorted(taken, key=lambda reader: reader.port)
    finally:
        for lock in locks:
            lock.close()


def _try_lock(path: Path) -> IO[str] | None:
    lock = path.open("r")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _ensure_started() -> subprocess.Popen[bytes] | None:
    """Start the guard when pcscd does not run; the caller holds the start lock. Returns the guard
    started.
    """
    known = _known_readers()
    if known is not None:
        if _has_all(known):
            return None
        raise PcscdError(
            "pcscd 正在运行，但没有加载杏林的虚拟读卡器。请以管理员身份执行以下命令停止它，再试一次：\n"
            "    systemctl stop pcscd.socket pcscd.service"
        )
    if shutil.which("pcscd", path=_PATH) is None or not pcscd_guard.VPCD_LIBRARY.exists():
        raise PcscdError(
            "缺少 pcscd 或虚拟读卡器驱动。请以管理员身份执行：\n    apt-get install pcscd vsmartcard-vpcd"
        )
    readers = [f"{reader.name}={reader.port}" for reader in all_readers()]
    command = [*_privilege(), sys.executable, "-I", pcscd_guard.__file__]
    # Unlinked at once: it lives as long as the guard writes to it.
    with tempfile.TemporaryFile() as words:
        guard = subprocess.Popen(
            [*command, str(_lock_file("pcscd-users")), *readers],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            env={"PATH": _PATH},
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not _has_all(_known_readers() or []):
            if guard.poll() is not None or time.monotonic() > deadline:
                # The guard ends by itself: our shared lock is given back on the way out.
                words.seek(0)
                raise PcscdError(
                    "pcscd 未能启动：\n" + words.read().decode("utf-8", "replace").strip()
                )
            time.sleep(_POLL_SECONDS)
    return guard


def _privilege() -> list[str]:
    """How to become root for pcscd: not at all, or by sudo without a password. Raises PcscdError."""
    if os.geteuid() == 0:
        return []
    sudo = Path("/usr/bin/sudo")
    if sudo.exists():
        probe = subprocess.run([str(sudo), "-n", "true"], capture_output=True, check=False)
        if probe.returncode == 0:
            return [str(sudo), "-n"]
    raise PcscdError(f"启动 pcscd 需要管理员权限。请在另一个终端执行：\n    sudo {_HOLD_COMMAND}")


def _let_go(guard: subprocess.Popen[bytes]) -> None:
    """Wait for the guard when we were the last user; leave it to the others when not."""
    try:
        guard.wait(1.5)
    except subprocess.TimeoutExpired:
        # Somebody else still uses pcscd; the guard is theirs now and outlives us.
        guard.returncode = 0


def _known_readers() -> list[str] | None:
    """Names of all slots, or None when no pcscd answers."""
    import smartcard.scard as scard

    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if result != scard.SCARD_S_SUCCESS:
        return None
    try:
        _result, names = scard.SCardListReaders(context, [])
        return [str(name) for name in names or []]
    finally:
        scard.SCardReleaseContext(context)


def _has_all(known: list[str]) -> bool:
    return {reader.name for reader in all_readers()} <= {name.rsplit(" ", 2)[0] for name in known}


def _lock_directory() -> Path:
    shared = Path("/run/lock")
    return shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())


def _lock_file(name: str) -> Path:
    """A lock file that every account of the machine may open for reading (a lock needs no more)."""
    path = _lock_directory() / f"xinglin-{name}.lock"
    if not path.exists():
        path.touch(mode=0o644, exist_ok=True)
    return path


def main() -> int:
    """Hold pcscd with our readers up until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with running_pcscd():
            sys.stdout.write("\n".join(_known_readers() or []) + "\n")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except PcscdError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
