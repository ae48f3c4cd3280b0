"""The process that holds pcscd up while somebody uses it, and takes it down with the last one.

Run by path with the plain interpreter (maybe through sudo), hence no imports of the project. Users
hold a shared lock on LOCK_FILE, which the system releases however they end; the guard waits for the
exclusive one. pcscd gets SIGTERM from the kernel should the guard itself be killed.

Debian's vpcd keeps its connections in one table for all readers, so a second reader on the same
library takes over the first: each reader gets a copy of the library. pcscd runs as root and loads
them, so they lie in a directory that only root can write.

Usage: pcscd_guard.py LOCK_FILE NAME=PORT...
"""

from __future__ import annotations

import fcntl
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

VPCD_LIBRARY = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
DIRECTORY = Path("/run/xinglin-readers")
_UNTIL_PARENT_ENDS = ("setpriv", "--pdeathsig", "TERM", "--")
_PATIENCE_SECONDS = 2


def prepare(directory: Path, readers: list[tuple[str, int]], library: Path = VPCD_LIBRARY) -> None:
    """Write reader.conf.d/ and one copy of the driver library for each (name, port)."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    # pcscd takes every file in the directory it is given for a reader file.
    configuration = directory / "reader.conf.d"
    configuration.mkdir()
    lines = []
    for name, port in readers:
        copy = directory / f"vpcd-{port}.so"
        shutil.copyfile(library, copy)
        lines += [
            f'FRIENDLYNAME "{name}"',
            f"DEVICENAME /dev/null:0x{port:X}",
            f"LIBPATH {copy}",
            f"CHANNELID 0x{port:X}",
            "",
        ]
    (configuration / "xinglin.conf").write_text("\n".join(lines), encoding="ascii")


def main(lock_file: str, readers: list[tuple[str, int]], daemon: tuple[str, ...] = ()) -> int:
    """Run pcscd (or `daemon`) until nobody holds LOCK_FILE, it ends or a signal comes."""
    command = daemon or ("pcscd", "--foreground", "-c", str(DIRECTORY / "reader.conf.d"))

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    prepare(DIRECTORY, readers)
    with open(lock_file, encoding="ascii") as lock:
        process = subprocess.Popen(
            [*_UNTIL_PARENT_ENDS, *command],
            stdin=subprocess.DEVNULL,
        )
        try:
            # From here on the end of pcscd interrupts the wait: the next user starts a new one.
            signal.signal(signal.SIGCHLD, stop)
            if process.poll() is None:
                fcntl.flock(lock, fcntl.LOCK_EX)
        finally:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            process.terminate()
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            shutil.rmtree(DIRECTORY, ignore_errors=True)
    return 0


if __name__ == "__main__":
    pairs = [argument.rsplit("=", 1) for argument in sys.argv[2:]]
    sys.exit(main(sys.argv[1], [(name, int(port)) for name, port in pairs]))
