"""Trades of an earlier time: remembered once, listed on their days' bills."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.sandbox import bills
from backend.sandbox.errors import PlatformError
from backend.sandbox.past import DONE, FILE, remember_past
from backend.sandbox.platform import Platform
from tests.unit.sandbox.conftest import NOW

DAY_SECONDS = 86400.0


def write(folder: Path) -> None:
    order = {
        "out_trade_no": "0192aa",
        "transaction_id": "4200009000000000000000000001",
        "description": "门诊费用",
        "total": 2500,
        "paid_at": NOW - 2 * DAY_SECONDS,
        "refunds": [
            {
                "out_refund_no": "0192bb",
                "refund_id": "503",
                "amount": 1000,
                "created_at": NOW - 2 * DAY_SECONDS + 60,
                "success_at": NOW - 2 * DAY_SECONDS + 90,
            }
        ],
    }
    (folder / FILE).write_text(json.dumps(order) + "\n", encoding="utf-8")


def bill(platform: Platform, folder: Path) -> str:
    with platform.store.write() as db:
        made = bills.make_bill(
            db, platform.keys, folder / "bills", bill_date="2026-11-21", bill_type="ALL", now=NOW
        )
    return bills.find_bill(folder / "bills", made.token).read_text("utf-8")


def test_the_past_is_on_its_days_bill(platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="NO_STATEMENT_EXIST"):
        bill(platform, tmp_path)
    write(tmp_path)
    assert remember_past(platform.store, tmp_path) == 1
    text = bill(platform, tmp_path)
    assert "`0192aa" in text
    assert "`0192bb" in text
    assert text.splitlines()[-1].startswith("`2,`25.00,`10.00,")


def test_it_is_read_once_and_again_adds_nothing(platform: Platform, tmp_path: Path) -> None:
    assert remember_past(platform.store, tmp_path) == 0
    write(tmp_path)
    assert remember_past(platform.store, tmp_path) == 1
    assert (tmp_path / DONE).is_file()
    assert remember_past(platform.store, tmp_path) == 0
    write(tmp_path)
    assert remember_past(platform.store, tmp_path) == 1
    assert len(bill(platform, tmp_path).splitlines()) == 5
