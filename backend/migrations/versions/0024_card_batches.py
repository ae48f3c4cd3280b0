"""A card terminal's batch whose totals are not the bank's is a money case."""

from __future__ import annotations

from backend.migrations.checks import allow_values

revision = "0024_card_batches"
down_revision = "0023_claims"
branch_labels = None
depends_on = None

CASES = (
    "amount_differs",
    "paid_too_late",
    "unknown_order",
    "refund_abnormal",
    "refund_differs",
    "outcome_unknown",
    "cash_to_hand_back",
    "bill_ours_only",
    "bill_theirs_only",
    "bill_amount_differs",
    "unknown_refund",
    "card_batch_differs",
)


def upgrade() -> None:
    allow_values("billing_money_case", "case_kind", "kind", CASES)
