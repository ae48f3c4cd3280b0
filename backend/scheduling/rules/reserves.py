"""Which numbered places of a session a channel's reserve is made of."""

from __future__ import annotations

from collections.abc import Sequence

from backend.scheduling.rules.policy import Reserve


def reserved_numbers(capacity: int, reserves: Sequence[Reserve]) -> dict[int, Reserve]:
    """The reserve each reserved place (numbered from 1) belongs to, spread evenly over the session.

    A share is rounded down to whole places, so that a small session stays open to everybody.
    """
    rest = list(range(1, capacity + 1))
    found: dict[int, Reserve] = {}
    for reserve in reserves:
        count = min(capacity * reserve.percent // 100, len(rest))
        chosen = {rest[(2 * index + 1) * len(rest) // (2 * count)] for index in range(count)}
        found |= dict.fromkeys(sorted(chosen), reserve)
        rest = [number for number in rest if number not in chosen]
    return found
