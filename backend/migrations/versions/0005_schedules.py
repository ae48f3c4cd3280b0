"""The tables of weekly templates and schedules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_schedules"
down_revision = "0004_patients"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scheduling_schedule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column(
            "half_day",
            sa.Enum(
                "am",
                "pm",
                "evening",
                name="half_day",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "visit_type",
            sa.Enum(
                "general",
                "associate_chief",
                "chief",
                "special",
                "examination",
                name="visit_type",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("price_item_code", sa.String(length=40), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "stopped",
                name="schedule_status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("capacity", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_scheduling_schedule_capacity")),
        sa.CheckConstraint("fee_fen >= 0", name=op.f("ck_scheduling_schedule_fee")),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organization_department.id"],
            name=op.f("fk_scheduling_schedule_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_schedule_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["organization_location.id"],
            name=op.f("fk_scheduling_schedule_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_scheduling_schedule_practitioner_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_schedule")),
        sa.UniqueConstraint(
            "practitioner_id",
            "business_date",
            "half_day",
            name=op.f("uq_scheduling_schedule_practitioner_id_business_date_half_day"),
        ),
    )
    op.create_index(
        "ix_scheduling_schedule_hospital_day_department",
        "scheduling_schedule",
        ["hospital_id", "business_date", "department_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_schedule_hospital_id"),
        "scheduling_schedule",
        ["hospital_id"],
        unique=False,
    )
    op.create_table(
        "scheduling_template_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column(
            "half_day",
            sa.Enum(
                "am",
                "pm",
                "evening",
                name="half_day",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "visit_type",
            sa.Enum(
                "general",
                "associate_chief",
                "chief",
                "special",
                "examination",
                name="visit_type",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("price_item_code", sa.String(length=40), nullable=False),
        sa.Column("fee_fen", sa.BigInteger(), nullable=False),
        sa.Column("starts_minute", sa.SmallInteger(), nullable=True),
        sa.Column("capacity", sa.SmallInteger(), nullable=False),
        sa.Column("slot_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_until", sa.Date(), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "capacity > 0 AND slot_minutes > 0", name=op.f("ck_scheduling_template_entry_capacity")
        ),
        sa.CheckConstraint(
            "weekday BETWEEN 1 AND 7", name=op.f("ck_scheduling_template_entry_weekday")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organization_department.id"],
            name=op.f("fk_scheduling_template_entry_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_template_entry_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["organization_location.id"],
            name=op.f("fk_scheduling_template_entry_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_scheduling_template_entry_practitioner_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_template_entry")),
        sa.UniqueConstraint(
            "practitioner_id",
            "weekday",
            "half_day",
            "effective_from",
            name=op.f(
                "uq_scheduling_template_entry_practitioner_id_weekday_half_day_effective_from"
            ),
        ),
    )
    op.create_index(
        op.f("ix_scheduling_template_entry_hospital_id"),
        "scheduling_template_entry",
        ["hospital_id"],
        unique=False,
    )
