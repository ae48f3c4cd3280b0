"""Places reserved for a channel, indexes for the next place, and visits that were missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_pool"
down_revision = "0014_rush"
branch_labels = None
depends_on = None

CHANNELS = "'counter', 'in_clinic', 'kiosk', 'miniprogram', 'partner', 'wechat'"
KINDS = "'generated', 'held', 'released', 'expired', 'booked', 'cancelled', 'fulfilled', 'no_show'"
KIND_CHECK = "ck_scheduling_slot_event_slot_event_kind"


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    moment = "DATETIME" if is_sqlite else "TIMESTAMP WITH TIME ZONE"
    # By hand: SQLite can add a column with its checks, but only as one statement.
    op.execute(
        "ALTER TABLE scheduling_slot ADD COLUMN reserved_for VARCHAR(24)"
        f" CONSTRAINT ck_scheduling_slot_channel CHECK (reserved_for IN ({CHANNELS}))"
    )
    op.execute(
        f"ALTER TABLE scheduling_slot ADD COLUMN reserved_until {moment}"
        " CONSTRAINT ck_scheduling_slot_reserve"
        " CHECK ((reserved_for IS NULL) = (reserved_until IS NULL))"
    )
    for name, columns, state in (
        ("ix_scheduling_slot_next_free", ["schedule_id", "starts_at", "number"], "free"),
        ("ix_scheduling_slot_next_lapsed", ["schedule_id", "hold_until"], "held"),
    ):
        condition = sa.text(f"state = '{state}'")
        op.create_index(
            name, "scheduling_slot", columns, sqlite_where=condition, postgresql_where=condition
        )
    with op.batch_alter_table("scheduling_slot_event") as batch:
        batch.drop_constraint(op.f(KIND_CHECK), type_="check")
        batch.create_check_constraint(op.f(KIND_CHECK), f"kind IN ({KINDS})")
