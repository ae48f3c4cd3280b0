"""Electronic bills: what stands at the platform for each paid bill."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017c_einvoice"
down_revision = "0017b_insurance"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_electronic_invoice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "created",
                "unknown",
                "issued",
                "failed",
                "red_pending",
                "red_lettered",
                name="e_invoice_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("batch_code", sa.String(length=30), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("check_code", sa.String(length=30), nullable=False),
        sa.Column("url", sa.String(length=300), nullable=False),
        sa.Column("red_number", sa.String(length=30), nullable=False),
        sa.Column("words", sa.String(length=200), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("red_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "amount_fen > 0", name=op.f("ck_billing_electronic_invoice_amount_positive")
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_electronic_invoice_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["billing_invoice.id"],
            name=op.f("fk_billing_electronic_invoice_invoice_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_electronic_invoice")),
        sa.UniqueConstraint(
            "invoice_id", "sequence", name=op.f("uq_billing_electronic_invoice_invoice_id_sequence")
        ),
    )
    op.create_index(
        op.f("ix_billing_electronic_invoice_hospital_id"),
        "billing_electronic_invoice",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_billing_electronic_invoice_invoice_id"),
        "billing_electronic_invoice",
        ["invoice_id"],
        unique=False,
    )
