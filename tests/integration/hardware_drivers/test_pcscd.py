"""Sharing one pcscd: it comes with the first user and goes with the last, however that one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hardware_drivers.simulators import pcscd, pcscd_guard
from hardware_drivers.simulators.pcscd import PcscdError, VirtualReader, leased_readers
from hardware_drivers.transports.pcsc import list_readers

ROOT = Path(__file__).parents[3]


def pcscd_processes() -> set[int]:
    """Process ids of pcscd with our readers."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # it ended meanwhile
            if (
                words[0].endswith(b"pcscd")
                and str(pcscd_guard.DIRECTORY / "reader.conf.d").encode() in words
            ):
                found.add(int(entry.name))
    return found


def hold() -> subprocess.Popen[str]:
    """Another user of pcscd, in a process of its own; returns once it has the readers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hardware_drivers.simulators.pcscd"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Xinglin")
    return process


def end(process: subprocess.Popen[str], number: int) -> int:
    process.send_signal(number)
    code = process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    return code


def test_all_eight_readers_are_there(virtual_reader: VirtualReader) -> None:
    assert virtual_reader in pcscd.readers_of("test")
    names = {name.rsplit(" ", 2)[0] for name in list_readers()}
    assert {reader.name for reader in pcscd.all_readers()} <= names


def test_no_outgoing_connection_can_take_a_reader_s_port() -> None:
    """It once did: pcscd came up without that reader, and every user after it was turned away."""
    first_handed_out = int(
        Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0]
    )
    ports = {reader.port + slot for reader in pcscd.all_readers() for slot in (0, 1)}
    assert len(ports) == len(pcscd.all_readers()) * pcscd.SLOTS_A_READER
    assert max(ports) < first_handed_out


def test_users_share_one_pcscd_and_a_killed_user_takes_nothing_away(
    virtual_reader: VirtualReader,
) -> None:
    before = pcscd_processes()
    assert len(before) == 1
    first, second = hold(), hold()
    assert end(first, signal.SIGTERM) == 0
    assert end(second, signal.SIGKILL) == -signal.SIGKILL
    assert pcscd_processes() == before
    assert any(name.startswith(virtual_reader.name) for name in list_readers())


def test_a_reader_belongs_to_one_process_at_a_time(virtual_reader: VirtualReader) -> None:
    with pytest.raises(PcscdError) as caught, leased_readers("test", pcscd.READERS_A_SET):
        pytest.fail("leased a reader that was taken")
    assert "设备台" in str(caught.value)


def test_the_guard_ends_when_its_users_have(tmp_path: Path) -> None:
    """With nobody holding the lock the guard takes its pcscd down at once; a second one beside ours
    refuses to run.
    """
    lock = tmp_path / "users.lock"
    lock.touch()
    command = [sys.executable, "-c", _GUARD_WITH_A_SLEEPER, str(lock), str(tmp_path / "readers")]
    began = time.monotonic()
    guard = subprocess.run(command, cwd=ROOT, env=os.environ, timeout=20, check=False)
    assert guard.returncode == 0
    assert time.monotonic() - began < 10
    assert not (tmp_path / "readers").exists()


_GUARD_WITH_A_SLEEPER = """
import sys
from pathlib import Path
from hardware_drivers.simulators import pcscd_guard
pcscd_guard.DIRECTORY = Path(sys.argv[2])
sys.exit(pcscd_guard.main(sys.argv[1], [("Xinglin Unit 0", 28700)], daemon=("sleep", "60")))
"""


def test_reader_file_gives_each_reader_its_own_copy_of_the_driver(tmp_path: Path) -> None:
    library = tmp_path / "driver.so"
    library.write_bytes(b"driver")
    target = tmp_path / "readers"
    pcscd_guard.prepare(target, [("Xinglin A", 28672), ("Xinglin B", 28674)], library)
    text = (target / "reader.conf.d" / "xinglin.conf").read_text(encoding="ascii")
    assert 'FRIENDLYNAME "Xinglin A"' in text
    assert "DEVICENAME /dev/null:0x7000" in text
    assert f"LIBPATH {target}/vpcd-28674.so" in text
    assert target.stat().st_mode & 0o777 == 0o700
    assert (target / "vpcd-28672.so").read_bytes() == b"driver"
