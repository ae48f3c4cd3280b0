"""What the viewer calls acts, things and values; and where a page of the log continues."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.identity import audit_trail, audit_words


def test_acts_have_words_and_unknown_ones_their_area() -> None:
    assert audit_words.action_words("identity.log_in") == "登录"
    assert audit_words.action_words("billing.weigh_coins") == "收费与退费 · weigh coins"
    assert audit_words.action_words("astronomy.look_up") == "astronomy · look up"
    assert audit_words.entity_words("ticket") == "排队票"
    assert audit_words.actor_kind_words("device") == "设备"


def test_every_act_with_words_belongs_to_an_area() -> None:
    areas = tuple(audit_words.AREA_WORDS)
    assert all(action.startswith(areas) for action in audit_words.ACTION_WORDS)


def test_values_are_shown_without_program_notation() -> None:
    assert audit_words.value_words([True, 3, "a"]) == "是、3、a"
    assert audit_words.value_words({"a": []}) == "a —"


def test_a_cursor_survives_the_address() -> None:
    place = (dt.datetime(2026, 11, 23, 0, 30, 0, 5, tzinfo=dt.UTC), 17)
    assert audit_trail.read_cursor(audit_trail.write_cursor(*place)) == place


@pytest.mark.parametrize(
    "text",
    ["", "_", "2026-11-23_1", "2026-11-23T00:30:00+00:00_", "x_1", "2026-11-23T00:30:00+00:00_-1"],
)
def test_a_broken_cursor_is_none(text: str) -> None:
    assert audit_trail.read_cursor(text) is None
