"""Bank cards: terminals, acts at them, and the batches that were closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_cards"
down_revision = "0016b_parts_and_deposits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_card_settlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terminal_id", sa.String(length=8), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("sales_fen", sa.BigInteger(), nullable=False),
        sa.Column("sales", sa.Integer(), nullable=False),
        sa.Column("refunds_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunds", sa.Integer(), nullable=False),
        sa.Column("is_balanced", sa.Boolean(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_card_settlement")),
        sa.UniqueConstraint(
            "terminal_id", "batch", name=op.f("uq_billing_card_settlement_terminal_id_batch")
        ),
    )
    op.create_table(
        "billing_card_terminal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terminal_id", sa.String(length=8), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("mac_key_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("trace_date", sa.Date(), nullable=True),
        sa.Column("last_trace", sa.Integer(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_card_terminal")),
        sa.UniqueConstraint("terminal_id", name=op.f("uq_billing_card_terminal_terminal_id")),
    )
    op.create_table(
        "billing_card_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "sale",
                "refund",
                name="card_act_kind",
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
                "sending",
                "reversing",
                "approved",
                "declined",
                "reversed",
                "withdrawn",
                name="card_act_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("card_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("card_number_masked", sa.String(length=19), nullable=False),
        sa.Column("terminal_id", sa.String(length=8), nullable=True),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.Column("stan", sa.String(length=6), nullable=True),
        sa.Column("trace_date", sa.Date(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("rrn", sa.String(length=12), nullable=False),
        sa.Column("auth_code", sa.String(length=6), nullable=False),
        sa.Column("response_code", sa.String(length=2), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "card_number_sealed IS NULL OR state IN ('created','sending','reversing')",
            name=op.f("ck_billing_card_act_number_wiped_at_the_end"),
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_billing_card_act_amount_positive")),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_card_act_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["billing_payment.id"], name=op.f("fk_billing_card_act_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_card_act")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_billing_card_act_refund_id")),
        sa.UniqueConstraint(
            "terminal_id",
            "trace_date",
            "stan",
            name=op.f("uq_billing_card_act_terminal_id_trace_date_stan"),
        ),
    )
    op.create_index(
        op.f("ix_billing_card_act_hospital_id"), "billing_card_act", ["hospital_id"], unique=False
    )
    op.create_index(
        op.f("ix_billing_card_act_payment_id"), "billing_card_act", ["payment_id"], unique=False
    )
    op.create_index(
        "ix_billing_card_act_terminal_batch",
        "billing_card_act",
        ["terminal_id", "batch"],
        unique=False,
    )
