"""How this installation is served: the gunicorn command derived from the settings, and the processes of `xinglin run`.

The embedded database means one process with threads; PostgreSQL means gevent and any number of processes. gevent
with SQLite is refused, because a greenlet that yields inside a write blocks the whole process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from backend.kernel import greenlets
from backend.settings import Settings
from backend.supervisor import ProcessSpec, Supervisor

KIOSKS = 4
#: Connections that may wait to be accepted, and that one process may have open (Linux allows 4096 in the queue).
BACKLOG = 4096


class PortPlan:
    """Which port belongs to whom (see XINGLIN_PORT_BASE)."""

    def __init__(self, base: int) -> None:
        self.backend = base
        self.kiosks = [base + 10 + index for index in range(KIOSKS)]
        self.sandbox = base + 20
        #: The bank's TCP port, of the same process.
        self.bank = base + 21
        self.bench = base + 30


def gunicorn_command(settings: Settings, port: int, name: str = "web") -> list[str]:
    """The gunicorn command line for one web server of this installation."""
    command = [
        str(Path(sys.executable).with_name("gunicorn")),
        "backend.wsgi:app",
        f"--bind={settings.bind}:{port}",
        "--graceful-timeout=3",
        "--timeout=60",
        f"--control-socket={settings.data_dir.resolve() / f'gunicorn-{name}-{port}.ctl'}",
        "--log-level=warning",
        # A crowd that comes at once waits in the kernel's queue in the order it came, instead of being
        # turned away to try again a second later.
        f"--backlog={BACKLOG}",
        f"--worker-connections={BACKLOG}",
    ]
    if settings.is_sqlite:
        return [
            *command,
            "--worker-class=gthread",
            "--workers=1",
            f"--threads={settings.web_threads}",
        ]
    return [*command, "--worker-class=gevent", f"--workers={settings.web_processes}"]


def refuse_greenlets_over_sqlite(settings: Settings) -> None:
    """ValueError in a process that gevent has taken over while the database is SQLite, however it was started."""
    if settings.is_sqlite and greenlets.are_in_charge():
        raise ValueError(
            "SQLite is served by threads, never by gevent: start `xinglin web`, or set XINGLIN_DATABASE_URL"
        )


def check_ports(settings: Settings) -> None:
    """PortBusyError when a port of the demo is taken, before anything is prepared."""
    Supervisor(demo_processes(settings, {}), log_dir=settings.data_dir / "log").check_ports()


def serve(settings: Settings, port: int) -> None:
    """Become the web server (the process is replaced)."""
    command = gunicorn_command(settings, port)
    os.execv(command[0], command)  # noqa: S606 - a command of our own making, no shell


def demo_processes(settings: Settings, enrolment_codes: dict[int, str]) -> list[ProcessSpec]:
    """Everything `make run` starts: bench with its devices, sandbox, backend (and worker), four kiosks.

    ``enrolment_codes`` maps the kiosks that have no credential yet to their one-time codes.
    """
    ports = PortPlan(settings.port_base)
    data = settings.data_dir.resolve()
    python = sys.executable
    backend_url = f"http://127.0.0.1:{ports.backend}"
    specs = [
        ProcessSpec(
            "bench",
            [
                python, "-m", "hardware_drivers.simulators.bench",
                "--port", str(ports.bench), "--kiosks", str(KIOSKS), "--dir", str(data / "devices"),
            ],
            port=ports.bench,
            ready_url=f"http://127.0.0.1:{ports.bench}/healthz",
        ),
        ProcessSpec(
            "sandbox",
            [
                python, "-m", "backend.sandbox", "--port", str(ports.sandbox),
                "--bank-port", str(ports.bank), "--dir", str(data / "sandbox"),
            ],
            port=ports.sandbox,
            ready_url=f"http://127.0.0.1:{ports.sandbox}/healthz",
        ),
        ProcessSpec(
            "backend",
            gunicorn_command(settings, ports.backend),
            port=ports.backend,
            ready_url=f"{backend_url}/healthz",
            after=["sandbox"],
        ),
    ]  # fmt: skip
    if settings.is_distributed:
        specs.append(
            ProcessSpec("worker", [python, "-m", "backend.cli", "worker"], after=["backend"])
        )
    for index, port in enumerate(ports.kiosks):
        code = enrolment_codes.get(index)
        specs.append(
            ProcessSpec(
                f"kiosk{index}",
                [
                    python, "-m", "kiosk_agent", "--port", str(port), "--backend", backend_url,
                    "--state-dir", str(data / f"kiosk{index}"),
                    "--devices", str(data / "devices" / "devices.json"), "--index", str(index),
                ],
                env={"XINGLIN_KIOSK_ENROLMENT_CODE": code} if code else {},
                port=port,
                ready_url=f"http://127.0.0.1:{port}/healthz",
                after=["bench", "backend"],
            )
        )  # fmt: skip
    return specs
