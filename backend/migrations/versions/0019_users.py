"""One-time passwords of staff."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019_users"
down_revision = "0019_price_editor"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = "identity_staff_account"
    op.add_column(
        table,
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(table, sa.Column("password_ends_at", sa.DateTime(timezone=True), nullable=True))
