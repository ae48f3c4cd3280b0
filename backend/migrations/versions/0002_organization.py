"""The tables of the organization."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_organization"
down_revision = "0001_kernel"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organization_hospital",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_hospital")),
        sa.UniqueConstraint("code", name=op.f("uq_organization_hospital_code")),
    )
    op.create_table(
        "organization_location",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "campus",
                "building",
                "floor",
                "area",
                "room",
                "window",
                name="location_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_organization_location_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["organization_location.id"],
            name=op.f("fk_organization_location_parent_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_location")),
        sa.UniqueConstraint(
            "hospital_id", "code", name=op.f("uq_organization_location_hospital_id_code")
        ),
    )
    op.create_index(
        op.f("ix_organization_location_hospital_id"),
        "organization_location",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_organization_location_parent_id"),
        "organization_location",
        ["parent_id"],
        unique=False,
    )
    op.create_table(
        "organization_department",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "clinical",
                "technical",
                "administrative",
                name="department_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_organization_department_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["organization_location.id"],
            name=op.f("fk_organization_department_location_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_department")),
        sa.UniqueConstraint(
            "hospital_id", "code", name=op.f("uq_organization_department_hospital_id_code")
        ),
    )
    op.create_index(
        op.f("ix_organization_department_hospital_id"),
        "organization_department",
        ["hospital_id"],
        unique=False,
    )
    op.create_table(
        "organization_practitioner",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("pinyin", sa.String(length=120), nullable=False),
        sa.Column("sex", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("specialty", sa.String(length=200), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organization_department.id"],
            name=op.f("fk_organization_practitioner_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_organization_practitioner_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_practitioner")),
        sa.UniqueConstraint(
            "hospital_id", "code", name=op.f("uq_organization_practitioner_hospital_id_code")
        ),
    )
    op.create_index(
        "ix_organization_practitioner_department_id_is_active",
        "organization_practitioner",
        ["department_id", "is_active"],
        unique=False,
    )
    op.create_index(
        op.f("ix_organization_practitioner_hospital_id"),
        "organization_practitioner",
        ["hospital_id"],
        unique=False,
    )
