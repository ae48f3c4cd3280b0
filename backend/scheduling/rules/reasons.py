"""The reason somebody writes for what they do to a session or a visit: read by patients and auditors, so not empty."""

from __future__ import annotations

#: Characters; as long as the columns that keep a reason.
LONGEST_REASON = 100


def is_reason(text: str) -> bool:
    """True for 1–100 characters, not counting blanks around them (which are not kept either)."""
    return 1 <= len(text.strip()) <= LONGEST_REASON
