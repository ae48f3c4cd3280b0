"""Kinds and states of prepaid accounts, and what may be done in each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class AccountKind(StrEnum):
    """What an account is for. An inpatient account belongs to one stay and ends with its settlement."""

    OUTPATIENT = "outpatient"
    INPATIENT = "inpatient"


class AccountState(StrEnum):
    """``frozen``: nothing goes out until somebody lifts it; what is on its way in still arrives."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


ACCOUNT_MOVES: Mapping[AccountState, frozenset[AccountState]] = {
    AccountState.OPEN: frozenset({AccountState.FROZEN, AccountState.CLOSED}),
    AccountState.FROZEN: frozenset({AccountState.OPEN}),
    # Money that comes back to a closed account (a refund) opens it again.
    AccountState.CLOSED: frozenset({AccountState.OPEN}),
}
