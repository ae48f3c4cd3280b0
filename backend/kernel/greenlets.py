"""How a greenlet waits for PostgreSQL: by gevent's hub itself.

Under gevent psycopg gives up its own waiting loop for ``select.poll``, of which gevent's replacement builds an event, a
timer and a result for each wait, and a booking waits some twenty times. Here a wait is one watcher and two switches.
"""

from __future__ import annotations

import sys
from typing import Any

import psycopg.waiting
from psycopg.abc import RV, PQGen


def are_in_charge() -> bool:
    """Whether gevent has taken this process over."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def teach_psycopg() -> None:
    """Make psycopg's connections of this process wait by the hub."""
    psycopg.waiting.wait = wait_by_hub


def wait_by_hub(
    gen: PQGen[RV], fileno: int, interval: float = 0.0, timeout: float | None = None
) -> RV:
    """psycopg's ``WaitFunc``: run ``gen`` to its end, letting other greenlets run while the socket is not ready.

    ``interval`` is for signals, which the hub handles by itself. The rare waits with a ``timeout`` are left to psycopg.
    """
    if timeout is not None:
        return psycopg.waiting.wait_poll(gen, fileno, interval, timeout)
    from gevent import get_hub

    hub = get_hub()
    watcher: Any = None
    watched = None
    try:
        wanted = next(gen)
        while True:
            if wanted != watched:
                if watcher is not None:
                    watcher.close()
                # libev's numbers for reading and writing are those of psycopg's Wait.
                watcher, watched = hub.loop.io(fileno, wanted), wanted
            hub.wait(watcher)
            # Ready has Wait's numbers. Where it waited for either it may try both: neither ever blocks.
            wanted = gen.send(wanted)
    except StopIteration as end:
        found: RV = end.value
        return found
    finally:
        if watcher is not None:
            watcher.close()
