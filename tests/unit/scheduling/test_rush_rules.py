"""The opening rush by its rules: who is let in, who is told what, and how often a phone asks."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from backend.kernel.clock import at_local
from backend.scheduling import rules
from backend.scheduling.rules import LineState

SEVEN = at_local(dt.date(2026, 11, 23), dt.time(7))
LINE = LineState(
    opens_at=SEVEN,
    issued=5000,
    last_in=200,
    inside=200,
    places_left=900,
    at=SEVEN + dt.timedelta(seconds=20),
    rate=10.0,
)


def test_a_day_opens_a_fortnight_before_at_seven() -> None:
    day = dt.date(2026, 12, 7)
    assert rules.opens_at(day, 14, dt.time(7)) == SEVEN


@pytest.mark.parametrize(("minutes", "can"), [(-16, False), (-15, True), (0, True), (600, True)])
def test_the_line_stands_from_a_quarter_before(minutes: int, can: bool) -> None:
    assert rules.can_join(SEVEN, SEVEN + dt.timedelta(minutes=minutes)) is can


@pytest.mark.parametrize(
    ("inside", "most", "places", "more"),
    [
        (0, 200, 1000, 200),
        (150, 200, 1000, 50),
        (200, 200, 1000, 0),
        (0, 200, 30, 30),
        (30, 200, 30, 0),  # everyone inside finds a place; nobody else would
        (31, 200, 30, 0),  # a place went at the counter meanwhile
        (0, 200, 0, 0),
    ],
)
def test_nobody_is_let_in_who_would_find_nothing(
    inside: int, most: int, places: int, more: int
) -> None:
    assert rules.let_in_count(inside=inside, most_inside=most, places_left=places) == more


def test_ahead_counts_the_numbers_in_front() -> None:
    assert [rules.ahead_of(n, LINE) for n in (150, 200, 201, 202, 1201)] == [0, 0, 0, 1, 1000]


def test_waiting_phones_together_ask_at_a_bounded_rate() -> None:
    slow = replace(LINE, rate=None)
    asks = sum(1 / rules.next_ask(n, slow) for n in range(201, 5001))
    assert asks <= 4800 / 20
    assert rules.next_ask(5000, slow) <= 21


def test_whose_turn_is_near_asks_soon_and_the_far_ones_rarely() -> None:
    assert rules.next_ask(205, LINE) < 2.5
    assert rules.next_ask(4900, LINE) >= 15


def test_before_the_opening_nobody_asks_oftener_than_needed() -> None:
    early = replace(LINE, at=SEVEN - dt.timedelta(minutes=10), last_in=0, inside=0)
    assert 30 <= rules.next_ask(17, early) < 33
    late = replace(early, at=SEVEN - dt.timedelta(seconds=4))
    asks = {rules.next_ask(n, late) for n in range(1, 33)}
    assert min(asks) >= 4
    assert len(asks) == 16  # spread, not all in one moment


def test_sold_out_is_not_before_the_opening() -> None:
    none = replace(LINE, places_left=0)
    assert none.is_sold_out
    assert not replace(none, at=SEVEN - dt.timedelta(seconds=1)).is_sold_out


def test_the_wait_is_a_range_or_unknown() -> None:
    assert rules.wait_minutes(801, LINE) == (1, 2)
    assert rules.wait_minutes(3201, LINE) == (4, 8)
    assert rules.wait_minutes(3201, replace(LINE, rate=None)) is None
    assert rules.wait_minutes(3201, replace(LINE, at=SEVEN - dt.timedelta(seconds=1))) is None


def test_whoever_stands_behind_the_last_place_is_told() -> None:
    assert not rules.is_doubtful(900, LINE)
    assert rules.is_doubtful(901, LINE)
