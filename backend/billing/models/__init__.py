"""Billing's tables: price list, charges, invoices, payments, refunds, ledger, money cases, reconciliation.

All amounts are integer fen in BIGINT columns. CHECK and unique constraints are the last defence
behind the rules: no overpaid refund, no document number twice, no fact posted twice.
"""

from __future__ import annotations

from backend.billing.models.bills import Charge, Invoice, InvoiceCounter
from backend.billing.models.cards import CardAct, CardSettlement, CardTerminal
from backend.billing.models.cases import MoneyCase
from backend.billing.models.closing import (
    CashierShift,
    DayClose,
    DayLine,
    ShiftEntry,
    ShiftLine,
)
from backend.billing.models.deposits import DepositAccount
from backend.billing.models.einvoice import ElectronicInvoice
from backend.billing.models.insurance import InsuranceClaim
from backend.billing.models.ledger import JournalEntry, Posting
from backend.billing.models.payments import Payment, Refund, RefundLine
from backend.billing.models.prices import PriceItem, PriceVersion
from backend.billing.models.receipts import Receipt
from backend.billing.models.reconciliation import BillItem, Difference, ReconciliationRun

__all__ = [
    "BillItem",
    "CardAct",
    "CardSettlement",
    "CardTerminal",
    "CashierShift",
    "Charge",
    "DayClose",
    "DayLine",
    "DepositAccount",
    "Difference",
    "ElectronicInvoice",
    "InsuranceClaim",
    "Invoice",
    "InvoiceCounter",
    "JournalEntry",
    "MoneyCase",
    "Payment",
    "Posting",
    "PriceItem",
    "PriceVersion",
    "Receipt",
    "ReconciliationRun",
    "Refund",
    "RefundLine",
    "ShiftEntry",
    "ShiftLine",
]
