"""The tables of slots, appointments and their events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_slots"
down_revision = "0005_schedules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scheduling_slot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "free",
                "held",
                "booked",
                name="slot_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("life", sa.SmallInteger(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'free') = (appointment_id IS NULL) AND (state = 'held') = (hold_until IS NOT NULL)",
            name=op.f("ck_scheduling_slot_holder"),
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_scheduling_slot_window")),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_slot_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["scheduling_schedule.id"], name=op.f("fk_scheduling_slot_schedule_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_slot")),
        sa.UniqueConstraint(
            "schedule_id", "number", name=op.f("uq_scheduling_slot_schedule_id_number")
        ),
    )
    op.create_index(
        op.f("ix_scheduling_slot_hospital_id"), "scheduling_slot", ["hospital_id"], unique=False
    )
    op.create_index(
        "ix_scheduling_slot_lapsing",
        "scheduling_slot",
        ["hold_until"],
        unique=False,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_table(
        "scheduling_appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
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
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "counter",
                "in_clinic",
                "kiosk",
                "miniprogram",
                "partner",
                "wechat",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "held",
                "booked",
                "checked_in",
                "fulfilled",
                "cancelled",
                "expired",
                "no_show",
                name="appointment_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organization_department.id"],
            name=op.f("fk_scheduling_appointment_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_appointment_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["organization_location.id"],
            name=op.f("fk_scheduling_appointment_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patients_patient.id"],
            name=op.f("fk_scheduling_appointment_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_scheduling_appointment_practitioner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["scheduling_schedule.id"],
            name=op.f("fk_scheduling_appointment_schedule_id"),
        ),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["scheduling_slot.id"], name=op.f("fk_scheduling_appointment_slot_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_appointment")),
    )
    op.create_index(
        "ix_scheduling_appointment_day",
        "scheduling_appointment",
        ["hospital_id", "business_date", "department_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_appointment_hospital_id"),
        "scheduling_appointment",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        "ix_scheduling_appointment_patient_day",
        "scheduling_appointment",
        ["patient_id", "business_date"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_appointment_schedule_id"),
        "scheduling_appointment",
        ["schedule_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_appointment_slot_id"),
        "scheduling_appointment",
        ["slot_id"],
        unique=False,
    )
    op.create_index(
        "uq_scheduling_appointment_active_visit",
        "scheduling_appointment",
        ["patient_id", "practitioner_id", "business_date", "half_day"],
        unique=True,
        sqlite_where=sa.text("state IN ('booked', 'checked_in', 'held')"),
        postgresql_where=sa.text("state IN ('booked', 'checked_in', 'held')"),
    )
    op.create_index(
        "uq_scheduling_appointment_occupied_slot",
        "scheduling_appointment",
        ["slot_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('booked', 'checked_in', 'fulfilled', 'held', 'no_show')"),
        postgresql_where=sa.text(
            "state IN ('booked', 'checked_in', 'fulfilled', 'held', 'no_show')"
        ),
    )
    op.create_table(
        "scheduling_slot_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "generated",
                "held",
                "released",
                "expired",
                "booked",
                "cancelled",
                "fulfilled",
                name="slot_event_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["scheduling_appointment.id"],
            name=op.f("fk_scheduling_slot_event_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_slot_event_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["scheduling_slot.id"], name=op.f("fk_scheduling_slot_event_slot_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_slot_event")),
        sa.UniqueConstraint(
            "slot_id", "ordinal", name=op.f("uq_scheduling_slot_event_slot_id_ordinal")
        ),
    )
    op.create_index(
        op.f("ix_scheduling_slot_event_appointment_id"),
        "scheduling_slot_event",
        ["appointment_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_slot_event_hospital_id"),
        "scheduling_slot_event",
        ["hospital_id"],
        unique=False,
    )
