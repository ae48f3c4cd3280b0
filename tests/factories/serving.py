"""The application served on a free port with live streams and beats, for tests with a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from werkzeug.serving import make_server

from backend.kernel.live import LiveGateway


@dataclass(frozen=True, slots=True)
class Served:
    """A running application: its address and its live gateway."""

    url: str
    gateway: LiveGateway


@contextmanager
def serving(app: Flask, port: int = 0) -> Iterator[Served]:
    """Serve ``app`` for the length of the block, beats included."""
    gateway: LiveGateway = app.extensions["xinglin"].live
    server = make_server("127.0.0.1", port, app, threaded=True)
    server.daemon_threads = True  # type: ignore[attr-defined]  # socketserver's own switch
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}),
        threading.Thread(target=gateway.run_beats, daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.server_port}", gateway)
    finally:
        gateway.stop()
        server.shutdown()
        threads[0].join(10)
        server.server_close()
