"""The rules of money as pure functions: states and moves, amounts, timing, verdicts and postings.

Amounts are integer fen. Every table of moves is explicit: what is not in it cannot happen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from backend.billing.errors import CashTooLittle, IllegalMove, RefundTooMuch
from backend.kernel.money import Fen

#: How long a payer may look at a QR code when the bill itself sets no earlier end.
QR_LIFETIME = dt.timedelta(minutes=15)
#: The platform takes no order that ends sooner than this.
QR_SHORTEST = dt.timedelta(minutes=1)
#: Ages of an order at which it is asked about; afterwards every CHECK_EVERY seconds.
CHECK_AGES = (5, 10, 20, 40)
CHECK_EVERY = 30
REFUND_CHECK_LONGEST = 600


class PriceCategory(StrEnum):
    """What a price is for; each category has a revenue account of its own (收费类别)."""

    REGISTRATION = "registration"
    CONSULTATION = "consultation"
    LABORATORY = "laboratory"
    IMAGING = "imaging"
    ULTRASOUND = "ultrasound"
    ENDOSCOPY = "endoscopy"
    NUCLEAR = "nuclear"
    PATHOLOGY = "pathology"
    DRUG = "drug"
    PROCEDURE = "procedure"
    TREATMENT = "treatment"
    RADIOTHERAPY = "radiotherapy"
    SURGERY = "surgery"
    ANAESTHESIA = "anaesthesia"
    NURSING = "nursing"
    BED = "bed"
    MATERIAL = "material"
    BLOOD = "blood"
    OTHER = "other"


class ChargeState(StrEnum):
    """Where one item owed stands."""

    PENDING = "pending"
    INVOICED = "invoiced"
    PAID = "paid"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class InvoiceState(StrEnum):
    """Where a bill stands."""

    OPEN = "open"
    PAID = "paid"
    PART_REFUNDED = "part_refunded"
    REFUNDED = "refunded"
    VOID = "void"


class PaymentState(StrEnum):
    """Where a payment stands. ``closing``: asked to close, the platform has not confirmed it."""

    CREATED = "created"
    PENDING = "pending"
    UNKNOWN = "unknown"
    CLOSING = "closing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"
    #: Money came in another amount than asked: a person decides.
    FROZEN = "frozen"


class RefundState(StrEnum):
    """Where a refund stands. ``abnormal``: the platform could not pay it out, a person decides."""

    CREATED = "created"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    ABNORMAL = "abnormal"


class Tender(StrEnum):
    """What is paid with."""

    CASH = "cash"
    WECHAT_NATIVE = "wechat_native"


class CaseKind(StrEnum):
    """Why a person has to look at money."""

    AMOUNT_DIFFERS = "amount_differs"
    PAID_TOO_LATE = "paid_too_late"
    UNKNOWN_ORDER = "unknown_order"
    REFUND_ABNORMAL = "refund_abnormal"
    REFUND_DIFFERS = "refund_differs"


class CaseState(StrEnum):
    """Whether a money case still waits for somebody."""

    OPEN = "open"
    CLOSED = "closed"


State = TypeVar("State", bound=StrEnum)

CHARGE_MOVES: Mapping[ChargeState, frozenset[ChargeState]] = {
    ChargeState.PENDING: frozenset({ChargeState.INVOICED, ChargeState.CANCELLED}),
    ChargeState.INVOICED: frozenset({ChargeState.PENDING, ChargeState.PAID, ChargeState.CANCELLED}),
    ChargeState.PAID: frozenset({ChargeState.REFUNDED}),
    ChargeState.REFUNDED: frozenset(),
    ChargeState.CANCELLED: frozenset(),
}
INVOICE_MOVES: Mapping[InvoiceState, frozenset[InvoiceState]] = {
    InvoiceState.OPEN: frozenset({InvoiceState.PAID, InvoiceState.VOID}),
    InvoiceState.PAID: frozenset({InvoiceState.PART_REFUNDED, InvoiceState.REFUNDED}),
    InvoiceState.PART_REFUNDED: frozenset({InvoiceState.PART_REFUNDED, InvoiceState.REFUNDED}),
    InvoiceState.REFUNDED: frozenset(),
    InvoiceState.VOID: frozenset(),
}
_ENDED = frozenset(
    {PaymentState.SUCCEEDED, PaymentState.CLOSED, PaymentState.FAILED, PaymentState.FROZEN}
)
#: Only money moves a payment out of an end: a closed or failed order that was paid after all.
_PAID_AFTER_ALL = frozenset({PaymentState.SUCCEEDED, PaymentState.FROZEN})
PAYMENT_MOVES: Mapping[PaymentState, frozenset[PaymentState]] = {
    PaymentState.CREATED: _ENDED
    | {PaymentState.PENDING, PaymentState.UNKNOWN, PaymentState.CLOSING},
    PaymentState.PENDING: _ENDED | {PaymentState.UNKNOWN, PaymentState.CLOSING},
    PaymentState.UNKNOWN: _ENDED | {PaymentState.PENDING, PaymentState.CLOSING},
    PaymentState.CLOSING: _ENDED,
    PaymentState.SUCCEEDED: frozenset(),
    PaymentState.FAILED: _PAID_AFTER_ALL,
    PaymentState.CLOSED: _PAID_AFTER_ALL,
    PaymentState.FROZEN: frozenset(),
}
REFUND_MOVES: Mapping[RefundState, frozenset[RefundState]] = {
    RefundState.CREATED: frozenset(RefundState) - {RefundState.CREATED},
    RefundState.PROCESSING: frozenset(
        {RefundState.UNKNOWN, RefundState.SUCCEEDED, RefundState.ABNORMAL}
    ),
    RefundState.UNKNOWN: frozenset(
        {RefundState.PROCESSING, RefundState.SUCCEEDED, RefundState.ABNORMAL}
    ),
    RefundState.ABNORMAL: frozenset({RefundState.PROCESSING, RefundState.SUCCEEDED}),
    RefundState.SUCCEEDED: frozenset(),
}


def move(moves: Mapping[State, frozenset[State]], now: State, to: State) -> State:
    """``to``, when ``moves`` allows it from ``now``; IllegalMove (409) otherwise."""
    if to not in moves[now]:
        raise IllegalMove(state=now.value, wanted=to.value)
    return to


def is_in_flight(state: PaymentState) -> bool:
    """True while a payer might still pay this order, as far as we know."""
    return state not in _ENDED


# --- amounts ---------------------------------------------------------------------------------


def charge_amount(unit_price_fen: int, quantity: int) -> Fen:
    """Price times quantity; both are whole numbers, quantity at least 1."""
    if quantity < 1 or unit_price_fen < 0:
        raise ValueError("a charge needs a quantity of at least 1 and no negative price")
    return Fen(unit_price_fen * quantity)


def cash_change(due_fen: int, received_fen: int) -> Fen:
    """What to hand back; CashTooLittle (422) when less than due was handed over."""
    if received_fen < due_fen:
        raise CashTooLittle(due_fen=due_fen, received_fen=received_fen)
    return Fen(received_fen - due_fen)


def allocate_refund(amount_fen: int, remaining: Sequence[int]) -> list[int]:
    """Spread a refund over charges in the order given, each at most what it has left.

    RefundTooMuch (409) when nothing is asked for or more than they have left together.
    """
    left = sum(remaining)
    if not 0 < amount_fen <= left:
        raise RefundTooMuch(refundable_fen=left)
    parts = []
    for available in remaining:
        part = min(available, amount_fen)
        parts.append(part)
        amount_fen -= part
    return parts


# --- timing ----------------------------------------------------------------------------------


def qr_expiry(now: dt.datetime, invoice_expires_at: dt.datetime | None) -> dt.datetime:
    """Until when a QR code opened ``now`` can be paid: with the bill, as the platform allows."""
    latest = now + QR_LIFETIME
    if invoice_expires_at is None:
        return latest
    return max(min(latest, invoice_expires_at), now + QR_SHORTEST)


def next_check_seconds(age_seconds: float) -> int:
    """Seconds until an order of this age is asked about (at 5, 10, 20, 40 s, then every 30)."""
    for age in CHECK_AGES:
        if age_seconds < age - 0.5:
            return max(1, round(age - age_seconds))
    return CHECK_EVERY


def next_refund_check_seconds(age_seconds: float) -> int:
    """Seconds until a refund of this age is asked about again: its age, from 10 s to 10 min."""
    return min(max(10, round(age_seconds)), REFUND_CHECK_LONGEST)


# --- verdicts --------------------------------------------------------------------------------


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
    """What to do with money reported for a payment whose invoice still owes ``due_fen``."""
    if state in _PAID_AFTER_ALL:
        return Verdict.NOTHING
    if reported_fen != asked_fen:
        return Verdict.FREEZE
    if invoice_state is not InvoiceState.OPEN or due_fen != asked_fen:
        return Verdict.GIVE_BACK
    return Verdict.SETTLE


# --- the ledger ------------------------------------------------------------------------------


class EntryKind(StrEnum):
    """The business facts that post; each fact of a document posts once."""

    CHARGE_RAISED = "charge_raised"
    CHARGE_CANCELLED = "charge_cancelled"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_SUSPENDED = "payment_suspended"
    REFUND_OWED = "refund_owed"
    SUSPENSE_OWED = "suspense_owed"
    REFUND_PAID = "refund_paid"
    STRAY_RECEIVED = "stray_received"


RECEIVABLE = "receivable:patient"
REFUND_PAYABLE = "payable:refund"
SUSPENSE = "suspense"
#: Where each tender's money lies.
TENDER_ACCOUNTS: Mapping[Tender, str] = {
    Tender.CASH: "cash:drawer",
    Tender.WECHAT_NATIVE: "wechat:clearing",
}


def revenue_account(category: PriceCategory) -> str:
    """The revenue account of a price category."""
    return f"revenue:{category.value}"


#: The chart of accounts (科目表), complete: a posting to anything else is a fault.
ACCOUNTS: frozenset[str] = frozenset(
    {RECEIVABLE, REFUND_PAYABLE, SUSPENSE}
    | set(TENDER_ACCOUNTS.values())
    | {revenue_account(category) for category in PriceCategory}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One posting: debit positive, credit negative."""

    account: str
    amount_fen: int


