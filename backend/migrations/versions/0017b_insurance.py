"""Claims: the national insurance's part of a bill."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017b_insurance"
down_revision = "0014_waiting"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_insurance_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "estimated",
                "settling",
                "reversing",
                "settled",
                "refused",
                "reversed",
                "cancelling",
                "cancelled",
                name="claim_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("credential_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("person_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("insutype", sa.String(length=6), nullable=False),
        sa.Column("visit_id", sa.String(length=30), nullable=False),
        sa.Column("settlement_id", sa.String(length=30), nullable=False),
        sa.Column("message_id", sa.String(length=30), nullable=False),
        sa.Column("cancel_message_id", sa.String(length=30), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("fund_fen", sa.BigInteger(), nullable=False),
        sa.Column("account_fen", sa.BigInteger(), nullable=False),
        sa.Column("self_fen", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "credential_sealed IS NULL OR state = 'created'",
            name=op.f("ck_billing_insurance_claim_credential_wiped_after_use"),
        ),
        sa.CheckConstraint(
            "fund_fen + account_fen + self_fen = total_fen",
            name=op.f("ck_billing_insurance_claim_split_adds_up"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_insurance_claim_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["billing_invoice.id"],
            name=op.f("fk_billing_insurance_claim_invoice_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_insurance_claim")),
        sa.UniqueConstraint("payment_id", name=op.f("uq_billing_insurance_claim_payment_id")),
    )
    op.create_index(
        op.f("ix_billing_insurance_claim_hospital_id"),
        "billing_insurance_claim",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_billing_insurance_claim_invoice_id"),
        "billing_insurance_claim",
        ["invoice_id"],
        unique=False,
    )
    op.create_index(
        "uq_billing_insurance_claim_live",
        "billing_insurance_claim",
        ["invoice_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('created','estimated','settling','reversing')"),
        sqlite_where=sa.text("state IN ('created','estimated','settling','reversing')"),
    )
