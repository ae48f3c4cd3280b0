"""Group commit: the order of arrival is kept, a batch shares its fate, nobody waits for ever."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.kernel.grouping import Grouped


def test_items_that_come_during_a_batch_are_written_together_in_their_order() -> None:
    batches: list[list[int]] = []
    first_runs, go_on = threading.Event(), threading.Event()

    def write(items: list[int]) -> list[int]:
        batches.append(items)
        if len(batches) == 1:
            first_runs.set()
            assert go_on.wait(10)
        return [item * 10 for item in items]

    grouped = Grouped(write)
    with ThreadPoolExecutor(6) as pool:
        results = [pool.submit(grouped.submit, 1)]
        assert first_runs.wait(10)
        for item in range(2, 7):
            results.append(pool.submit(grouped.submit, item))
            while len(grouped._waiting) < item - 1:  # until it stands in the line
                threading.Event().wait(0.001)
        go_on.set()
        assert [result.result(10) for result in results] == [10, 20, 30, 40, 50, 60]
    assert batches == [[1], [2, 3, 4, 5, 6]]


def test_a_batch_has_a_largest_size() -> None:
    sizes: list[int] = []

    def write(items: list[int]) -> list[int]:
        sizes.append(len(items))
        return items

    grouped = Grouped(write, most=2)
    barrier = threading.Barrier(8)

    def submit(item: int) -> int:
        barrier.wait(10)
        return grouped.submit(item)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(submit, range(8))) == list(range(8))
    assert max(sizes) <= 2
    assert sum(sizes) == 8


def test_a_failure_is_told_to_its_batch_and_to_nobody_else() -> None:
    def write(items: list[int]) -> list[int]:
        if 13 in items:
            raise LookupError("refused")
        return items

    grouped = Grouped(write)
    with pytest.raises(LookupError):
        grouped.submit(13)
    assert grouped.submit(7) == 7


def test_a_batch_that_answers_too_little_is_a_failure_of_all() -> None:
    grouped: Grouped[int, int] = Grouped(lambda _items: [])
    with pytest.raises(ValueError, match="zip"):
        grouped.submit(1)
