"""When a bill is asked for, on which day a document is judged, and what a run may do next."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.billing import rules
from backend.billing.errors import IllegalMove
from backend.billing.rules import BillChannel, RunState, Tender
from backend.kernel.clock import at_local

DAY = dt.date(2028, 2, 29)
PUBLISHED = at_local(dt.date(2028, 3, 1), dt.time(10))


def test_every_tender_with_a_far_end_is_on_one_channels_bill() -> None:
    listed = [tender for tenders in rules.CHANNEL_TENDERS.values() for tender in tenders]
    assert sorted(listed) == sorted(set(Tender) - rules.OWN_TENDERS)
    for channel in BillChannel:
        assert rules.STRAY_TENDERS[channel] in rules.CHANNEL_TENDERS[channel]


@pytest.mark.parametrize(
    ("tries", "minutes"),
    [(0, 5), (1, 5), (2, 10), (3, 20), (4, 40), (5, 60), (6, 60), (10_000, 60)],
)
def test_waits_grow_to_an_hour(tries: int, minutes: int) -> None:
    assert rules.retry_after(tries) == dt.timedelta(minutes=minutes)


def test_days_judge_everything_once_across_a_leap_day() -> None:
    first, after = rules.judged_bounds(DAY)
    assert first == at_local(dt.date(2028, 2, 28), dt.time(23, 45))
    assert after == at_local(DAY, dt.time(23, 45))
    assert rules.judged_bounds(dt.date(2028, 3, 1))[0] == after


@pytest.mark.parametrize(
    ("count", "hours", "is_believed"), [(0, 0, True), (1, 0, False), (1, 11, False), (1, 12, True)]
)
def test_an_empty_bill(count: int, hours: int, is_believed: bool) -> None:
    now = PUBLISHED + dt.timedelta(hours=hours)
    believed = rules.is_empty_believed(our_count=count, now=now, published_from=PUBLISHED)
    assert believed is is_believed


def test_a_run_is_matched_only_after_its_bill_was_fetched() -> None:
    for state in (RunState.DUE, RunState.FAILED):
        with pytest.raises(IllegalMove):
            rules.move(rules.RUN_MOVES, state, RunState.MATCHED)
    assert rules.move(rules.RUN_MOVES, RunState.MATCHED, RunState.DUE) is RunState.DUE
