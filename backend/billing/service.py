"""Billing's commands, as other domains and entry points use them. See ``services`` for each.

All take the session of a write unit of work, may flush, never commit, and talk to no platform. The
rows they answer with are re-exported here for annotations.
"""

from __future__ import annotations

from backend.billing.models import Charge, DepositAccount, Invoice, Payment, Refund
from backend.billing.services.accounts import (
    close_account,
    freeze_account,
    open_account,
    unfreeze_account,
)
from backend.billing.services.bill_matching import Evidence
from backend.billing.services.cards import start_card_payment
from backend.billing.services.cases import close_case, record_stray_trade
from backend.billing.services.charges import cancel_charge, raise_charge
from backend.billing.services.closing import (
    close_day,
    close_shift,
)
from backend.billing.services.deposits import start_top_up, withdraw
from backend.billing.services.einvoice import retry_einvoice
from backend.billing.services.endings import release_parts, void_invoice
from backend.billing.services.executions import (
    mark_executed,
    reverse_charge,
    reverse_execution,
)
from backend.billing.services.insurance import claim_insurance
from backend.billing.services.insurance_bills import list_insured
from backend.billing.services.invoices import lock_invoice, open_invoice
from backend.billing.services.payments import (
    cancel_payment,
    expire_payment,
    mark_refused,
    mark_unknown,
    pay_cash,
    pay_prepaid,
    start_qr_payment,
    store_code,
)
from backend.billing.services.price_changes import (
    cancel_price,
    create_item,
    edit_item,
    import_prices,
    plan_price,
    set_item_active,
)
from backend.billing.services.price_changes import lock_list as lock_price_list
from backend.billing.services.price_changes import make_plan as make_import_plan
from backend.billing.services.prices import set_price
from backend.billing.services.receipts import (
    issue_missing_receipts,
    issue_payment_receipt,
    issue_refund_receipt,
)
from backend.billing.services.reconciliation import (
    begin_run,
    fail_run,
    list_evidence,
    match_run,
    plan_run,
    request_run,
    store_bill,
)
from backend.billing.services.refund_states import (
    hand_over_cash,
    mark_refund_abnormal,
    mark_refund_unknown,
)
from backend.billing.services.refunds import (
    give_back,
    refund_charges,
    retry_refund,
)
from backend.billing.services.reports import (
    RecordTradeStatus,
    apply_refund_status,
    apply_trade_status,
)
from backend.billing.services.silence import report_silence

__all__ = [
    "Charge",
    "DepositAccount",
    "Evidence",
    "Invoice",
    "Payment",
    "RecordTradeStatus",
    "Refund",
    "apply_refund_status",
    "apply_trade_status",
    "begin_run",
    "cancel_charge",
    "cancel_payment",
    "cancel_price",
    "claim_insurance",
    "close_account",
    "close_case",
    "close_day",
    "close_shift",
    "create_item",
    "edit_item",
    "expire_payment",
    "fail_run",
    "freeze_account",
    "give_back",
    "hand_over_cash",
    "import_prices",
    "issue_missing_receipts",
    "issue_payment_receipt",
    "issue_refund_receipt",
    "list_evidence",
    "list_insured",
    "lock_invoice",
    "lock_price_list",
    "make_import_plan",
    "mark_executed",
    "mark_refund_abnormal",
    "mark_refund_unknown",
    "mark_refused",
    "mark_unknown",
    "match_run",
    "open_account",
    "open_invoice",
    "pay_cash",
    "pay_prepaid",
    "plan_price",
    "plan_run",
    "raise_charge",
    "record_stray_trade",
    "refund_charges",
    "release_parts",
    "report_silence",
    "request_run",
    "retry_einvoice",
    "retry_refund",
    "reverse_charge",
    "reverse_execution",
    "set_item_active",
    "set_price",
    "start_card_payment",
    "start_qr_payment",
    "start_top_up",
    "store_bill",
    "store_code",
    "unfreeze_account",
    "void_invoice",
    "withdraw",
]
