"""Reconciliation with the channels' bills: runs, the bills' lines, differences and their cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.checks import allow_values

revision = "0018_reconciliation"
down_revision = "0019_second_factor"
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
)
ENTRIES = (
    "charge_raised",
    "charge_cancelled",
    "payment_received",
    "payment_suspended",
    "refund_owed",
    "suspense_owed",
    "refund_paid",
    "stray_received",
    "stray_refunded",
)


def upgrade() -> None:
    allow_values("billing_money_case", "case_kind", "kind", CASES)
    allow_values("billing_journal_entry", "entry_kind", "kind", ENTRIES)
    op.create_table(
        "billing_reconciliation_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "wechat",
                "alipay",
                "bank_card",
                "insurance",
                name="bill_channel",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "due",
                "fetching",
                "failed",
                "matched",
                name="run_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=120), nullable=False),
        sa.Column("fetching_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bill_digest", sa.String(length=64), nullable=False),
        sa.Column("bill_payments", sa.Integer(), nullable=False),
        sa.Column("bill_payments_fen", sa.BigInteger(), nullable=False),
        sa.Column("bill_refunds", sa.Integer(), nullable=False),
        sa.Column("bill_refunds_fen", sa.BigInteger(), nullable=False),
        sa.Column("our_payments", sa.Integer(), nullable=False),
        sa.Column("our_payments_fen", sa.BigInteger(), nullable=False),
        sa.Column("our_refunds", sa.Integer(), nullable=False),
        sa.Column("our_refunds_fen", sa.BigInteger(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("cross_day", sa.Integer(), nullable=False),
        sa.Column("carried", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_reconciliation_run")),
        sa.UniqueConstraint(
            "channel",
            "business_date",
            name=op.f("uq_billing_reconciliation_run_channel_business_date"),
        ),
    )
    op.create_index(
        op.f("ix_billing_reconciliation_run_state_next_try_at"),
        "billing_reconciliation_run",
        ["state", "next_try_at"],
        unique=False,
    )

    op.create_table(
        "billing_bill_item",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "payment",
                "refund",
                name="bill_row_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("out_trade_no", sa.String(length=64), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("channel_number", sa.String(length=64), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["billing_reconciliation_run.id"], name=op.f("fk_billing_bill_item_run_id")
        ),
        sa.PrimaryKeyConstraint("run_id", "line", name=op.f("pk_billing_bill_item")),
    )
    op.create_index(
        op.f("ix_billing_bill_item_number"), "billing_bill_item", ["number"], unique=False
    )

    op.create_table(
        "billing_reconciliation_difference",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "ours_only",
                "theirs_only",
                "amount_differs",
                name="difference_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "item_kind",
            sa.Enum(
                "payment",
                "refund",
                name="bill_row_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("our_fen", sa.BigInteger(), nullable=True),
        sa.Column("their_fen", sa.BigInteger(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["billing_money_case.id"],
            name=op.f("fk_billing_reconciliation_difference_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["billing_reconciliation_run.id"],
            name=op.f("fk_billing_reconciliation_difference_run_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_reconciliation_difference")),
        sa.UniqueConstraint(
            "run_id",
            "kind",
            "item_kind",
            "number",
            name="uq_billing_reconciliation_difference_finding",
        ),
    )
    op.create_index(
        op.f("ix_billing_reconciliation_difference_case_id"),
        "billing_reconciliation_difference",
        ["case_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_billing_reconciliation_difference_number"),
        "billing_reconciliation_difference",
        ["number"],
        unique=False,
    )

    op.create_index(
        op.f("ix_billing_payment_paid_at"), "billing_payment", ["paid_at"], unique=False
    )

    op.create_index(
        op.f("ix_billing_refund_requested_at"), "billing_refund", ["requested_at"], unique=False
    )
    op.create_index(
        op.f("ix_billing_refund_succeeded_at"), "billing_refund", ["succeeded_at"], unique=False
    )
