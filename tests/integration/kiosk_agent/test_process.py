"""`python -m kiosk_agent` as a process: orderly end, and the plug pulled in the middle of a print."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import requests

from tests.factories.kiosk_backend import CODE, KioskBackend, running_backend
from tests.factories.kiosk_rig import Glass, far_ends, id_card, wait_until
from tests.services.ports import free_port


@contextmanager
def kiosk_process(
    directory: Path, backend: KioskBackend, devices: Path, *more: str
) -> Iterator[tuple[subprocess.Popen[bytes], Glass]]:
    """A kiosk in a process of its own, in service."""
    port = free_port()
    command = [sys.executable, "-m", "kiosk_agent", "--port", str(port), "--backend", backend.url]
    command += ["--state-dir", str(directory / "state"), "--devices", str(devices), *more]
    environment = {**os.environ, "XINGLIN_KIOSK_HEARTBEAT_SECONDS": "0.5"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    glass = Glass(f"http://127.0.0.1:{port}")
    try:
        wait_until(lambda: _answers(glass))
        glass.wait_for("home")
        yield process, glass
    finally:
        process.kill()
        process.wait(10)


def _answers(glass: Glass) -> bool:
    try:
        return requests.get(f"{glass.base}/healthz", timeout=1).ok
    except requests.ConnectionError:
        return False


def test_sigterm_ends_it_at_once_and_a_second_start_needs_no_code(tmp_path: Path) -> None:
    with running_backend() as backend, far_ends(tmp_path) as devices:
        path = devices["devices_file"]
        with kiosk_process(tmp_path, backend, path, "--enrolment-code", CODE) as (process, _glass):
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
        with kiosk_process(tmp_path, backend, path) as (process, glass):
            health = requests.get(f"{glass.base}/healthz", timeout=5).json()
            assert health["is_enrolled"] is True
        assert backend.paths().count("/enrol") == 1


def test_the_plug_pulled_during_a_print_never_prints_twice(tmp_path: Path) -> None:
    with running_backend() as backend, far_ends(tmp_path) as devices:
        backend.appointments = [{"appointment_id": "appointment-1", "can_check_in": True}]
        mechanism = devices["printer"].mechanism
        mechanism.set_state(replace(mechanism.state, no_confirmation=True))
        path = devices["devices_file"]
        with kiosk_process(tmp_path, backend, path, "--enrolment-code", CODE) as (process, glass):
            glass.press("purpose", "check_in")
            devices["id_reader"].reader.put(id_card())
            glass.wait_for("confirm_person")
            glass.press("confirm_person")
            # The paper is out and the confirmation is not: exactly here the power fails.
            wait_until(lambda: len(mechanism.receipts()) == 1)
            process.kill()
            process.wait(10)
        assert backend.results == {}
        with kiosk_process(tmp_path, backend, path):
            wait_until(lambda: bool(backend.results))
        (result,) = backend.results.values()
        assert (result["outcome"], result["code"]) == ("ambiguous", "restarted_during_print")
        assert len([r for r in mechanism.receipts() if r.complete]) == 1


def test_settings_that_cannot_work_are_named() -> None:
    command = [sys.executable, "-m", "kiosk_agent", "--backend", "nowhere"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (ended.returncode, "http(s) address" in ended.stderr) == (2, True)
