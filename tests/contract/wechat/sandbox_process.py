"""A real sandbox process on a free port, and a merchant's server that keeps what it is told."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from backend.wechat.pay import WeChatPayConfig, load_merchant_file

DEADLINE = 15.0


def http(method: str, url: str, **options: Any) -> requests.Response:
    """One request that no proxy of the machine may see."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=DEADLINE, **options)


@dataclass
class Sandbox:
    """A running sandbox: its process, its address and the merchant account it made."""

    directory: Path
    process: subprocess.Popen[str]
    url: str

    def config(self, notify_url: str = "http://127.0.0.1:9/notify") -> WeChatPayConfig:
        return load_merchant_file(self.directory / "merchant.json", notify_url=notify_url)

    def get(self, path: str) -> Any:
        answer = http("GET", self.url + path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, path: str, **body: Any) -> Any:
        answer = http("PUT", self.url + path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = http("POST", self.url + path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pay(self, code_url: str) -> Any:
        return self.post("/phone/pay", code_url=code_url)

    def reset(self) -> None:
        self.post("/sandbox/reset")


@contextmanager
def running_sandbox(directory: Path, *options: str) -> Iterator[Sandbox]:
    """Start the sandbox, wait until it prints its address, end it by SIGTERM."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "backend.sandbox", "--port", "0", "--dir", str(directory)),
            *("--settle-seconds", "0.05", "--retry-seconds", "0.05,0.05,0.05,0.1,0.1", *options),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("sandbox: http://127.0.0.1:"), line
        yield Sandbox(directory, process, line.removeprefix("sandbox: ").strip())
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(DEADLINE)
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()


@dataclass
class Receiver:
    """A merchant's notification address: records requests, answers `statuses` in turn, then 204."""

    url: str
    statuses: list[int] = field(default_factory=list)
    arrived: queue.Queue[tuple[dict[str, str], bytes]] = field(default_factory=queue.Queue)

    def next(self) -> tuple[dict[str, str], bytes]:
        """The next notification; fails after the deadline."""
        return self.arrived.get(timeout=DEADLINE)


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """Serve a `Receiver` on a free loopback port."""
    receiver = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            receiver.arrived.put((dict(self.headers.items()), body))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/notify"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def read_json(path: Path) -> Any:
    """A JSON file's content."""
    return json.loads(path.read_text("utf-8"))
