"""Group commit: many callers' small writes become one transaction, in the order in which they came.

Owns the taking of turns inside one process; what a batch writes is given in. No thread of its own: the caller whose
turn it is writes for everybody who waits at that moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Enough that a crowd needs few transactions, few enough that one stays short.
MOST_ITEMS = 500


class _Waiting(Generic[Item, Result]):
    """One caller's item and, later, what came of it."""

    __slots__ = ("error", "is_done", "item", "result")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.result: Result | None = None
        self.error: Exception | None = None
        self.is_done = False


class Grouped(Generic[Item, Result]):
    """``run`` gets the items of all waiting callers, oldest first, and gives one result an item.

    One batch runs at a time, so the order of arrival in this process is the order in which items are written.
    An exception of ``run`` is every caller's of that batch: nothing of it was kept.
    """

    def __init__(
        self, run: Callable[[list[Item]], Sequence[Result]], *, most: int = MOST_ITEMS
    ) -> None:
        self._run = run
        self._most = most
        self._waiting: list[_Waiting[Item, Result]] = []
        self._list = threading.Lock()
        self._turn = threading.Lock()

    def submit(self, item: Item) -> Result:
        """Write ``item`` with whoever else waits, and give its result once it is committed."""
        mine: _Waiting[Item, Result] = _Waiting(item)
        with self._list:
            self._waiting.append(mine)
        with self._turn:
            while not mine.is_done:
                self._write_batch()
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[return-value]  # done without an error: there is a result

    def _write_batch(self) -> None:
        with self._list:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            results = self._run([one.item for one in batch])
            for one, result in zip(batch, results, strict=True):
                one.result = result
        except Exception as error:  # noqa: BLE001 - every caller of the batch is told
            for one in batch:
                one.error = error
        for one in batch:
            one.is_done = True
