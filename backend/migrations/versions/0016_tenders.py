"""All tenders, who took money and through which channel, and the cases that wait longest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.checks import add_enum_column, allow_values

revision = "0016_tenders"
down_revision = "0015_devices"
branch_labels = None
depends_on = None

TENDERS = (
    "cash",
    "wechat_native",
    "wechat_codepay",
    "alipay_qr",
    "bank_card",
    "prepaid",
    "insurance",
)
CHANNELS = ("counter", "kiosk", "phone", "system")
ACTORS = ("staff", "patient", "device", "system", "anonymous")
CASES = (
    "amount_differs",
    "paid_too_late",
    "unknown_order",
    "refund_abnormal",
    "refund_differs",
    "outcome_unknown",
    "cash_to_hand_back",
)


def upgrade() -> None:
    allow_values("billing_payment", "tender", "tender", TENDERS)
    allow_values("billing_money_case", "case_kind", "kind", CASES)
    add_enum_column("billing_money_case", "tender", "tender", TENDERS, default=None)
    op.execute(
        "UPDATE billing_money_case SET tender = 'wechat_native' WHERE kind = 'unknown_order'"
    )
    for table in ("billing_payment", "billing_refund"):
        # Who took older money was written to the audit log alone.
        add_enum_column(table, "channel", "channel", CHANNELS, default="system")
        add_enum_column(table, "actor_kind", "actor_kind", ACTORS, default="system")
        op.add_column(table, sa.Column("actor_id", sa.Uuid(), nullable=True))
        op.add_column(
            table,
            sa.Column("actor_label", sa.String(length=80), nullable=False, server_default=""),
        )
        op.create_index(op.f(f"ix_{table}_actor_id"), table, ["actor_id"], unique=False)
    op.execute("UPDATE billing_payment SET channel = 'counter' WHERE tender = 'cash'")
