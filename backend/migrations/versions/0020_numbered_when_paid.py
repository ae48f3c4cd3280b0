"""Bills get their number when they are paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020_numbered_when_paid"
down_revision = "0013_disruptions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("billing_invoice") as batch:
        batch.alter_column("ordinal", existing_type=sa.BigInteger(), nullable=True)
