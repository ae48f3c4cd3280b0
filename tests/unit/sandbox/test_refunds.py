"""Refunds: amounts that fit, one refund per number, the moment they settle."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from backend.sandbox import refunds, trade
from backend.sandbox.errors import PlatformError
from backend.sandbox.faults import set_faults
from backend.sandbox.platform import Platform
from tests.unit.sandbox.conftest import NOW, Clock, order_body, refund_body


@pytest.fixture
def paid(platform: Platform) -> Platform:
    with platform.store.write() as db:
        code_url = trade.create_order(db, platform.keys, order_body(), NOW)
    platform.pay(code_url)
    return platform


def amounts(refund: int, total: int = 2500) -> dict[str, Any]:
    return {"refund": refund, "total": total, "currency": "CNY"}


def refund_row(platform: Platform, number: str = "RF20261123001") -> sqlite3.Row:
    with platform.store.read() as db:
        return refunds.find_refund(db, number)


def test_a_refund_settles_after_its_time_and_is_told(paid: Platform, clock: Clock) -> None:
    answer = paid.refund(refund_body())
    assert answer["status"] == "PROCESSING"
    assert "success_time" not in answer
    assert answer["amount"]["refund"] == 2500
    clock.now = NOW + 1.9
    with paid.store.write() as db:
        paid.settle(db)
    assert refund_row(paid)["status"] == "PROCESSING"
    clock.now = NOW + 2
    with paid.store.write() as db:
        paid.settle(db)
        paid.settle(db)
    assert paid.refund(refund_body())["success_time"] == "2026-11-23T09:30:02+08:00"
    with paid.store.read() as db:
        told = db.execute("SELECT event_type FROM notifications ORDER BY number").fetchall()
    assert [row["event_type"] for row in told] == ["TRANSACTION.SUCCESS", "REFUND.SUCCESS"]


def test_the_same_number_is_the_same_refund(paid: Platform) -> None:
    first, again = paid.refund(refund_body()), paid.refund(refund_body())
    assert first["refund_id"] == again["refund_id"]
    with paid.store.read() as db:
        assert refunds.refunded_amount(db, "XL20261123001") == 2500


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"out_refund_no": None}, "PARAM_ERROR"),
        ({"amount": amounts(0)}, "PARAM_ERROR"),
        ({"amount": amounts(2501)}, "INVALID_REQUEST"),
        ({"amount": amounts(1, 2400)}, "INVALID_REQUEST"),
        ({"out_trade_no": "XL00000000000"}, "RESOURCE_NOT_EXISTS"),
        ({"out_trade_no": None}, "PARAM_ERROR"),
        ({"transaction_id": "4200000000000000000000000000"}, "RESOURCE_NOT_EXISTS"),
        ({"notify_url": "http://127.0.0.1/n?x"}, "PARAM_ERROR"),
        ({"reason": "因" * 81}, "PARAM_ERROR"),
    ],
)
def test_a_wrong_refund_is_refused(changes: dict[str, Any], code: str, paid: Platform) -> None:
    with pytest.raises(PlatformError) as refusal:
        paid.refund(refund_body(**changes))
    assert refusal.value.code == code


def test_a_refund_by_the_platforms_number(paid: Platform) -> None:
    with paid.store.read() as db:
        number = trade.find_order(db, "XL20261123001")["transaction_id"]
    answer = paid.refund(refund_body(out_trade_no=None, transaction_id=number))
    assert answer["out_trade_no"] == "XL20261123001"


def test_parts_never_exceed_the_whole_even_while_processing(paid: Platform) -> None:
    paid.refund(refund_body(out_refund_no="RF1", amount=amounts(2000)))
    with pytest.raises(PlatformError, match="可退金额"):
        paid.refund(refund_body(out_refund_no="RF2", amount=amounts(501)))
    paid.refund(refund_body(out_refund_no="RF2", amount=amounts(500)))


def test_a_closed_refund_frees_its_amount(paid: Platform, clock: Clock) -> None:
    with paid.store.write() as db:
        set_faults(db, {"refund": "closed", "count": 1})
    paid.refund(refund_body(out_refund_no="RF1"))
    clock.now = NOW + 2
    with paid.store.write() as db:
        paid.settle(db)
    assert refund_row(paid, "RF1")["status"] == "CLOSED"
    assert paid.refund(refund_body(out_refund_no="RF2"))["status"] == "PROCESSING"


def test_after_a_year_no_refund(paid: Platform) -> None:
    paid.set_clock_offset(366 * 86400)
    with pytest.raises(PlatformError, match="最大期限"):
        paid.refund(refund_body())


def test_a_refused_refund_leaves_no_trace_but_uses_its_fault(paid: Platform) -> None:
    with paid.store.write() as db:
        set_faults(db, {"refund": "not_enough", "count": 1})
    with pytest.raises(PlatformError, match="可退金额"):
        paid.refund(refund_body(amount=amounts(2500 + 1)))
    with pytest.raises(PlatformError, match="NOT_ENOUGH"):
        paid.refund(refund_body())
    assert paid.refund(refund_body())["status"] == "PROCESSING"
