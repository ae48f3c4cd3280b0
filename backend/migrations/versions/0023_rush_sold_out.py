"""Nobody reads when a line's last place went: what is left is counted from the places themselves."""

from __future__ import annotations

from alembic import op

revision = "0023_rush_sold_out"
down_revision = "0022_shift_float"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("scheduling_rush") as batch:
        batch.drop_column("sold_out_at")
