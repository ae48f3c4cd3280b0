"""The chart of accounts and what each business fact posts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from backend.billing.rules.states import PriceCategory, Tender
from backend.kernel.ids import Id


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
    #: A part of a bill that ended unpaid: it pays nothing any more.
    PAYMENT_RELEASED = "payment_released"
    DEPOSIT_TOPPED_UP = "deposit_topped_up"


RECEIVABLE = "receivable:patient"


REFUND_PAYABLE = "payable:refund"


SUSPENSE = "suspense"


#: What patients have paid ahead; each posting names the account it belongs to.
DEPOSIT = "deposit:patient"


#: Top-ups that were asked for and not paid yet.
DEPOSIT_AWAITED = "deposit:awaited"


#: Where each tender's money lies: in the drawer, at a platform until it pays us, at the insurance until
#: it settles. Prepaid money lies with us already: it is what we owe the patient.
TENDER_ACCOUNTS: Mapping[Tender, str] = {
    Tender.CASH: "cash:drawer",
    Tender.WECHAT_NATIVE: "wechat:clearing",
    Tender.WECHAT_CODEPAY: "wechat:clearing",
    Tender.ALIPAY_QR: "alipay:clearing",
    Tender.BANK_CARD: "bank_card:clearing",
    Tender.PREPAID: DEPOSIT,
    Tender.INSURANCE: "insurance:receivable",
}


def revenue_account(category: PriceCategory) -> str:
    """The revenue account of a price category; a top-up earns nothing and is awaited."""
    return DEPOSIT_AWAITED if category is PriceCategory.DEPOSIT else f"revenue:{category.value}"


#: The chart of accounts (科目表), complete: a posting to anything else is a fault.
ACCOUNTS: frozenset[str] = frozenset(
    {RECEIVABLE, REFUND_PAYABLE, SUSPENSE, DEPOSIT_AWAITED}
    | set(TENDER_ACCOUNTS.values())
    | {revenue_account(category) for category in PriceCategory}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One posting: debit positive, credit negative. ``holder`` is the prepaid account of a posting to DEPOSIT."""

    account: str
    amount_fen: int
    holder: Id | None = None


def charge_raised(category: PriceCategory, amount_fen: int) -> tuple[Line, ...]:
    """The patient owes, we earned."""
    return _transfer(RECEIVABLE, revenue_account(category), amount_fen)


def charge_cancelled(category: PriceCategory, amount_fen: int) -> tuple[Line, ...]:
    """``charge_raised`` undone."""
    return _transfer(revenue_account(category), RECEIVABLE, amount_fen)


def payment_received(tender: Tender, amount_fen: int, holder: Id | None = None) -> tuple[Line, ...]:
    """The patient's debt became money (``holder``: of their own prepaid account)."""
    return _transfer(TENDER_ACCOUNTS[tender], RECEIVABLE, amount_fen, holder)


def payment_suspended(tender: Tender, amount_fen: int) -> tuple[Line, ...]:
    """Money came that pays nothing: it lies in suspense until somebody or a refund clears it."""
    return _transfer(TENDER_ACCOUNTS[tender], SUSPENSE, amount_fen)


def payment_released(amount_fen: int) -> tuple[Line, ...]:
    """The bill that a part had paid has ended: the debt stands again and the money lies in suspense."""
    return _transfer(RECEIVABLE, SUSPENSE, amount_fen)


def deposit_topped_up(amount_fen: int, holder: Id) -> tuple[Line, ...]:
    """A top-up was paid in full: from now on it is owed to the account."""
    return _transfer(DEPOSIT_AWAITED, DEPOSIT, amount_fen, holder)


def refund_owed(
    parts: Iterable[tuple[PriceCategory, int]], holder: Id | None = None
) -> tuple[Line, ...]:
    """Revenue given up, by category, and owed to the payer; of a top-up, the balance of its account."""
    by_account: dict[str, int] = {}
    for category, amount_fen in parts:
        is_top_up = category is PriceCategory.DEPOSIT
        account = DEPOSIT if is_top_up else revenue_account(category)
        by_account[account] = by_account.get(account, 0) + amount_fen
    total = sum(by_account.values())
    lines = [
        _line(account, amount, holder) for account, amount in sorted(by_account.items()) if amount
    ]
    return (*lines, Line(REFUND_PAYABLE, -total)) if total else ()


def suspense_owed(amount_fen: int) -> tuple[Line, ...]:
    """Money in suspense is owed back to its payer."""
    return _transfer(SUSPENSE, REFUND_PAYABLE, amount_fen)


def refund_paid(tender: Tender, amount_fen: int, holder: Id | None = None) -> tuple[Line, ...]:
    """What was owed to the payer left the tender it came in by, or is back on their account."""
    return _transfer(REFUND_PAYABLE, TENDER_ACCOUNTS[tender], amount_fen, holder)


def stray_refunded(tender: Tender, amount_fen: int) -> tuple[Line, ...]:
    """A channel gave back what nobody asked it to: out of suspense, until somebody says what it was."""
    return _transfer(SUSPENSE, TENDER_ACCOUNTS[tender], amount_fen)


def _line(account: str, amount_fen: int, holder: Id | None) -> Line:
    if account != DEPOSIT:
        return Line(account, amount_fen)
    if holder is None:
        raise ValueError("money paid ahead belongs to an account")
    return Line(account, amount_fen, holder)


def _transfer(
    debit: str, credit: str, amount_fen: int, holder: Id | None = None
) -> tuple[Line, ...]:
    if amount_fen < 0:
        raise ValueError("a posting never runs backwards; post the opposite fact")
    if not amount_fen:
        return ()
    return (_line(debit, amount_fen, holder), _line(credit, -amount_fen, holder))
