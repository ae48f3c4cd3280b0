"""The thread that delivers notifications and settles refunds when their time comes.

A notification counts as taken when the merchant answers as its platform wants within the time-out;
anything else is tried again on the schedule in `Timing.retry_seconds`.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import requests

from backend.sandbox import notices
from backend.sandbox.platform import Platform

WORKERS = 4
#: Refunds settle by time alone, so the thread looks at least this often (seconds).
LONGEST_NAP = 0.5
log = logging.getLogger("sandbox.notifier")


class Notifier:
    """Delivers until the platform is stopping; `start()` once, then `join()`."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="notify")
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        """Take up what an earlier process left unsent and begin."""
        with self._platform.store.write() as db:
            notices.recover(db)
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait for the thread to see that the platform is stopping; sends in flight are left."""
        self._platform.wake.set()
        self._thread.join(timeout)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        platform = self._platform
        while not platform.stopping.is_set():
            platform.wake.clear()
            with platform.store.write() as db:
                platform.settle(db)
                now = platform.real_time()
                notices.release_due_held(db, now)
                due = notices.take_due(db, now, WORKERS)
                next_at = notices.next_due_at(db)
            for row in due:
                self._pool.submit(self._deliver, row).add_done_callback(_report)
            if due:
                continue
            wait = LONGEST_NAP if next_at is None else next_at - platform.real_time()
            platform.wake.wait(min(max(wait, 0.0), LONGEST_NAP))

    def _deliver(self, row: sqlite3.Row) -> None:
        platform = self._platform
        headers, body = platform.build_notification(row)
        try:
            with requests.Session() as session:
                # The merchant is addressed directly; a proxy of the machine is none of ours.
                session.trust_env = False
                answer = session.post(
                    row["url"],
                    data=body,
                    headers=headers,
                    timeout=platform.timing.notify_timeout,
                    allow_redirects=False,
                )
            is_accepted, result = _is_taken(row, answer), f"HTTP {answer.status_code}"
        except requests.RequestException as error:
            is_accepted, result = False, type(error).__name__
        with platform.store.write() as db:
            notices.record_result(
                db,
                row,
                is_accepted=is_accepted,
                result=result,
                retry_seconds=platform.timing.retry_seconds,
                now=platform.real_time(),
            )
        platform.wake.set()
        log.info("notification %s %s: %s", row["event_id"], row["event_type"], result)


def _is_taken(row: sqlite3.Row, answer: requests.Response) -> bool:
    """WeChat Pay takes the status for an answer, Alipay only the seven letters ``success``."""
    if row["original_type"] == "alipay":
        return answer.status_code == 200 and answer.text.strip() == "success"
    return answer.status_code in (200, 204)


def _report(done: Future[None]) -> None:
    """A delivery that failed by a fault of ours must be seen, not kept in a future."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("delivery failed", exc_info=error)
