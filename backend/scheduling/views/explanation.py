"""What is shown when somebody asks why a patient cannot book."""

from __future__ import annotations

from dataclasses import dataclass

from backend.scheduling.rules import CHANNEL_WORDS, Channel, Verdict
from backend.scheduling.views.core import ScheduleView


@dataclass(frozen=True, slots=True)
class ExplanationRow:
    """One rule, and what it says for each of the explanation's channels."""

    rule: str
    words: object
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a patient can or cannot book a session, channel by channel."""

    schedule: ScheduleView
    channels: tuple[Channel, ...]
    rows: tuple[ExplanationRow, ...]

    @property
    def can_book(self) -> tuple[bool, ...]:
        """Whether every rule is met, a channel each."""
        return tuple(
            all(row.verdicts[index].is_met for row in self.rows)
            for index in range(len(self.channels))
        )

    @property
    def channel_words(self) -> tuple[object, ...]:
        """What the channels are called."""
        return tuple(CHANNEL_WORDS[channel] for channel in self.channels)
