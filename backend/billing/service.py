"""Billing's commands, as other domains and entry points use them. See ``services`` for each.

All take the session of a write unit of work, may flush, never commit, and talk to no platform. The
rows they answer with are re-exported here for annotations.
"""

from __future__ import annotations

from backend.billing.models import Charge, Invoice, Payment, Refund
from backend.billing.services.bill_matching import Evidence
from backend.billing.services.cases import close_case, record_stray_trade
from backend.billing.services.charges import cancel_charge, raise_charge
from backend.billing.services.invoices import lock_invoice, open_invoice, void_invoice
from backend.billing.services.payments import (
    cancel_payment,
    expire_payment,
    mark_refused,
    mark_unknown,
    pay_cash,
    start_qr_payment,
    store_code,
)
from backend.billing.services.prices import set_price
from backend.billing.services.reconciliation import (
    begin_run,
    fail_run,
    list_evidence,
    match_run,
    plan_run,
    store_bill,
)
from backend.billing.services.refunds import (
    give_back,
    mark_refund_abnormal,
    mark_refund_unknown,
    request_refund,
    retry_refund,
)
from backend.billing.services.reports import apply_refund_status, apply_trade_status

__all__ = [
    "Charge",
    "Evidence",
    "Invoice",
    "Payment",
    "Refund",
    "apply_refund_status",
    "apply_trade_status",
    "begin_run",
    "cancel_charge",
    "cancel_payment",
    "close_case",
    "expire_payment",
    "fail_run",
    "give_back",
    "list_evidence",
    "lock_invoice",
    "mark_refund_abnormal",
    "mark_refund_unknown",
    "mark_refused",
    "mark_unknown",
    "match_run",
    "open_invoice",
    "pay_cash",
    "plan_run",
    "raise_charge",
    "record_stray_trade",
    "request_refund",
    "retry_refund",
    "set_price",
    "start_qr_payment",
    "store_bill",
    "store_code",
    "void_invoice",
]
