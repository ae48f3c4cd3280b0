"""Runs acts at the same moment, from one barrier."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

DEADLINE = 60.0


def at_once(acts: Iterable[Callable[[], Any]]) -> list[Any]:
    """What each act gave, in their order; an exception an act raised is given as it is."""
    work = list(acts)
    barrier = threading.Barrier(len(work))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait(DEADLINE)
        try:
            return act()
        except Exception as error:  # noqa: BLE001 - what came of it is the caller's to judge
            return error

    with ThreadPoolExecutor(len(work)) as pool:
        futures = [pool.submit(run, act) for act in work]
        return [future.result(DEADLINE) for future in futures]
