"""The price list is edited by people: items have a version; a role for those who set prices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.checks import allow_values

revision = "0019_price_editor"
down_revision = "0017c_einvoice"
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
    "price_clerk",
)


def upgrade() -> None:
    allow_values("identity_staff_role", "role", "role", ROLES)
    op.add_column(
        "billing_price_item", sa.Column("version", sa.Integer(), server_default="1", nullable=False)
    )
    op.add_column(
        "billing_price_item",
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
    )
