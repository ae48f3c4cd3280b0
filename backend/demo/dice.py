"""A stream of choices that depends on its seed words alone.

``random`` does not promise the same choices in the next Python; a demo that must be the same
for a given day on every machine does, so the stream is SHA-256 over a counter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Repeatable choices: the same seed words give the same answers in the same order."""

    def __init__(self, *seed: object) -> None:
        self._seed = "|".join(str(word) for word in seed).encode()
        self._block = b""
        self._count = 0

    def _number(self) -> int:
        if not self._block:
            self._count += 1
            self._block = hashlib.sha256(self._seed + self._count.to_bytes(8, "big")).digest()
        number = int.from_bytes(self._block[:8], "big")
        self._block = self._block[8:]
        return number

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit`` - 1."""
        return self._number() % limit

    def between(self, first: int, last: int) -> int:
        """A whole number from ``first`` to ``last``, both included."""
        return first + self.below(last - first + 1)

    def chance(self, percent: int) -> bool:
        """True ``percent`` times in a hundred."""
        return self.below(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        """One of ``choices``, all equally likely."""
        return choices[self.below(len(choices))]

    def weighted(self, choices: Sequence[tuple[T, int]]) -> T:
        """One of ``(choice, weight)``, as likely as its weight; ValueError when all weigh nothing."""
        total = sum(weight for _, weight in choices)
        if total <= 0:
            raise ValueError("no choice has a weight above zero")
        ticket = self.below(total)
        bounds = accumulate(weight for _, weight in choices)
        return next(
            choice for (choice, _), bound in zip(choices, bounds, strict=True) if ticket < bound
        )
