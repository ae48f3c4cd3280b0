"""Stop-clinic, substitutes and disrupted visits; places that are closed, added or moved to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.migrations.checks import allow_values, replace_check

revision = "0013_disruptions"
down_revision = "0019_places"
branch_labels = None
depends_on = None


STATES = ("free", "held", "booked", "closed")
KINDS = (
    "generated", "added", "held", "released", "expired", "booked", "cancelled", "fulfilled",
    "no_show",
    "moved_out", "moved_in", "closed", "reopened",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "scheduling_stop_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
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
            nullable=True,
        ),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "in_force",
                "lifted",
                name="stop_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("first <= last", name=op.f("ck_scheduling_stop_notice_period")),
        sa.CheckConstraint(
            "practitioner_id IS NOT NULL OR department_id IS NOT NULL",
            name=op.f("ck_scheduling_stop_notice_whom"),
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organization_department.id"],
            name=op.f("fk_scheduling_stop_notice_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_stop_notice_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_scheduling_stop_notice_practitioner_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_stop_notice")),
    )
    op.create_index(
        op.f("ix_scheduling_stop_notice_hospital_id"),
        "scheduling_stop_notice",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        "ix_scheduling_stop_notice_period",
        "scheduling_stop_notice",
        ["hospital_id", "last"],
        unique=False,
    )

    op.create_table(
        "scheduling_stopped_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_stopped_session_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["scheduling_schedule.id"],
            name=op.f("fk_scheduling_stopped_session_schedule_id"),
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["scheduling_stop_notice.id"],
            name=op.f("fk_scheduling_stopped_session_stop_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_stopped_session")),
    )
    op.create_index(
        op.f("ix_scheduling_stopped_session_hospital_id"),
        "scheduling_stopped_session",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_stopped_session_stop_id"),
        "scheduling_stopped_session",
        ["stop_id"],
        unique=False,
    )
    op.create_index(
        "uq_scheduling_stopped_session_standing",
        "scheduling_stopped_session",
        ["schedule_id"],
        unique=True,
        sqlite_where=sa.text("resumed_at IS NULL"),
        postgresql_where=sa.text("resumed_at IS NULL"),
    )

    op.create_table(
        "scheduling_substitution",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("from_practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("to_practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_scheduling_substitution_from_practitioner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_substitution_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["scheduling_schedule.id"],
            name=op.f("fk_scheduling_substitution_schedule_id"),
        ),
        sa.ForeignKeyConstraint(
            ["to_practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_scheduling_substitution_to_practitioner_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_substitution")),
    )
    op.create_index(
        op.f("ix_scheduling_substitution_hospital_id"),
        "scheduling_substitution",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_substitution_schedule_id"),
        "scheduling_substitution",
        ["schedule_id"],
        unique=False,
    )

    op.create_table(
        "scheduling_disruption",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "stop",
                "substitute",
                name="disruption_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "found",
                "offered",
                "told",
                "moved",
                "refunded",
                "released",
                "kept",
                name="disruption_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("stop_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decide_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=60), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["scheduling_appointment.id"],
            name=op.f("fk_scheduling_disruption_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_disruption_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patients_patient.id"],
            name=op.f("fk_scheduling_disruption_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_scheduling_disruption_practitioner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["scheduling_schedule.id"],
            name=op.f("fk_scheduling_disruption_schedule_id"),
        ),
        sa.ForeignKeyConstraint(
            ["stop_id"],
            ["scheduling_stop_notice.id"],
            name=op.f("fk_scheduling_disruption_stop_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_disruption")),
    )
    op.create_index(
        op.f("ix_scheduling_disruption_appointment_id"),
        "scheduling_disruption",
        ["appointment_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_disruption_hospital_id"),
        "scheduling_disruption",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        "ix_scheduling_disruption_patient",
        "scheduling_disruption",
        ["patient_id", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_disruption_schedule_id"),
        "scheduling_disruption",
        ["schedule_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_disruption_stop_id"), "scheduling_disruption", ["stop_id"], unique=False
    )
    op.create_index(
        "uq_scheduling_disruption_open",
        "scheduling_disruption",
        ["appointment_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('found', 'offered', 'told')"),
        postgresql_where=sa.text("state IN ('found', 'offered', 'told')"),
    )
    op.add_column(
        "scheduling_slot",
        sa.Column("is_added", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    allow_values("scheduling_slot", "slot_state", "state", STATES)
    replace_check(
        "scheduling_slot",
        "holder",
        "(state IN ('free', 'closed')) = (appointment_id IS NULL)"
        " AND (state = 'held') = (hold_until IS NOT NULL)",
    )
    allow_values("scheduling_slot_event", "slot_event_kind", "kind", KINDS)
