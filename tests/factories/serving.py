"""Applications served on a port of their own for the length of a block, with live streams and beats where wanted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import make_server

from backend.kernel.live import LiveGateway
from kiosk_agent.web.closing import closing_answers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"


@contextmanager
def listening(app: WSGIApplication, port: int = 0) -> Iterator[str]:
    """Serve ``app`` for the length of the block, on a free port unless told one; its address."""
    server = make_server(HOST, port, closing_answers(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@dataclass(frozen=True, slots=True)
class Served:
    """A running application: its address and its live gateway."""

    url: str
    gateway: LiveGateway


@contextmanager
def serving(app: Flask, port: int = 0) -> Iterator[Served]:
    """Serve ``app`` for the length of the block, beats included."""
    gateway: LiveGateway = app.extensions["xinglin"].live
    with listening(app, port) as url:
        threading.Thread(target=gateway.run_beats, daemon=True).start()
        try:
            yield Served(url, gateway)
        finally:
            gateway.stop()