def charge_raised(category: PriceCategory, amount_fen: int) -> tuple[Line, ...]:
    """The patient owes, we earned."""
    return _transfer(RECEIVABLE, revenue_account(category), amount_fen)


def charge_cancelled(category: PriceCategory, amount_fen: int) -> tuple[Line, ...]:
    """``charge_raised`` undone."""
    return _transfer(revenue_account(category), RECEIVABLE, amount_fen)


def payment_received(tender: Tender, amount_fen: int) -> tuple[Line, ...]:
    """The patient's debt became money."""
    return _transfer(TENDER_ACCOUNTS[tender], RECEIVABLE, amount_fen)


def payment_suspended(tender: Tender, amount_fen: int) -> tuple[Line, ...]:
    """Money came that pays nothing: it lies in suspense until somebody or a refund clears it."""
    return _transfer(TENDER_ACCOUNTS[tender], SUSPENSE, amount_fen)


def refund_owed(parts: Iterable[tuple[PriceCategory, int]]) -> tuple[Line, ...]:
    """Revenue given up, by category, and owed to the payer."""
    by_account: dict[str, int] = {}
    for category, amount_fen in parts:
        account = revenue_account(category)
        by_account[account] = by_account.get(account, 0) + amount_fen
    total = sum(by_account.values())
    lines = [Line(account, amount) for account, amount in sorted(by_account.items()) if amount]
    return (*lines, Line(REFUND_PAYABLE, -total)) if total else ()


def suspense_owed(amount_fen: int) -> tuple[Line, ...]:
    """Money in suspense is owed back to its payer."""
    return _transfer(SUSPENSE, REFUND_PAYABLE, amount_fen)


def refund_paid(tender: Tender, amount_fen: int) -> tuple[Line, ...]:
    """What was owed to the payer left the tender it came in by."""
    return _transfer(REFUND_PAYABLE, TENDER_ACCOUNTS[tender], amount_fen)


def _transfer(debit: str, credit: str, amount_fen: int) -> tuple[Line, ...]:
    if amount_fen < 0:
        raise ValueError("a posting never runs backwards; post the opposite fact")
    return (Line(debit, amount_fen), Line(credit, -amount_fen)) if amount_fen else ()
