"""Counting a drawer, and when a day may be closed."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.billing import rules
from backend.kernel.clock import at_local


def test_a_drawer_adds_up() -> None:
    assert rules.counted_fen({}) == 0
    assert rules.counted_fen({10000: 3, 500: 1, 10: 7, 50: 0}) == 30570


@pytest.mark.parametrize("pieces", [{300: 1}, {10000: -1}, {10000: 10_000}, {1: 5}])
def test_what_no_drawer_holds(pieces: dict[int, int]) -> None:
    with pytest.raises(ValueError, match="fen"):
        rules.counted_fen(pieces)


@pytest.mark.parametrize("day", [dt.date(2026, 12, 31), dt.date(2028, 2, 29)])
def test_a_day_is_over_ten_minutes_after_midnight(day: dt.date) -> None:
    next_day = day + dt.timedelta(days=1)
    assert not rules.can_close_day(day, at_local(day, dt.time(23, 59)))
    assert not rules.can_close_day(day, at_local(next_day, dt.time(0, 9, 59)))
    assert rules.can_close_day(day, at_local(next_day, dt.time(0, 10)))


def test_prepaid_money_is_no_tenders() -> None:
    assert rules.TENDER_ACCOUNTS[rules.Tender.PREPAID] not in rules.MONEY_ACCOUNTS
    assert rules.TENDER_ACCOUNTS[rules.Tender.CASH] in rules.MONEY_ACCOUNTS
