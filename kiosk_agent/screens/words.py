"""The kiosk's words in Chinese and English, from two JSON files with the same keys."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from importlib import resources

from kiosk_agent.clock import local

LANGUAGES = ("zh", "en")


@cache
def catalogue(language: str) -> dict[str, str]:
    """All words of `language` ("zh" or "en") by key."""
    source = resources.files("kiosk_agent.catalogue").joinpath(f"{language}.json")
    words: dict[str, str] = json.loads(source.read_text(encoding="utf-8"))
    return words


class Words:
    """Looks words up in one language. A missing key raises KeyError: a test finds it first."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words = catalogue(language)

    def __call__(self, key: str, **facts: object) -> str:
        """The words of `key` with `facts` filled in."""
        return self._words[key].format(**facts)

    def has(self, key: str) -> bool:
        """Whether there are words for `key`."""
        return key in self._words

    def window(self, start: datetime | None, end: datetime | None, now: datetime) -> str:
        """An arrival window in words: 今天 09:30–10:00."""
        if start is None:
            return ""
        begin = local(start)
        clock = f"{begin:%H:%M}" if end is None else f"{begin:%H:%M}–{local(end):%H:%M}"
        if begin.date() == local(now).date():
            return self("today", clock=clock)
        return self("on_day", month=begin.month, day=begin.day, clock=clock)


def yuan(fen: int) -> str:
    """Integer fen as ¥25.00."""
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{abs(fen) // 100}.{abs(fen) % 100:02d}"
