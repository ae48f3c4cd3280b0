"""The hospital's calendar: public holidays and worked weekends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013_calendar"
down_revision = "0016_tenders"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "scheduling_calendar_day",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "holiday",
                "workday",
                name="day_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("template_weekday", sa.SmallInteger(), nullable=True),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "template_weekday BETWEEN 1 AND 7",
            name=op.f("ck_scheduling_calendar_day_template_weekday"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_calendar_day_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_calendar_day")),
        sa.UniqueConstraint(
            "hospital_id", "day", name=op.f("uq_scheduling_calendar_day_hospital_id_day")
        ),
    )

    op.create_index(
        op.f("ix_scheduling_calendar_day_hospital_id"),
        "scheduling_calendar_day",
        ["hospital_id"],
        unique=False,
    )
