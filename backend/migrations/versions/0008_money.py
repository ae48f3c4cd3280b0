"""The tables of payments, refunds, cases and the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008_money"
down_revision = "0007_bills"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_journal_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "charge_raised",
                "charge_cancelled",
                "payment_received",
                "payment_suspended",
                "refund_owed",
                "suspense_owed",
                "refund_paid",
                "stray_received",
                name="entry_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_journal_entry_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_journal_entry")),
        sa.UniqueConstraint(
            "source_id", "kind", name=op.f("uq_billing_journal_entry_source_id_kind")
        ),
    )
    op.create_index(
        op.f("ix_billing_journal_entry_business_date"),
        "billing_journal_entry",
        ["business_date"],
        unique=False,
    )
    op.create_index(
        op.f("ix_billing_journal_entry_hospital_id"),
        "billing_journal_entry",
        ["hospital_id"],
        unique=False,
    )
    op.create_table(
        "billing_posting",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.SmallInteger(), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_billing_posting_amount_not_zero")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["billing_journal_entry.id"], name=op.f("fk_billing_posting_entry_id")
        ),
        sa.PrimaryKeyConstraint("entry_id", "line", name=op.f("pk_billing_posting")),
    )
    op.create_table(
        "billing_payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "tender",
            sa.Enum(
                "cash",
                "wechat_native",
                name="tender",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "pending",
                "unknown",
                "closing",
                "succeeded",
                "failed",
                "closed",
                "frozen",
                name="payment_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("received_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), nullable=False),
        sa.Column("is_suspended", sa.Boolean(), nullable=False),
        sa.Column("tendered_fen", sa.BigInteger(), nullable=True),
        sa.Column("change_fen", sa.BigInteger(), nullable=True),
        sa.Column("out_trade_no", sa.String(length=32), nullable=True),
        sa.Column("code_url", sa.String(length=512), nullable=True),
        sa.Column("transaction_id", sa.String(length=64), nullable=True),
        sa.Column("failure_code", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_billing_payment_amount_positive")),
        sa.CheckConstraint(
            "refunded_fen BETWEEN 0 AND received_fen",
            name=op.f("ck_billing_payment_refunded_within_received"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_payment_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["billing_invoice.id"], name=op.f("fk_billing_payment_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients_patient.id"], name=op.f("fk_billing_payment_patient_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_payment")),
        sa.UniqueConstraint("out_trade_no", name=op.f("uq_billing_payment_out_trade_no")),
    )
    op.create_index(
        op.f("ix_billing_payment_hospital_id"), "billing_payment", ["hospital_id"], unique=False
    )
    op.create_index(
        op.f("ix_billing_payment_invoice_id"), "billing_payment", ["invoice_id"], unique=False
    )
    op.create_index(
        op.f("ix_billing_payment_patient_id"), "billing_payment", ["patient_id"], unique=False
    )
    op.create_index(
        op.f("ix_billing_payment_transaction_id"),
        "billing_payment",
        ["transaction_id"],
        unique=False,
    )
    op.create_index(
        "uq_billing_payment_in_flight",
        "billing_payment",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('created','pending','unknown','closing')"),
        sqlite_where=sa.text("state IN ('created','pending','unknown','closing')"),
    )
    op.create_index(
        "uq_billing_payment_settling",
        "billing_payment",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("state = 'succeeded' AND NOT is_suspended"),
        sqlite_where=sa.text("state = 'succeeded' AND NOT is_suspended"),
    )
    op.create_table(
        "billing_refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "processing",
                "unknown",
                "succeeded",
                "abnormal",
                name="refund_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("out_refund_no", sa.String(length=64), nullable=False),
        sa.Column("refund_id", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("failure_code", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_billing_refund_amount_positive")),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_refund_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["billing_invoice.id"], name=op.f("fk_billing_refund_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["billing_payment.id"], name=op.f("fk_billing_refund_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_refund")),
        sa.UniqueConstraint("out_refund_no", name=op.f("uq_billing_refund_out_refund_no")),
    )
    op.create_index(
        op.f("ix_billing_refund_hospital_id"), "billing_refund", ["hospital_id"], unique=False
    )
    op.create_index(
        op.f("ix_billing_refund_invoice_id"), "billing_refund", ["invoice_id"], unique=False
    )
    op.create_index(
        op.f("ix_billing_refund_payment_id"), "billing_refund", ["payment_id"], unique=False
    )
    op.create_table(
        "billing_money_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "amount_differs",
                "paid_too_late",
                "unknown_order",
                "refund_abnormal",
                "refund_differs",
                name="case_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "closed",
                name="case_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "facts",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_money_case_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["billing_payment.id"], name=op.f("fk_billing_money_case_payment_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["billing_refund.id"], name=op.f("fk_billing_money_case_refund_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_money_case")),
        sa.UniqueConstraint("kind", "reference", name=op.f("uq_billing_money_case_kind_reference")),
    )
    op.create_index(
        "ix_billing_money_case_open", "billing_money_case", ["state", "opened_at"], unique=False
    )
    op.create_index(
        op.f("ix_billing_money_case_payment_id"), "billing_money_case", ["payment_id"], unique=False
    )
    op.create_index(
        op.f("ix_billing_money_case_refund_id"), "billing_money_case", ["refund_id"], unique=False
    )
    op.create_table(
        "billing_refund_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_billing_refund_line_amount_positive")),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["billing_charge.id"], name=op.f("fk_billing_refund_line_charge_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["billing_refund.id"], name=op.f("fk_billing_refund_line_refund_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_refund_line")),
        sa.UniqueConstraint(
            "refund_id", "charge_id", name=op.f("uq_billing_refund_line_refund_id_charge_id")
        ),
    )
    op.create_index(
        op.f("ix_billing_refund_line_charge_id"), "billing_refund_line", ["charge_id"], unique=False
    )
