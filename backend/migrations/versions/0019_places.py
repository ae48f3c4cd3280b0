"""Places can be out of use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019_places"
down_revision = "0019_users"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "organization_location",
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
