"""The sliding minute of a link."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.kernel.errors import RateLimited
from miniprogram_api import limits
from miniprogram_api.limits import Limiter
from tests.factories.databases import MONDAY_MORNING

SECOND = dt.timedelta(seconds=1)


def test_each_key_has_its_own_minute() -> None:
    limiter = Limiter(2)
    limiter.use("a", MONDAY_MORNING)
    limiter.use("a", MONDAY_MORNING + 30 * SECOND)
    with pytest.raises(RateLimited):
        limiter.use("a", MONDAY_MORNING + 59 * SECOND)
    limiter.use("b", MONDAY_MORNING + 59 * SECOND)
    limiter.use("a", MONDAY_MORNING + 60 * SECOND)
    with pytest.raises(RateLimited):
        limiter.use("a", MONDAY_MORNING + 61 * SECOND)


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 3)
    limiter = Limiter(1)
    for key in "abcd":
        limiter.use(key, MONDAY_MORNING)
    limiter.use("a", MONDAY_MORNING)
    with pytest.raises(RateLimited):
        limiter.use("d", MONDAY_MORNING)
