"""Dead deliveries: found by an index of their own, given up with a reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019_dead_deliveries"
down_revision = "0018_reconciliation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = "kernel_outbox_delivery"
    op.add_column(table, sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True))
    for name, length in (("discarded_by", 80), ("discard_reason", 200)):
        op.add_column(
            table, sa.Column(name, sa.String(length=length), server_default="", nullable=False)
        )
    op.create_index(
        "ix_kernel_outbox_delivery_dead",
        table,
        ["subscriber"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_kernel_outbox_delivery_discarded",
        table,
        ["discarded_at"],
        unique=False,
        sqlite_where=sa.text("discarded_at IS NOT NULL"),
        postgresql_where=sa.text("discarded_at IS NOT NULL"),
    )
