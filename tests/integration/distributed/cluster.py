"""Web and worker processes of one installation, really started and killed; and a doctor at a browser."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from backend.identity.rules import Role
from backend.kernel import links
from backend.kernel.crypto import KeyRing
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.queueing.service import hall_stream
from backend.serving import gunicorn_command
from backend.settings import Secrets, Settings, load_secrets
from tests.factories.live_client import LiveClient
from tests.factories.queues import Hall, make_hall
from tests.factories.staff import PASSWORD, make_account
from tests.integration.distributed.talking_worker import subscriptions_with_talk
from tests.services.ports import free_port
from tests.services.processes import start_server, stop_server

ROOT = Path(__file__).parents[3]
START_SECONDS = 90.0


def until(is_so: Callable[[], object], seconds: float, what: str) -> None:
    """Return once ``is_so``; AssertionError naming ``what`` at the deadline."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)


@dataclass
class Server:
    """One started program; ``url`` when it serves."""

    argv: Sequence[str | Path]
    log: Path
    url: str = ""
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start it (again)."""
        self.process = start_server(self.argv, log=self.log, cwd=ROOT)

    def kill(self) -> None:
        """kill -9, with its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def wait_until_it_answers(self) -> None:
        """Return once it serves."""
        until(lambda: answers(self.url) == 200, START_SECONDS, f"{self.url} {self.log}")


def answers(url: str, path: str = "/healthz") -> int | None:
    """The status of a page, or None while nobody answers."""
    try:
        return requests.get(url + path, timeout=10).status_code
    except (requests.ConnectionError, requests.Timeout):
        return None


@dataclass
class Cluster:
    """One installation: its settings, its database as the tests see it, and its programs."""

    settings: Settings
    database: Database
    hall: Hall
    servers: list[Server] = field(default_factory=list)

    @property
    def secrets(self) -> Secrets:
        return load_secrets(self.settings)

    def serve(self, argv: Sequence[str | Path] | None = None) -> Server:
        """Start a web server on a free port: `xinglin web`, or another command for that port."""
        port = free_port()
        command = argv or [sys.executable, "-m", "backend.cli", "web", "--port", str(port)]
        command = [str(word).replace("{port}", str(port)) for word in command]
        return self._run(command, f"web{port}", f"http://127.0.0.1:{port}")

    def serve_lossy(self) -> Server:
        """A web server whose live messages get lost on the way while ``drop`` stands in the data folder."""
        lossy = "tests.integration.distributed.lossy_web:app"
        words = gunicorn_command(self.settings, 1)
        swap = {
            "backend.wsgi:app": lossy,
            f"--bind={self.settings.bind}:1": "--bind=127.0.0.1:{port}",
        }
        return self.serve([swap.get(word, word) for word in words])

    def work(self) -> Server:
        """Start a worker."""
        argv = [sys.executable, "-m", "tests.integration.distributed.talking_worker"]
        return self._run(argv, f"worker{len(self.servers)}", "")

    def _run(self, argv: Sequence[str | Path], name: str, url: str) -> Server:
        server = Server(argv, self.settings.data_dir / f"{name}.log", url)
        self.servers.append(server)
        return server

    def follow(self, server: Server) -> LiveClient:
        """A screen in the hall, connected to one web server."""
        stream = hall_stream(self.hall.hall_id)
        client = LiveClient(stream, links.stream_token(self.secrets.secret_key, stream))
        client.connect(server.url)
        return client


@contextmanager
def running_cluster(
    database_url: str, redis_url: str, folder: Path, patch: pytest.MonkeyPatch
) -> Iterator[Cluster]:
    """An installation with a hall and a doctor's account; every program it started has ended afterwards."""
    for name in [name for name in os.environ if name.startswith("XINGLIN_")]:
        patch.delenv(name)
    values = {
        "ENV": "test",
        "DATA_DIR": folder,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
    }
    for key, value in values.items():
        patch.setenv(f"XINGLIN_{key}", str(value))
    settings = Settings()
    secrets = load_secrets(settings)
    database = Database(
        settings.url,
        keys=KeyRing(secrets.keys, secrets.blind_index_key),
        subscriptions=subscriptions_with_talk(),
    )
    hall = make_hall(database, patients=12, doctors=1)
    make_account(database, hall.clinic, "doctor", Role.DOCTOR)
    cluster = Cluster(settings, database, hall)
    try:
        yield cluster
    finally:
        for server in cluster.servers:
            stop_server(server.process)
        database.engine.dispose()


class Doctor:
    """A logged-in doctor's browser at one web server; the login holds at every other."""

    def __init__(self, server: Server) -> None:
        self._http = requests.Session()
        self.server = server
        token = self._token("/login")
        form = {"username": "doctor", "password": PASSWORD, "csrf_token": token}
        answer = self._http.post(server.url + "/login", data=form, timeout=30)
        assert answer.url.startswith(server.url + "/backoffice"), answer.url

    def call(self, room_id: Id) -> None:
        """Call the next patient to the room."""
        self._post("/backoffice/workstation/call-next", {"room_id": str(room_id)})

    def call_again(self, ticket_id: Id) -> None:
        """Repeat the call."""
        self._post(f"/backoffice/workstation/tickets/{ticket_id}/again", {})

    def _post(self, path: str, form: dict[str, str]) -> None:
        token = self._token("/backoffice/workstation")
        form = {**form, "csrf_token": token}
        answer = self._http.post(self.server.url + path, data=form, timeout=30)
        assert answer.status_code == 200, answer.text

    def _token(self, path: str) -> str:
        page = self._http.get(self.server.url + path, timeout=30)
        found = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
        assert found is not None, page.status_code
        return found[1]
