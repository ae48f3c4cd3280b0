"""Billing's tables: price list, charges, invoices, payments, refunds, ledger and money cases.

All amounts are integer fen in BIGINT columns. CHECK and unique constraints are the last defence
behind the rules: no overpaid refund, no document number twice, no fact posted twice.
"""

from __future__ import annotations

from backend.billing.models.bills import Charge, Invoice, InvoiceCounter
from backend.billing.models.cases import MoneyCase
from backend.billing.models.ledger import JournalEntry, Posting
from backend.billing.models.payments import Payment, Refund, RefundLine
from backend.billing.models.prices import PriceItem, PriceVersion

__all__ = [
    "Charge",
    "Invoice",
    "InvoiceCounter",
    "JournalEntry",
    "MoneyCase",
    "Payment",
    "Posting",
    "PriceItem",
    "PriceVersion",
    "Refund",
    "RefundLine",
]
