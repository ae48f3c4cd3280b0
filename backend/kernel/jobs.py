"""Periodic work and wake-ups, by Huey: SQLite storage embedded, Redis distributed.

Huey only wakes the dispatcher and keeps the minute clock. What must not be lost stands in the outbox.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from huey import Huey, RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer

from backend.kernel.uow import Database
from backend.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """``run(database)`` every ``minutes`` minutes (a divisor of 60)."""

    name: str
    run: Callable[[Database], None]
    minutes: int = 1


def make_huey(settings: Settings) -> Huey:
    """The queue of this installation."""
    if settings.is_distributed:
        return RedisHuey("xinglin", url=settings.redis_url)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("xinglin", filename=str(settings.data_dir / "huey.db"))


def register(
    huey: Huey, database: Database, jobs: list[PeriodicJob], wake: Callable[[], None]
) -> Callable[[], None]:
    """Register the periodic jobs and the wake-up task; the callable that enqueues a wake-up."""
    for job in jobs:
        huey.periodic_task(crontab(minute=f"*/{job.minutes}"), name=job.name)(
            _guarded(job, database)
        )

    def wake_dispatcher() -> None:
        wake()

    task: Any = huey.task(name="wake_dispatcher", expires=5)(wake_dispatcher)

    def enqueue() -> None:
        task()

    return enqueue


def _guarded(job: PeriodicJob, database: Database) -> Callable[[], None]:
    def run() -> None:
        try:
            job.run(database)
        except Exception:
            # The next minute tries again; the log and the missing effect tell.
            log.exception("periodic_job_failed", job=job.name)

    return run


class ThreadConsumer(Consumer):  # type: ignore[misc]  # huey has no types
    """A Huey consumer that lives in threads of a program with signal handlers of its own."""

    def __init__(self, huey: Huey) -> None:
        super().__init__(huey, workers=1, worker_type="thread", check_worker_health=False)

    def _set_signal_handlers(self) -> None:
        """Signals belong to the program that hosts these threads."""
