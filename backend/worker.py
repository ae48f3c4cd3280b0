"""A worker process of a distributed installation: dispatcher, minute clock, live messages through Redis."""

from __future__ import annotations

import signal

from flask_socketio import SocketIO

from backend.background import Background, Stopper
from backend.bootstrap import build_program
from backend.kernel import live, logging
from backend.settings import Settings


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    logging.configure(settings.log_level)
    program = build_program(settings)
    # Write-only: this process emits to the clients of the web processes and has none of its own.
    program.database.emitter = live.SocketEmitter(
        SocketIO(message_queue=settings.redis_url, channel=live.CHANNEL, async_mode="threading")
    )
    stopper = Stopper()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stopper.request)
    background = Background(program)
    background.start()
    stopper.wait()
    background.stop()
