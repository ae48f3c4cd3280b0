"""The tables of identity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_identity"
down_revision = "0002_organization"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity_staff_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("failed_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_identity_staff_account_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_identity_staff_account_practitioner_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_staff_account")),
        sa.UniqueConstraint("username", name=op.f("uq_identity_staff_account_username")),
    )
    op.create_index(
        op.f("ix_identity_staff_account_hospital_id"),
        "identity_staff_account",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_identity_staff_account_practitioner_id"),
        "identity_staff_account",
        ["practitioner_id"],
        unique=False,
    )
    op.create_table(
        "identity_staff_role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "administrator",
                "registrar",
                "cashier",
                "triage_nurse",
                "doctor",
                "scheduler",
                "device_operator",
                "auditor",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["identity_staff_account.id"],
            name=op.f("fk_identity_staff_role_account_id"),
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organization_department.id"],
            name=op.f("fk_identity_staff_role_department_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_staff_role")),
        sa.UniqueConstraint(
            "account_id",
            "role",
            "department_id",
            name=op.f("uq_identity_staff_role_account_id_role_department_id"),
        ),
    )
    op.create_index(
        op.f("ix_identity_staff_role_account_id"),
        "identity_staff_role",
        ["account_id"],
        unique=False,
    )
    op.create_table(
        "identity_staff_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "end_reason",
            sa.Enum(
                "logged_out",
                "replaced",
                "revoked",
                name="end_reason",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["identity_staff_account.id"],
            name=op.f("fk_identity_staff_session_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_staff_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_identity_staff_session_token_hash")),
    )
    op.create_index(
        op.f("ix_identity_staff_session_account_id"),
        "identity_staff_session",
        ["account_id"],
        unique=False,
    )
