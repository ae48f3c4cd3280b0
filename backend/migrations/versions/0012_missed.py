"""An index for the booked visits of past days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_missed"
down_revision = "0018b_closing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_scheduling_appointment_booked_day",
        "scheduling_appointment",
        ["business_date"],
        sqlite_where=sa.text("state = 'booked'"),
        postgresql_where=sa.text("state = 'booked'"),
    )
