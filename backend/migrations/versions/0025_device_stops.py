"""A stop-clinic notice may be of one examination device."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.checks import replace_check

revision = "0025_device_stops"
down_revision = "0024_card_batches"
branch_labels = None
depends_on = None

TABLE = "scheduling_stop_notice"
WHOM = "practitioner_id IS NOT NULL OR department_id IS NOT NULL OR device_id IS NOT NULL"


def upgrade() -> None:
    # Both databases add a nullable column with its reference in place.
    kind = sa.Uuid().compile(dialect=op.get_bind().dialect)
    op.execute(
        f"ALTER TABLE {TABLE} ADD COLUMN device_id {kind}"
        f" CONSTRAINT fk_{TABLE}_device_id REFERENCES scheduling_device (id)"
    )
    replace_check(TABLE, "whom", WHOM)
