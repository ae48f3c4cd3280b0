"""Closed shifts of cashiers and closed days of hospitals; the role that closes days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.migrations.checks import allow_values

revision = "0018b_closing"
down_revision = "0017_cards"
branch_labels = None
depends_on = None


ROLES = (
    "administrator",
    "registrar",
    "cashier",
    "triage_nurse",
    "doctor",
    "scheduler",
    "device_operator",
    "auditor",
    "finance",
)


def upgrade() -> None:
    allow_values("identity_staff_role", "role", "role", ROLES)
    op.create_table(
        "billing_cashier_shift",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("cash_fen", sa.BigInteger(), nullable=False),
        sa.Column("counted_fen", sa.BigInteger(), nullable=False),
        sa.Column("difference_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "pieces",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("handed_to", sa.String(length=40), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "difference_fen = 0 OR reason <> ''",
            name=op.f("ck_billing_cashier_shift_difference_has_reason"),
        ),
        sa.CheckConstraint(
            "counted_fen = cash_fen + difference_fen",
            name=op.f("ck_billing_cashier_shift_count_is_explained"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_cashier_shift_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_cashier_shift")),
    )
    op.create_index(
        op.f("ix_billing_cashier_shift_account_id_closed_at"),
        "billing_cashier_shift",
        ["account_id", "closed_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_billing_cashier_shift_hospital_id"),
        "billing_cashier_shift",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_billing_cashier_shift_hospital_id_closed_at"),
        "billing_cashier_shift",
        ["hospital_id", "closed_at"],
        unique=False,
    )

    op.create_table(
        "billing_day_close",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.String(length=80), nullable=False),
        sa.Column(
            "open_cashiers",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_day_close_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_day_close")),
        sa.UniqueConstraint(
            "hospital_id",
            "business_date",
            name=op.f("uq_billing_day_close_hospital_id_business_date"),
        ),
    )
    op.create_index(
        op.f("ix_billing_day_close_hospital_id"), "billing_day_close", ["hospital_id"], unique=False
    )

    op.create_table(
        "billing_day_line",
        sa.Column("day_id", sa.Uuid(), nullable=False),
        sa.Column(
            "tender",
            sa.Enum(
                "cash",
                "wechat_native",
                "wechat_codepay",
                "alipay_qr",
                "bank_card",
                "prepaid",
                "insurance",
                name="tender",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "payment",
                "top_up",
                "refund",
                "withdrawal",
                name="movement_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum(
                "counter",
                "kiosk",
                "phone",
                "system",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["day_id"], ["billing_day_close.id"], name=op.f("fk_billing_day_line_day_id")
        ),
        sa.PrimaryKeyConstraint(
            "day_id", "tender", "kind", "channel", name=op.f("pk_billing_day_line")
        ),
    )
    op.create_table(
        "billing_shift_entry",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["billing_journal_entry.id"], name=op.f("fk_billing_shift_entry_entry_id")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["billing_cashier_shift.id"], name=op.f("fk_billing_shift_entry_shift_id")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_billing_shift_entry")),
    )
    op.create_index(
        op.f("ix_billing_shift_entry_shift_id"), "billing_shift_entry", ["shift_id"], unique=False
    )

    op.create_table(
        "billing_shift_line",
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column(
            "tender",
            sa.Enum(
                "cash",
                "wechat_native",
                "wechat_codepay",
                "alipay_qr",
                "bank_card",
                "prepaid",
                "insurance",
                name="tender",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "payment",
                "top_up",
                "refund",
                "withdrawal",
                name="movement_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["billing_cashier_shift.id"], name=op.f("fk_billing_shift_line_shift_id")
        ),
        sa.PrimaryKeyConstraint("shift_id", "tender", "kind", name=op.f("pk_billing_shift_line")),
    )
