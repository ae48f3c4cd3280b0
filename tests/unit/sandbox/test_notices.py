"""When notifications are due, in which order, and what a delivery's result leads to."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from backend.sandbox import notices
from backend.sandbox.faults import Fault
from backend.sandbox.platform import Platform
from tests.unit.sandbox.conftest import NOW

RETRIES = (15.0, 30.0)


def queue(platform: Platform, subject: str = "XL1", **fault: Any) -> None:
    with platform.store.write() as db:
        resource = {"out_trade_no": subject, "amount": {"total": 2500}}
        url = "http://127.0.0.1:9/notify"
        notices.queue_payment_notice(db, url, resource, replace(Fault(), **fault), NOW)


def due(platform: Platform, at: float) -> list[sqlite3.Row]:
    with platform.store.write() as db:
        notices.release_due_held(db, at)
        return notices.take_due(db, at, 10)


def record(platform: Platform, row: sqlite3.Row, is_accepted: bool, at: float) -> None:
    with platform.store.write() as db:
        notices.record_result(
            db, row, is_accepted=is_accepted, result="x", retry_seconds=RETRIES, now=at
        )


def states(platform: Platform) -> list[str]:
    with platform.store.read() as db:
        rows = db.execute("SELECT state FROM notifications ORDER BY number").fetchall()
    return [row["state"] for row in rows]


def test_a_normal_notification_is_due_at_once_and_sent_once(platform: Platform) -> None:
    queue(platform)
    (row,) = due(platform, NOW)
    assert due(platform, NOW) == []
    record(platform, row, True, NOW)
    assert states(platform) == ["delivered"]
    with platform.store.read() as db:
        assert notices.next_due_at(db) is None


def test_refused_it_comes_again_on_the_schedule_and_is_given_up(platform: Platform) -> None:
    queue(platform)
    at = NOW
    for wait in RETRIES:
        (row,) = due(platform, at)
        record(platform, row, False, at)
        assert due(platform, at + wait - 0.1) == []
        at += wait
    (row,) = due(platform, at)
    record(platform, row, False, at)
    assert states(platform) == ["given_up"]


def test_dropped_is_never_due(platform: Platform) -> None:
    queue(platform, mode="drop")
    assert due(platform, NOW + 86400) == []
    assert states(platform) == ["dropped"]


def test_delayed_is_due_later(platform: Platform) -> None:
    queue(platform, mode="delay", seconds=8.0)
    assert due(platform, NOW + 7.9) == []
    assert len(due(platform, NOW + 8)) == 1


def test_repeated_comes_again_although_accepted(platform: Platform) -> None:
    queue(platform, mode="repeat", times=3)
    at = NOW
    for _ in range(3):
        (row,) = due(platform, at)
        record(platform, row, True, at)
        at += notices.SPACING
    assert due(platform, at + 60) == []
    assert states(platform) == ["delivered"]


def test_reordered_come_newest_first(platform: Platform) -> None:
    for subject in ("XL1", "XL2", "XL3"):
        assert due(platform, NOW) == []
        queue(platform, subject, mode="reorder", times=3)
    found = [row["subject"] for row in due(platform, NOW + 1)]
    assert found == ["XL3", "XL2", "XL1"]


def test_a_held_notification_does_not_wait_for_company_for_ever(platform: Platform) -> None:
    queue(platform, mode="reorder", times=2, seconds=5.0)
    assert due(platform, NOW + 4.9) == []
    assert len(due(platform, NOW + 5)) == 1


def test_a_forged_one_is_sent_once_in_place_of_the_true_one(platform: Platform) -> None:
    queue(platform, mode="forge", forgery="amount")
    (row,) = due(platform, NOW)
    assert row["forgery"] == "amount"
    record(platform, row, False, NOW)
    assert states(platform) == ["given_up"]


def test_the_true_one_may_follow_the_forged(platform: Platform) -> None:
    queue(platform, mode="forge", then_genuine=True)
    assert [row["forgery"] for row in due(platform, NOW)] == ["signature", None]


def test_what_was_being_sent_at_a_crash_is_sent_again(platform: Platform) -> None:
    queue(platform)
    assert len(due(platform, NOW)) == 1
    with platform.store.write() as db:
        notices.recover(db)
    assert len(due(platform, NOW)) == 1


@pytest.mark.parametrize("forgery", [None, "signature", "timestamp", "serial", "signtest"])
def test_headers_and_envelope(forgery: str | None, platform: Platform) -> None:
    queue(platform, mode="forge" if forgery else "normal", forgery=forgery or "signature")
    (row,) = due(platform, NOW)
    headers, body = platform.build_notification(row)
    envelope = json.loads(body)
    assert envelope["event_type"] == "TRANSACTION.SUCCESS"
    assert envelope["resource_type"] == "encrypt-resource"
    assert envelope["resource"]["algorithm"] == "AEAD_AES_256_GCM"
    assert envelope["resource"]["associated_data"] == "transaction"
    assert len(envelope["resource"]["nonce"]) == 12
    expected = int(NOW) - (600 if forgery == "timestamp" else 0)
    assert headers["Wechatpay-Timestamp"] == str(expected)
    is_ours = headers["Wechatpay-Serial"] == platform.keys.public_key_id
    assert is_ours is (forgery != "serial")
    is_probe = headers["Wechatpay-Signature"].startswith("WECHATPAY/SIGNTEST/")
    assert is_probe is (forgery == "signtest")
