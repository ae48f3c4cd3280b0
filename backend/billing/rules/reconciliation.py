"""Reconciliation: whose bill covers which tenders, when a run is due, and on which day a document is judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum

from backend.billing.rules.states import Tender
from backend.kernel.clock import day_bounds


class BillChannel(StrEnum):
    """Who publishes a bill of its own: one platform or bank, whatever tenders it takes."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    BANK_CARD = "bank_card"
    INSURANCE = "insurance"


CHANNEL_TENDERS: Mapping[BillChannel, frozenset[Tender]] = {
    BillChannel.WECHAT: frozenset({Tender.WECHAT_NATIVE, Tender.WECHAT_CODEPAY}),
    BillChannel.ALIPAY: frozenset({Tender.ALIPAY_QR}),
    BillChannel.BANK_CARD: frozenset({Tender.BANK_CARD}),
    BillChannel.INSURANCE: frozenset({Tender.INSURANCE}),
}


#: The tender that stands for money a channel knows and we do not: it lies in the channel's clearing account.
STRAY_TENDERS: Mapping[BillChannel, Tender] = {
    BillChannel.WECHAT: Tender.WECHAT_NATIVE,
    BillChannel.ALIPAY: Tender.ALIPAY_QR,
    BillChannel.BANK_CARD: Tender.BANK_CARD,
    BillChannel.INSURANCE: Tender.INSURANCE,
}


#: Channels whose own dialogue ends what is unknown, by reversing or repeating it: a bill that shows it half done
#: must not settle it behind the dialogue's back, and is a difference until then.
SELF_RESOLVING: frozenset[BillChannel] = frozenset({BillChannel.BANK_CARD, BillChannel.INSURANCE})


class RunState(StrEnum):
    """Where the reconciliation of one channel's day stands."""

    #: Its bill is not expected yet, or nobody has asked yet.
    DUE = "due"
    FETCHING = "fetching"
    #: No bill, or one that cannot be believed: asked again later.
    FAILED = "failed"
    MATCHED = "matched"


RUN_MOVES: Mapping[RunState, frozenset[RunState]] = {
    RunState.DUE: frozenset({RunState.FETCHING}),
    # Once more from here when whoever fetched was killed (see FETCH_LEASE).
    RunState.FETCHING: frozenset({RunState.FETCHING, RunState.FAILED, RunState.MATCHED}),
    RunState.FAILED: frozenset({RunState.FETCHING, RunState.DUE}),
    # Somebody asks for it once more.
    RunState.MATCHED: frozenset({RunState.FETCHING, RunState.DUE}),
}


class DifferenceKind(StrEnum):
    """How our books and a channel's bill may disagree about one number."""

    OURS_ONLY = "ours_only"
    THEIRS_ONLY = "theirs_only"
    AMOUNT_DIFFERS = "amount_differs"


#: A document this close to midnight may stand on the other day's bill: our clock is not the channel's.
MIDNIGHT_MARGIN = dt.timedelta(minutes=15)

#: Whoever fetches for longer than this was killed: another may begin again.
FETCH_LEASE = dt.timedelta(minutes=15)

FIRST_RETRY = dt.timedelta(minutes=5)
LONGEST_RETRY = dt.timedelta(hours=1)
#: A bill without a line is believed at once only when we have nothing either; otherwise after this.
EMPTY_BELIEVED_AFTER = dt.timedelta(hours=12)


def retry_after(tries: int) -> dt.timedelta:
    """How long to wait after the ``tries``-th failure: 5 minutes, doubled each time, at most an hour."""
    doublings = min(max(tries, 1) - 1, 10)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


def is_empty_believed(*, our_count: int, now: dt.datetime, published_from: dt.datetime) -> bool:
    """Whether a bill without lines is that day's bill and not one that is still being written."""
    return our_count == 0 or now >= published_from + EMPTY_BELIEVED_AFTER


def judged_bounds(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The half-open interval of documents for which the bill of ``day`` is the last that may list them.

    It is the day moved back by the margin: a payment of 23:50 is looked for on both days' bills and missed
    only when the second one is there.
    """
    first, after = day_bounds(day)
    return first - MIDNIGHT_MARGIN, after - MIDNIGHT_MARGIN
