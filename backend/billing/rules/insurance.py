"""National insurance: the states of a claim, and how long its far end is waited for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum

#: After so long without an answer a claim that has changed no money is given up.
CLAIM_LONGEST = dt.timedelta(minutes=3)
#: A settlement that was sent this long ago and not answered belongs to a worker that has died.
SETTLING_LONGEST = dt.timedelta(seconds=60)
ASK_AGAIN_SECONDS = 3
#: What is registered where no doctor has written a diagnosis yet (a registration fee is paid first).
FIRST_DIAGNOSIS = ("Z00.000", "门诊就诊")
DEPARTMENT = "门诊"


class ClaimState(StrEnum):
    """Where the insurance's part of one bill stands."""

    CREATED = "created"
    #: Registered, fees uploaded, split known; the payment of the fund's part has begun.
    ESTIMATED = "estimated"
    SETTLING = "settling"
    #: A settlement without a believable answer, being undone (2601).
    REVERSING = "reversing"
    SETTLED = "settled"
    REFUSED = "refused"
    REVERSED = "reversed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


CLAIM_MOVES: Mapping[ClaimState, frozenset[ClaimState]] = {
    ClaimState.CREATED: frozenset({ClaimState.ESTIMATED, ClaimState.REFUSED}),
    ClaimState.ESTIMATED: frozenset({ClaimState.SETTLING, ClaimState.REFUSED, ClaimState.REVERSED}),
    ClaimState.SETTLING: frozenset({ClaimState.SETTLED, ClaimState.REFUSED, ClaimState.REVERSING}),
    ClaimState.REVERSING: frozenset({ClaimState.REVERSED}),
    ClaimState.SETTLED: frozenset({ClaimState.CANCELLING}),
    # Refused, or reversed after silence: the settlement stands as it was.
    ClaimState.CANCELLING: frozenset({ClaimState.CANCELLED, ClaimState.SETTLED}),
    ClaimState.REFUSED: frozenset(),
    ClaimState.REVERSED: frozenset(),
    ClaimState.CANCELLED: frozenset(),
}
#: The counter waits for these.
CLAIM_PENDING = frozenset({ClaimState.CREATED})


def mask_credential(credential: str) -> str:
    """The last four: enough to tell another person's."""
    return "*" * (len(credential) - 4) + credential[-4:]


def is_credential(text: str) -> bool:
    """True for what a reader gives for an electronic credential or a social-security card."""
    return 6 <= len(text) <= 64 and text.isascii() and text.isalnum()
