"""The tables of prices, charges and bills."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_bills"
down_revision = "0006_slots"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_invoice_counter",
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.Column("series", sa.String(length=12), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_invoice_counter_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("hospital_id", "series", name=op.f("pk_billing_invoice_counter")),
    )
    op.create_table(
        "billing_price_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("pinyin_initials", sa.String(length=120), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column(
            "category",
            sa.Enum(
                "registration",
                "consultation",
                "laboratory",
                "imaging",
                "ultrasound",
                "endoscopy",
                "nuclear",
                "pathology",
                "drug",
                "procedure",
                "treatment",
                "radiotherapy",
                "surgery",
                "anaesthesia",
                "nursing",
                "bed",
                "material",
                "blood",
                "other",
                name="price_category",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_price_item_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_price_item")),
        sa.UniqueConstraint(
            "hospital_id", "code", name=op.f("uq_billing_price_item_hospital_id_code")
        ),
    )
    op.create_index(
        op.f("ix_billing_price_item_hospital_id"),
        "billing_price_item",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_billing_price_item_hospital_id_category_code"),
        "billing_price_item",
        ["hospital_id", "category", "code"],
        unique=False,
    )
    op.create_table(
        "billing_invoice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("series", sa.String(length=12), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "paid",
                "part_refunded",
                "refunded",
                "void",
                name="invoice_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(length=40), nullable=False),
        sa.Column("void_cancels_charges", sa.Boolean(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("total_fen >= 0", name=op.f("ck_billing_invoice_total_not_negative")),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_invoice_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients_patient.id"], name=op.f("fk_billing_invoice_patient_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_invoice")),
        sa.UniqueConstraint(
            "hospital_id",
            "series",
            "ordinal",
            name=op.f("uq_billing_invoice_hospital_id_series_ordinal"),
        ),
    )
    op.create_index(
        op.f("ix_billing_invoice_hospital_id"), "billing_invoice", ["hospital_id"], unique=False
    )
    op.create_index(op.f("ix_billing_invoice_number"), "billing_invoice", ["number"], unique=False)
    op.create_index(
        "ix_billing_invoice_open",
        "billing_invoice",
        ["patient_id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.create_index(
        op.f("ix_billing_invoice_patient_id"), "billing_invoice", ["patient_id"], unique=False
    )
    op.create_table(
        "billing_price_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "effective_until IS NULL OR effective_until > effective_from",
            name=op.f("ck_billing_price_version_lasts_a_day"),
        ),
        sa.CheckConstraint(
            "price_fen >= 0", name=op.f("ck_billing_price_version_price_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["billing_price_item.id"], name=op.f("fk_billing_price_version_item_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_price_version")),
        sa.UniqueConstraint(
            "item_id",
            "effective_from",
            name=op.f("uq_billing_price_version_item_id_effective_from"),
        ),
    )
    op.create_table(
        "billing_charge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("source_kind", sa.String(length=24), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("price_item_code", sa.String(length=40), nullable=False),
        sa.Column(
            "category",
            sa.Enum(
                "registration",
                "consultation",
                "laboratory",
                "imaging",
                "ultrasound",
                "endoscopy",
                "nuclear",
                "pathology",
                "drug",
                "procedure",
                "treatment",
                "radiotherapy",
                "surgery",
                "anaesthesia",
                "nursing",
                "bed",
                "material",
                "blood",
                "other",
                name="price_category",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "invoiced",
                "paid",
                "refunded",
                "cancelled",
                name="charge_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "amount_fen = unit_price_fen * quantity",
            name=op.f("ck_billing_charge_amount_is_product"),
        ),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_billing_charge_quantity_positive")),
        sa.CheckConstraint(
            "refunded_fen BETWEEN 0 AND amount_fen",
            name=op.f("ck_billing_charge_refunded_within_amount"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_charge_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["billing_invoice.id"], name=op.f("fk_billing_charge_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients_patient.id"], name=op.f("fk_billing_charge_patient_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_charge")),
    )
    op.create_index(
        op.f("ix_billing_charge_hospital_id"), "billing_charge", ["hospital_id"], unique=False
    )
    op.create_index(
        op.f("ix_billing_charge_invoice_id"), "billing_charge", ["invoice_id"], unique=False
    )
    op.create_index(
        op.f("ix_billing_charge_patient_id"), "billing_charge", ["patient_id"], unique=False
    )
    op.create_index(
        "ix_billing_charge_pending",
        "billing_charge",
        ["patient_id"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
        sqlite_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "uq_billing_charge_live_source",
        "billing_charge",
        ["source_id", "price_item_code", "source_kind"],
        unique=True,
        postgresql_where=sa.text("state <> 'cancelled'"),
        sqlite_where=sa.text("state <> 'cancelled'"),
    )
