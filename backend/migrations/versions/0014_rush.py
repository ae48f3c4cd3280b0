"""The tables of the opening rush: a line a department and day, and the numbers drawn in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_rush"
down_revision = "0019_dead_deliveries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scheduling_rush",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued", sa.Integer(), nullable=False),
        sa.Column("last_in", sa.Integer(), nullable=False),
        sa.Column("sold_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organization_department.id"],
            name=op.f("fk_scheduling_rush_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_rush_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_rush")),
        sa.UniqueConstraint(
            "department_id",
            "business_date",
            name=op.f("uq_scheduling_rush_department_id_business_date"),
        ),
    )
    op.create_index(
        op.f("ix_scheduling_rush_hospital_id"), "scheduling_rush", ["hospital_id"], unique=False
    )
    op.create_table(
        "scheduling_rush_ticket",
        sa.Column("rush_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "let_in",
                "booked",
                "lapsed",
                "left",
                name="rush_ticket_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("let_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("turn_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patients_patient.id"],
            name=op.f("fk_scheduling_rush_ticket_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["rush_id"], ["scheduling_rush.id"], name=op.f("fk_scheduling_rush_ticket_rush_id")
        ),
        sa.PrimaryKeyConstraint("rush_id", "ordinal", name=op.f("pk_scheduling_rush_ticket")),
        sa.UniqueConstraint(
            "rush_id", "patient_id", name=op.f("uq_scheduling_rush_ticket_rush_id_patient_id")
        ),
    )
    for name, columns, state in (
        ("ix_scheduling_rush_ticket_inside", ["rush_id"], "let_in"),
        ("ix_scheduling_rush_ticket_waiting", ["rush_id", "ordinal"], "waiting"),
    ):
        condition = sa.text(f"state = '{state}'")
        op.create_index(
            name,
            "scheduling_rush_ticket",
            columns,
            unique=False,
            sqlite_where=condition,
            postgresql_where=condition,
        )
