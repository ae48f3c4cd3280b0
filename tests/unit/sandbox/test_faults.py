"""Faults: what may be set, whom they touch, when they are used up."""

from __future__ import annotations

from typing import Any

import pytest

from backend.sandbox.errors import ControlError
from backend.sandbox.faults import Fault, get_fault, list_faults, set_faults, take_fault
from backend.sandbox.platform import Platform


def put(platform: Platform, **request: Any) -> dict[str, dict[str, Any]]:
    with platform.store.write() as db:
        return set_faults(db, request)


def take(platform: Platform, kind: str, number: str | None = None, operation: str = "") -> Fault:
    with platform.store.write() as db:
        return take_fault(db, kind, out_trade_no=number, operation=operation)


def test_nothing_is_wrong_at_first(platform: Platform) -> None:
    with platform.store.read() as db:
        modes = {kind: fault["mode"] for kind, fault in list_faults(db).items()}
    assert modes == dict.fromkeys(
        ("notification", "api", "refund", "bank", "insurance", "einvoice", "bill"), "normal"
    )


def test_a_flat_request_and_an_object_say_the_same(platform: Platform) -> None:
    flat = put(platform, notification="drop", count=2, seconds=1.5)
    nested = put(platform, notification={"mode": "drop", "count": 2, "seconds": 1.5})
    assert flat == nested
    assert flat["notification"]["count"] == 2


def test_a_count_is_used_up(platform: Platform) -> None:
    put(platform, notification="drop", count=2)
    assert [take(platform, "notification").mode for _ in range(3)] == ["drop", "drop", "normal"]


def test_without_a_count_it_lasts_until_changed(platform: Platform) -> None:
    put(platform, api="error500")
    assert {take(platform, "api").mode for _ in range(5)} == {"error500"}
    put(platform, api="normal")
    assert take(platform, "api").mode == "normal"


def test_a_fault_may_touch_one_order_and_one_operation_only(platform: Platform) -> None:
    put(platform, api="lost_answer", count=1, operation="query", out_trade_no="XL1")
    assert take(platform, "api", "XL2", "query").mode == "normal"
    assert take(platform, "api", "XL1", "close").mode == "normal"
    assert take(platform, "api", "XL1", "query").mode == "lost_answer"
    assert take(platform, "api", "XL1", "query").mode == "normal"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"count": 1},
        {"weather": "rain"},
        {"notification": "explode"},
        {"notification": "drop", "colour": "red"},
        {"notification": ["drop"]},
        {"notification": {"count": 1}},
        {"notification": {"mode": "drop", "colour": "red"}},
        {"notification": "drop", "count": 0},
        {"notification": "drop", "count": 1.5},
        {"notification": "drop", "count": True},
        {"notification": "delay", "seconds": -1},
        {"notification": "delay", "seconds": "3"},
        {"notification": "delay", "seconds": 3601},
        {"notification": "forge", "forgery": "magic"},
        {"notification": "forge", "then_genuine": "yes"},
        {"notification": "repeat", "times": 1001},
        {"api": "timeout", "operation": "dance"},
        {"api": "timeout", "out_trade_no": 7},
        {"notification": "drop", "api": "explode"},
    ],
)
def test_a_wrong_request_changes_nothing(wrong: dict[str, Any], platform: Platform) -> None:
    put(platform, notification="delay", seconds=7)
    with pytest.raises(ControlError):
        put(platform, **wrong)
    with platform.store.read() as db:
        assert get_fault(db, "notification") == Fault(mode="delay", seconds=7)
        assert get_fault(db, "api") == Fault()
