"""Background work of a process: the dispatcher, the minute clock, and the wake-ups between processes."""

from __future__ import annotations

import threading

import structlog

from backend.bootstrap import Program, periodic_jobs
from backend.kernel import jobs
from backend.kernel.dispatcher import Dispatcher

log = structlog.get_logger(__name__)


class Background:
    """Dispatcher and Huey consumer as threads of this process."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.dispatcher = Dispatcher(program.database)
        huey = jobs.make_huey(program.settings)
        jobs.register(huey, program.database, periodic_jobs(program), self.dispatcher.wake)
        self._consumer = jobs.ThreadConsumer(huey)

    def start(self) -> None:
        """Deliver and keep the clock; events committed in this process wake its own dispatcher."""
        self._program.database.wake = self.dispatcher.wake
        self._consumer.start()
        self.dispatcher.start()

    def stop(self) -> None:
        """Finish what is in hand."""
        self.dispatcher.stop()
        self._consumer.stop(graceful=True)


def wake_workers_after_commits(program: Program) -> None:
    """In a web process without background work: enqueue a wake-up for the workers after each commit.

    A wake-up that cannot be sent is only slower: the dispatchers look every second anyway.
    """
    enqueue = jobs.register(jobs.make_huey(program.settings), program.database, [], lambda: None)
    program.database.wake = enqueue


class Stopper:
    """Waits for SIGTERM or SIGINT in a main thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self, *_signal: object) -> None:
        """Ask the waiting main thread to go on."""
        self._event.set()

    def wait(self) -> None:
        """Return once asked."""
        while not self._event.wait(1.0):
            pass
