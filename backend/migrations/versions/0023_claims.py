"""Claims know who asked for them and whose credential it was; no two messages have one name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.checks import add_enum_column

revision = "0023_claims"
down_revision = "0023_rush_sold_out"
branch_labels = None
depends_on = None

TABLE = "billing_insurance_claim"
CHANNELS = ("counter", "kiosk", "phone", "system")
ACTORS = ("staff", "patient", "device", "system", "anonymous")


def upgrade() -> None:
    # Who asked for older claims was written to the audit log alone.
    add_enum_column(TABLE, "channel", "channel", CHANNELS, default="system")
    add_enum_column(TABLE, "actor_kind", "actor_kind", ACTORS, default="system")
    op.add_column(TABLE, sa.Column("actor_id", sa.Uuid(), nullable=True))
    op.create_index(op.f(f"ix_{TABLE}_actor_id"), TABLE, ["actor_id"], unique=False)
    for name, length in (("actor_label", 80), ("credential_masked", 64)):
        column = sa.Column(name, sa.String(length=length), nullable=False, server_default="")
        op.add_column(TABLE, column)
    for name in ("message_id", "cancel_message_id"):
        where = sa.text(f"{name} <> ''")
        op.create_index(
            f"uq_{TABLE}_{name}",
            TABLE,
            [name],
            unique=True,
            postgresql_where=where,
            sqlite_where=where,
        )
