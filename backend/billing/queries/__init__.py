"""Reads of billing: prices in force, bills with their lines, payments and refunds. Never writes.

Each function's answer is a frozen value; the number of statements is said where it is not one.
"""

from __future__ import annotations

from backend.billing.models import Charge
from backend.billing.queries.accounts import (
    find_account,
    get_account,
    get_statement,
    list_day_charges,
)
from backend.billing.queries.bills import (
    IS_LIVE,
    IS_OPEN,
    IS_PENDING,
    get_invoice,
    invoice_numbers,
    is_foreign,
    lines_by_id,
    list_charges_of,
    list_due,
    list_invoices,
    list_open_invoices,
)
from backend.billing.queries.cases import get_case, list_case_views, list_open_cases
from backend.billing.queries.payments import (
    GIVEN_BACK_WORDS,
    PAYMENT_WORDS,
    find_open_payments,
    get_payment,
    get_refund,
    list_payments,
    list_refunds,
    list_settling_payments,
    payment_view,
)
from backend.billing.queries.prices import (
    count_prices_by_category,
    get_price,
    get_prices,
    search_prices,
)
from backend.billing.queries.reconciliation import (
    DifferenceView,
    RunView,
    get_difference_case,
    get_run,
    last_run_days,
    list_differences,
    list_due_runs,
    list_runs,
)

__all__ = [
    "GIVEN_BACK_WORDS",
    "IS_LIVE",
    "IS_OPEN",
    "IS_PENDING",
    "PAYMENT_WORDS",
    "Charge",
    "DifferenceView",
    "RunView",
    "count_prices_by_category",
    "find_account",
    "find_open_payments",
    "get_account",
    "get_case",
    "get_difference_case",
    "get_invoice",
    "get_payment",
    "get_price",
    "get_prices",
    "get_refund",
    "get_run",
    "get_statement",
    "invoice_numbers",
    "is_foreign",
    "last_run_days",
    "lines_by_id",
    "list_case_views",
    "list_charges_of",
    "list_day_charges",
    "list_differences",
    "list_due",
    "list_due_runs",
    "list_invoices",
    "list_open_cases",
    "list_open_invoices",
    "list_payments",
    "list_refunds",
    "list_runs",
    "list_settling_payments",
    "payment_view",
    "search_prices",
]
