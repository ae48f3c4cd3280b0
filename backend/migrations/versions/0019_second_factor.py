"""The second factor of staff: its secret, recovery codes, and sessions that wait for a code."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019_second_factor"
down_revision = "0013_calendar"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity_recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["identity_staff_account.id"],
            name=op.f("fk_identity_recovery_code_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_recovery_code")),
        sa.UniqueConstraint(
            "account_id",
            "code_hash",
            name=op.f("uq_identity_recovery_code_account_id_code_hash"),
        ),
    )
    op.create_table(
        "identity_second_factor",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("pending_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("pending_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["identity_staff_account.id"],
            name=op.f("fk_identity_second_factor_account_id"),
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_identity_second_factor")),
    )
    op.add_column(
        "identity_staff_session",
        sa.Column("awaits_code", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        "identity_staff_session",
        sa.Column("factor_at", sa.DateTime(timezone=True), nullable=True),
    )
