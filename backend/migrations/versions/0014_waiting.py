"""The table of the waiting lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_waiting"
down_revision = "0015_examinations"
branch_labels = None
depends_on = None


def _words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.create_table(
        "scheduling_waiting_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            _words("channel", "counter", "in_clinic", "kiosk", "miniprogram", "partner", "wechat"),
            nullable=False,
        ),
        sa.Column(
            "state",
            _words("waiting_state", "waiting", "offered", "taken", "lapsed", "withdrawn", "closed"),
            nullable=False,
        ),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("silences", sa.SmallInteger(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "end_reason",
            _words(
                "waiting_end",
                "booked_elsewhere",
                "gave_up",
                "session_over",
                "session_stopped",
                "silent",
                "staff",
            ),
            nullable=True,
        ),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state <> 'offered' OR (appointment_id IS NOT NULL AND offered_until IS NOT NULL)",
            name=op.f("ck_scheduling_waiting_entry_offer"),
        ),
        sa.CheckConstraint(
            "(state IN ('waiting', 'offered')) = (ended_at IS NULL)",
            name=op.f("ck_scheduling_waiting_entry_ended"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [target], name=op.f(f"fk_scheduling_waiting_entry_{column}")
            )
            for column, target in (
                ("appointment_id", "scheduling_appointment.id"),
                ("hospital_id", "organization_hospital.id"),
                ("patient_id", "patients_patient.id"),
                ("schedule_id", "scheduling_schedule.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_waiting_entry")),
    )
    for column in ("hospital_id", "schedule_id"):
        op.create_index(
            op.f(f"ix_scheduling_waiting_entry_{column}"), "scheduling_waiting_entry", [column]
        )
    _partial_index(
        "uq_scheduling_waiting_entry_live",
        ["patient_id", "schedule_id"],
        "state IN ('offered', 'waiting')",
        unique=True,
    )
    _partial_index(
        "uq_scheduling_waiting_entry_offer", ["appointment_id"], "state = 'offered'", unique=True
    )
    _partial_index(
        "ix_scheduling_waiting_entry_line", ["schedule_id", "queued_at", "id"], "state = 'waiting'"
    )


def _partial_index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(
        name,
        "scheduling_waiting_entry",
        columns,
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )
