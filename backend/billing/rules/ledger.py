"""The chart of accounts and what each business fact posts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from backend.billing.rules.states import PriceCategory, Tender


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
    STRAY_REFUNDED = "stray_refunded"


RECEIVABLE = "receivable:patient"


REFUND_PAYABLE = "payable:refund"


SUSPENSE = "suspense"


#: Where each tender's money lies: in the drawer, at a platform until it pays us, at the insurance until
#: it settles. Prepaid money lies with us already: it is what we owe the patient.
TENDER_ACCOUNTS: Mapping[Tender, str] = {
    Tender.CASH: "cash:drawer",
    Tender.WECHAT_NATIVE: "wechat:clearing",
    Tender.WECHAT_CODEPAY: "wechat:clearing",
    Tender.ALIPAY_QR: "alipay:clearing",
    Tender.BANK_CARD: "bank_card:clearing",
    Tender.PREPAID: "deposit:patient",
    Tender.INSURANCE: "insurance:receivable",
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


def stray_refunded(tender: Tender, amount_fen: int) -> tuple[Line, ...]:
    """A channel gave back what nobody asked it to: out of suspense, until somebody says what it was."""
    return _transfer(SUSPENSE, TENDER_ACCOUNTS[tender], amount_fen)


def _transfer(debit: str, credit: str, amount_fen: int) -> tuple[Line, ...]:
    if amount_fen < 0:
        raise ValueError("a posting never runs backwards; post the opposite fact")
    return (Line(debit, amount_fen), Line(credit, -amount_fen)) if amount_fen else ()
