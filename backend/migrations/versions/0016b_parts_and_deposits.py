"""Bills paid by several parts, prepaid accounts, receipts, and charges that were carried out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.checks import allow_values

revision = "0016b_parts_and_deposits"
down_revision = "0012_pool"
branch_labels = None
depends_on = None

CATEGORIES = (
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
    "deposit",
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
    "payment_released",
    "deposit_topped_up",
)


def upgrade() -> None:
    _make_accounts()
    _make_receipts()
    for table in ("billing_charge", "billing_price_item"):
        allow_values(table, "price_category", "category", CATEGORIES)
    allow_values("billing_journal_entry", "entry_kind", "kind", ENTRIES)
    op.execute(
        "ALTER TABLE billing_invoice ADD COLUMN paid_fen BIGINT DEFAULT 0 NOT NULL"
        " CONSTRAINT ck_billing_invoice_paid_within_total CHECK (paid_fen BETWEEN 0 AND total_fen)"
    )
    op.execute(
        "UPDATE billing_invoice SET paid_fen = total_fen"
        " WHERE state IN ('paid', 'part_refunded', 'refunded')"
    )
    op.drop_index("uq_billing_payment_settling", table_name="billing_payment")
    moment = sa.DateTime(timezone=True)
    op.add_column("billing_payment", sa.Column("released_at", moment, nullable=True))
    op.add_column("billing_charge", sa.Column("executed_at", moment, nullable=True))
    for table, column in (
        ("billing_payment", "account_id"),
        ("billing_charge", "account_id"),
        ("billing_posting", "holder_id"),
    ):
        _add_account_key(table, column)


def _add_account_key(table: str, column: str) -> None:
    kind = sa.Uuid().compile(dialect=op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN {column} {kind}"
        f" CONSTRAINT fk_{table}_{column} REFERENCES billing_deposit_account (id)"
    )
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


def _make_accounts() -> None:
    op.create_table(
        "billing_deposit_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "outpatient",
                "inpatient",
                name="account_kind",
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
                "frozen",
                "closed",
                name="account_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("balance_fen", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "balance_fen >= 0", name=op.f("ck_billing_deposit_account_balance_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_deposit_account_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patients_patient.id"],
            name=op.f("fk_billing_deposit_account_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["encounter_id"],
            ["clinical_encounter.id"],
            name=op.f("fk_billing_deposit_account_encounter_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_deposit_account")),
    )
    for column in ("hospital_id", "patient_id"):
        index = op.f(f"ix_billing_deposit_account_{column}")
        op.create_index(index, "billing_deposit_account", [column], unique=False)
    for name, columns, condition in (
        ("patient", ["hospital_id", "patient_id", "kind"], "encounter_id IS NULL"),
        ("encounter", ["encounter_id", "kind"], "encounter_id IS NOT NULL"),
    ):
        op.create_index(
            f"uq_billing_deposit_account_{name}",
            "billing_deposit_account",
            columns,
            unique=True,
            postgresql_where=sa.text(condition),
            sqlite_where=sa.text(condition),
        )


def _make_receipts() -> None:
    op.create_table(
        "billing_receipt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("series", sa.String(length=12), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(payment_id IS NULL) <> (refund_id IS NULL)",
            name=op.f("ck_billing_receipt_of_one_thing"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_billing_receipt_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["billing_payment.id"], name=op.f("fk_billing_receipt_payment_id")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["billing_refund.id"], name=op.f("fk_billing_receipt_refund_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_receipt")),
        sa.UniqueConstraint(
            "hospital_id",
            "series",
            "ordinal",
            name=op.f("uq_billing_receipt_hospital_id_series_ordinal"),
        ),
        sa.UniqueConstraint("payment_id", name=op.f("uq_billing_receipt_payment_id")),
        sa.UniqueConstraint("refund_id", name=op.f("uq_billing_receipt_refund_id")),
    )
    for column in ("hospital_id", "number"):
        op.create_index(
            op.f(f"ix_billing_receipt_{column}"), "billing_receipt", [column], unique=False
        )
