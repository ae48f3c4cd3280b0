"""The policy file: what it sets, what it leaves, and how it says what is wrong."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from backend.scheduling.rules import DEFAULT_POLICY, BookingPolicies, Channel, VisitType
from backend.scheduling.schemas import PolicyFile, PolicyFileInvalid, read_policies

HOLD = dt.timedelta(minutes=12)
DOCUMENT = Path(__file__).parents[3] / "docs" / "booking-policy.md"


def read(tmp_path: Path, text: str) -> BookingPolicies:
    path = tmp_path / "booking.toml"
    path.write_text(text, encoding="utf-8")
    return read_policies(path, hold=HOLD)


def test_without_a_file_the_usual_rules_hold_with_the_configured_minutes() -> None:
    found = read_policies(None, hold=HOLD)
    assert found.usual.hold == HOLD
    assert found.usual.booking_days == DEFAULT_POLICY.booking_days
    assert found.exceptions == ()


def test_the_documented_file_is_read_and_is_the_usual_rules(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    found = read(tmp_path, text)
    assert found.usual.hold == DEFAULT_POLICY.hold
    (reserve,) = found.usual.reserves
    assert (reserve.channel, reserve.percent) == (Channel.MINIPROGRAM, 30)
    plain = {name for name in PolicyFile.model_fields if name in type(found.usual).__slots__}
    for name in plain:
        assert getattr(found.usual, name) == getattr(DEFAULT_POLICY, name), name
    for name in PolicyFile.model_fields:
        assert f"\n{name} =" in f"\n{text}" or f"[[{name}]]" in text, name
    assert found.of(VisitType.SPECIAL, "XL", "SUR").booking_days == 28
    breast = found.of(VisitType.CHIEF, "XL", "BRE")
    assert (breast.hold, breast.reserves) == (dt.timedelta(minutes=10), ())


def test_an_exception_changes_only_what_it_says(tmp_path: Path) -> None:
    found = read(
        tmp_path, 'visits_a_day = 2\n[[exception]]\nvisit_type = "special"\nbooking_days = 3\n'
    )
    special = found.of(VisitType.SPECIAL)
    assert (special.booking_days, special.visits_a_day, special.hold) == (3, 2, HOLD)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hold_minuts = 3", "hold_minuts"),
        ("hold_minutes = 0", "hold_minutes"),
        ('booking_opens = "7 o\'clock"', "booking_opens"),
        ('[[reserve]]\nchannel = "fax"\npercent = 1', "reserve.0.channel"),
        ('[[reserve]]\nchannel = "kiosk"\npercent = 60\n[[reserve]]\nchannel = "wechat"\npercent = 50', "100 percent"),
        ('[[reserve]]\nchannel = "kiosk"\npercent = 6\n[[reserve]]\nchannel = "kiosk"\npercent = 5', "two reserves"),
        ("[[exception]]\nbooking_days = 3", "names no visit_type"),
        ("hold_minutes =", "Invalid value"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(PolicyFileInvalid) as refused:
        read(tmp_path, text)
    assert words in str(refused.value)
    assert "XINGLIN_BOOKING_POLICY_FILE" in str(refused.value)


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileInvalid, match=r"none\.toml"):
        read_policies(tmp_path / "none.toml", hold=HOLD)
