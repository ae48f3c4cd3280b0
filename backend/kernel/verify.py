"""The shape of every verifier's answer: how many rows were checked, and what is wrong with which row."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class VerifyReport:
    """What a replay found. ``counts`` maps a word for the rows to their number; no problems means sound."""

    counts: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, what: str, number: int = 1) -> None:
        """Say that ``number`` more rows of ``what`` were looked at."""
        self.counts[what] = self.counts.get(what, 0) + number

    def problem(self, text: str) -> None:
        """Say what is wrong, naming the row."""
        self.problems.append(text)

    @property
    def checked(self) -> int:
        """All rows that were looked at."""
        return sum(self.counts.values())

    @property
    def is_sound(self) -> bool:
        """True when something was checked and nothing was wrong."""
        return not self.problems
