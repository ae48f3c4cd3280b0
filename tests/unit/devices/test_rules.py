"""Rules of the fleet: codes people type, windows of tries, states and troubles in words."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from flask_babel import Babel

from backend.devices import rules
from backend.devices.rules import KioskState, PrintState

AT = dt.datetime(2026, 11, 23, 0, 30, tzinfo=dt.UTC)


def test_codes_are_easy_to_read_and_forgiving_to_type() -> None:
    code = rules.new_code()
    assert len(code) == rules.CODE_LENGTH
    assert not set(code) & set("01ILO")
    assert len(rules.CODE_ALPHABET) == 31
    assert rules.normal_code(f" {code[:4].lower()}-{code[4:]} ") == code


def test_credentials_are_256_bits_and_differ() -> None:
    assert len(rules.new_credential()) == 43
    assert rules.new_credential() != rules.new_credential()


@pytest.mark.parametrize(("minute", "begins"), [(0, 0), (14, 0), (15, 15), (29, 15), (59, 45)])
def test_windows_of_tries_are_quarters_of_the_hour(minute: int, begins: int) -> None:
    at = AT.replace(minute=minute, second=59)
    assert rules.try_window(at) == AT.replace(minute=begins)


@pytest.mark.parametrize(
    ("is_enrolled", "is_revoked", "seconds", "expected"),
    [
        (False, False, None, KioskState.NEW),
        (True, False, None, KioskState.OFFLINE),
        (True, False, 15, KioskState.ONLINE),
        (True, False, 16, KioskState.OFFLINE),
        (True, True, 1, KioskState.REVOKED),
        (False, True, None, KioskState.REVOKED),
    ],
)
def test_states(
    is_enrolled: bool, is_revoked: bool, seconds: int | None, expected: KioskState
) -> None:
    beat_at = AT - dt.timedelta(seconds=seconds) if seconds is not None else None
    found = rules.kiosk_state(
        is_enrolled=is_enrolled, is_revoked=is_revoked, beat_at=beat_at, at=AT
    )
    assert found is expected


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        ("printer", {"state": "ok", "paper": "ok"}, ("", "ok")),
        ("printer", {"state": "ok", "paper": "near_end"}, ("纸将用完", "warn")),
        ("printer", {"state": "paper_out", "paper": "out"}, ("缺纸", "bad")),
        ("scanner", {"state": "starting"}, ("正在启动", "info")),
        ("scanner", {"state": "new_trouble"}, ("new_trouble", "bad")),
        ("scanner", {}, ("", "ok")),
    ],
)
def test_troubles(name: str, facts: dict[str, object], expected: tuple[str, str]) -> None:
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        assert rules.trouble_of(name, facts) == expected


def test_a_print_that_ended_stays_ended() -> None:
    for state in (PrintState.PRINTED, PrintState.FAILED):
        assert rules.PRINT_MOVES[state] == set()
    assert PrintState.REQUESTED not in rules.PRINT_MOVES[PrintState.AMBIGUOUS]
