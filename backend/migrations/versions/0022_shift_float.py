"""The float of a drawer (备用金) is counted with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022_shift_float"
down_revision = "0021_waiting_not_allowed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # So far nobody was asked: what was counted was to be without it.
    with op.batch_alter_table("billing_cashier_shift") as batch:
        batch.add_column(
            sa.Column("float_fen", sa.BigInteger(), nullable=False, server_default="0")
        )
        batch.create_check_constraint(
            op.f("ck_billing_cashier_shift_float_not_negative"), "float_fen >= 0"
        )
    with op.batch_alter_table("billing_cashier_shift") as batch:
        batch.alter_column("float_fen", existing_type=sa.BigInteger(), server_default=None)
