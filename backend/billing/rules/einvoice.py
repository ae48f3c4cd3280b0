"""Electronic bills: their states, and when the platform is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

#: Waits between two tries, by how often it was tried (seconds); then the last for ever.
TRY_AGAIN = (5, 15, 60, 300, 1800)


class EInvoiceState(StrEnum):
    """Where one electronic bill stands."""

    CREATED = "created"
    #: Sent; what came of it is found out by asking for our number.
    UNKNOWN = "unknown"
    ISSUED = "issued"
    #: The platform refuses: a person has to look.
    FAILED = "failed"
    #: To be written off, or on its way.
    RED_PENDING = "red_pending"
    RED_LETTERED = "red_lettered"


EINVOICE_MOVES: Mapping[EInvoiceState, frozenset[EInvoiceState]] = {
    EInvoiceState.CREATED: frozenset({EInvoiceState.UNKNOWN, EInvoiceState.RED_LETTERED}),
    EInvoiceState.UNKNOWN: frozenset(
        {EInvoiceState.ISSUED, EInvoiceState.FAILED, EInvoiceState.RED_LETTERED}
    ),
    EInvoiceState.ISSUED: frozenset({EInvoiceState.RED_PENDING}),
    EInvoiceState.FAILED: frozenset({EInvoiceState.UNKNOWN, EInvoiceState.RED_LETTERED}),
    EInvoiceState.RED_PENDING: frozenset({EInvoiceState.RED_LETTERED}),
    # Given up before it was sent, and it has arrived there all the same.
    EInvoiceState.RED_LETTERED: frozenset({EInvoiceState.ISSUED}),
}
#: Nothing stands under these any more.
GONE = frozenset({EInvoiceState.RED_LETTERED})


def try_again_seconds(attempts: int) -> int:
    """The wait after so many tries."""
    return TRY_AGAIN[min(max(attempts, 1), len(TRY_AGAIN)) - 1]
