"""When a platform is asked, and what its reports mean for our books."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from backend.billing.rules.states import PAID_AFTER_ALL, InvoiceState, PaymentState, is_in_flight

#: How long a payer may look at a QR code when the bill itself sets no earlier end.
QR_LIFETIME = dt.timedelta(minutes=15)


#: The platform takes no order that ends sooner than this.
QR_SHORTEST = dt.timedelta(minutes=1)


#: Ages of an order at which it is asked about; afterwards every CHECK_EVERY seconds.
CHECK_AGES = (5, 10, 20, 40)


CHECK_EVERY = 30


#: Longest pause between two questions about an order: far ends that are away come back within hours.
CHECK_LONGEST = 900


#: Closing is pressed harder while somebody may stand at the counter and wait for it.
CLOSE_EVERY = 5


REFUND_CHECK_LONGEST = 600


#: A case about silence is opened after this at the earliest (how late is configured).
SHORTEST_SILENCE = dt.timedelta(hours=1)


#: How long a platform may say that it works on a refund (to a bank card: up to three working days).
REFUND_LONGEST = dt.timedelta(days=7)


def qr_expiry(now: dt.datetime, invoice_expires_at: dt.datetime | None) -> dt.datetime:
    """Until when a QR code opened ``now`` can be paid: with the bill, as the platform allows."""
    latest = now + QR_LIFETIME
    if invoice_expires_at is None:
        return latest
    return max(min(latest, invoice_expires_at), now + QR_SHORTEST)


def next_check_seconds(age_seconds: float) -> int:
    """Seconds until an order of this age is asked about: at 5, 10, 20, 40 s, then every 30, from 20 min on rarer."""
    for age in CHECK_AGES:
        if age_seconds < age - 0.5:
            return max(1, round(age - age_seconds))
    return min(max(CHECK_EVERY, round(age_seconds / 40)), CHECK_LONGEST)


def next_close_seconds(age_seconds: float) -> int:
    """Seconds until closing an order of this age is tried again: 5, from ten minutes on rarer, never over 15 min."""
    return min(max(CLOSE_EVERY, round(age_seconds / 120)), CHECK_LONGEST)


def next_refund_check_seconds(age_seconds: float) -> int:
    """Seconds until a refund of this age is asked about again: its age, from 10 s to 10 min."""
    return min(max(10, round(age_seconds)), REFUND_CHECK_LONGEST)


class Step(StrEnum):
    """What to do at the platform next for one payment."""

    NOTHING = "nothing"
    CREATE = "create"
    #: The create was sent and its answer lost: ask first, create again only if it is not there.
    ASK_AND_CREATE = "ask_and_create"
    ASK = "ask"
    CLOSE = "close"


def next_step(
    state: PaymentState, *, has_code: bool, expires_at: dt.datetime, now: dt.datetime
) -> Step:
    """The next act for a payment, from what is stored alone (so that any worker may take it)."""
    if not is_in_flight(state):
        return Step.NOTHING
    if state is PaymentState.CLOSING or now >= expires_at:
        return Step.CLOSE
    if state is PaymentState.CREATED:
        return Step.CREATE
    return Step.ASK if has_code else Step.ASK_AND_CREATE


class Verdict(StrEnum):
    """What a report that the payer has paid means for our books."""

    #: Known already (a repeated or late notification).
    NOTHING = "nothing"
    #: Pay the invoice with it.
    SETTLE = "settle"
    #: Another amount than asked for: hold it, open a case.
    FREEZE = "freeze"
    #: Right amount, but nothing left to pay: give it back, open a case.
    GIVE_BACK = "give_back"


def judge_paid(
    state: PaymentState,
    *,
    asked_fen: int,
    reported_fen: int | None,
    invoice_state: InvoiceState,
    due_fen: int,
) -> Verdict:
    """What to do with money reported for a payment whose invoice still owes ``due_fen``: no more is ever taken."""
    if state in PAID_AFTER_ALL:
        return Verdict.NOTHING
    if reported_fen != asked_fen:
        return Verdict.FREEZE
    if invoice_state is not InvoiceState.OPEN or due_fen < asked_fen:
        return Verdict.GIVE_BACK
    return Verdict.SETTLE
