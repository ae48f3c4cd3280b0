"""How often one link may be used: a sliding minute per key, kept in this process's memory and bounded."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict, deque

from backend.kernel.errors import RateLimited

WINDOW = dt.timedelta(minutes=1)
MOST_KEYS = 10_000


class Limiter:
    """Counts uses per key; the key used longest ago is forgotten when there are too many."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._used: OrderedDict[str, deque[dt.datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def use(self, key: str, now: dt.datetime) -> None:
        """Count one use; RateLimited (429) when ``key`` was used too often within the last minute."""
        with self._lock:
            uses = self._used.setdefault(key, deque())
            self._used.move_to_end(key)
            while uses and uses[0] <= now - WINDOW:
                uses.popleft()
            if len(uses) >= self._allowed:
                raise RateLimited
            uses.append(now)
            while len(self._used) > MOST_KEYS:
                self._used.popitem(last=False)
