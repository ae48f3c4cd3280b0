"""The two word files say the same things, and every word a screen can need is there."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta

import pytest

from kiosk_agent.flows.state import Done, Purpose, Service
from kiosk_agent.screens.words import LANGUAGES, Words, catalogue, yuan

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def _places(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_keys_and_places() -> None:
    chinese, english = (catalogue(language) for language in LANGUAGES)
    assert chinese.keys() == english.keys()
    assert [key for key in chinese if _places(chinese[key]) != _places(english[key])] == []
    assert [key for key, text in english.items() if key != "none_register" and not text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_that_names_words_has_them(language: str) -> None:
    words = Words(language)
    for service in Service:
        assert words(f"service_{service}")
    for done in Done:
        assert words(f"done_{done}_title")
    for purpose in Purpose:
        assert words(f"action_purpose_{purpose}")


def test_windows_read_as_people_say_them() -> None:
    words = Words("zh")
    end = NOW + timedelta(minutes=30)
    assert words.window(NOW, end, NOW) == "今天 09:30–10:00"
    assert words.window(NOW + timedelta(days=1), None, NOW) == "11月24日 09:30"
    assert words.window(None, None, NOW) == ""
    assert Words("en").window(NOW, end, NOW) == "Today 09:30–10:00"


@pytest.mark.parametrize(
    ("fen", "words"), [(2500, "¥25.00"), (5, "¥0.05"), (0, "¥0.00"), (-1050, "-¥10.50")]
)
def test_money(fen: int, words: str) -> None:
    assert yuan(fen) == words
