"""The kiosk's sense of time: its own clock may be wrong, the backend's is the hospital's.

Deadlines inside the kiosk run on a monotonic clock; words like "today 09:30" and the seconds
until an order expires use the backend's time, learned from each heartbeat.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class HospitalClock:
    """The backend's time, kept by the monotonic clock between two heartbeats."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._lock = threading.Lock()
        self._known: tuple[datetime, float] | None = None

    def learn(self, server_time: datetime) -> None:
        """Take `server_time` (aware) as the time of this moment."""
        with self._lock:
            self._known = (server_time.astimezone(UTC), self._monotonic())

    def now(self) -> datetime:
        """The hospital's time, aware UTC; the kiosk's own until a first heartbeat."""
        with self._lock:
            known = self._known
        if known is None:
            return self._wall()
        server_time, at = known
        return server_time + timedelta(seconds=self._monotonic() - at)

    def own_time(self) -> datetime:
        """What the kiosk's own clock says (aware UTC), right or wrong."""
        return self._wall()

    def offset_seconds(self) -> float:
        """How far the kiosk's own clock is behind the hospital's (negative: ahead)."""
        return (self.now() - self._wall()).total_seconds()

    def seconds_until(self, moment: datetime) -> float:
        """Seconds from now to `moment`; never below zero."""
        return max(0.0, (moment - self.now()).total_seconds())


def local(moment: datetime) -> datetime:
    """`moment` in the hospital's zone (Asia/Shanghai)."""
    return moment.astimezone(SHANGHAI)
