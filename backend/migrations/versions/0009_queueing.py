"""The tables of queueing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_queueing"
down_revision = "0008_money"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "queueing_queue",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("prefix", sa.String(length=4), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("hall_location_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organization_department.id"],
            name=op.f("fk_queueing_queue_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hall_location_id"],
            ["organization_location.id"],
            name=op.f("fk_queueing_queue_hall_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_queueing_queue_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queueing_queue")),
        sa.UniqueConstraint("hospital_id", "code", name=op.f("uq_queueing_queue_hospital_id_code")),
    )
    op.create_index(
        op.f("ix_queueing_queue_department_id"), "queueing_queue", ["department_id"], unique=False
    )
    op.create_index(
        op.f("ix_queueing_queue_hall_location_id"),
        "queueing_queue",
        ["hall_location_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_queueing_queue_hospital_id"), "queueing_queue", ["hospital_id"], unique=False
    )
    op.create_table(
        "queueing_queue_room",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("queue_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_queueing_queue_room_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["organization_location.id"],
            name=op.f("fk_queueing_queue_room_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queueing_queue.id"], name=op.f("fk_queueing_queue_room_queue_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queueing_queue_room")),
        sa.UniqueConstraint(
            "queue_id", "location_id", name=op.f("uq_queueing_queue_room_queue_id_location_id")
        ),
    )
    op.create_index(
        op.f("ix_queueing_queue_room_hospital_id"),
        "queueing_queue_room",
        ["hospital_id"],
        unique=False,
    )
    op.create_table(
        "queueing_ticket",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("queue_id", sa.Uuid(), nullable=False),
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
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=12), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "ticket_class",
            sa.Enum(
                "emergency",
                "priority",
                "return",
                "ordinary",
                name="ticket_class",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "called",
                "serving",
                "done",
                "missed",
                "transferred",
                "left",
                name="ticket_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("room_id", sa.Uuid(), nullable=True),
        sa.Column("served_by_id", sa.Uuid(), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("miss_count", sa.Integer(), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("serving_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_queueing_ticket_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients_patient.id"], name=op.f("fk_queueing_ticket_patient_id")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_queueing_ticket_practitioner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queueing_queue.id"], name=op.f("fk_queueing_ticket_queue_id")
        ),
        sa.ForeignKeyConstraint(
            ["room_id"], ["organization_location.id"], name=op.f("fk_queueing_ticket_room_id")
        ),
        sa.ForeignKeyConstraint(
            ["served_by_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_queueing_ticket_served_by_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queueing_ticket")),
        sa.UniqueConstraint(
            "queue_id",
            "business_date",
            "half_day",
            "ordinal",
            name=op.f("uq_queueing_ticket_queue_id_business_date_half_day_ordinal"),
        ),
    )
    op.create_index(
        "ix_queueing_ticket_appointment", "queueing_ticket", ["appointment_id"], unique=False
    )
    op.create_index(
        "ix_queueing_ticket_day",
        "queueing_ticket",
        ["queue_id", "business_date", "state"],
        unique=False,
    )
    op.create_index(
        op.f("ix_queueing_ticket_hospital_id"), "queueing_ticket", ["hospital_id"], unique=False
    )
    op.create_index(
        "ix_queueing_ticket_patient",
        "queueing_ticket",
        ["patient_id", "business_date"],
        unique=False,
    )
    op.create_index(
        "ix_queueing_ticket_practitioner",
        "queueing_ticket",
        ["practitioner_id", "business_date"],
        unique=False,
    )
    op.create_index(
        "ix_queueing_ticket_served_by",
        "queueing_ticket",
        ["served_by_id", "state"],
        unique=False,
    )
    op.create_index(
        "ux_queueing_ticket_appointment_id",
        "queueing_ticket",
        ["appointment_id"],
        unique=True,
        sqlite_where=sa.text("appointment_id IS NOT NULL AND state <> 'left'"),
        postgresql_where=sa.text("appointment_id IS NOT NULL AND state <> 'left'"),
    )
    op.create_table(
        "queueing_ticket_counter",
        sa.Column("queue_id", sa.Uuid(), nullable=False),
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
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queueing_queue.id"], name=op.f("fk_queueing_ticket_counter_queue_id")
        ),
        sa.PrimaryKeyConstraint(
            "queue_id", "business_date", "half_day", name=op.f("pk_queueing_ticket_counter")
        ),
    )
    op.create_table(
        "queueing_call",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("queue_id", sa.Uuid(), nullable=False),
        sa.Column("hall_location_id", sa.Uuid(), nullable=False),
        sa.Column("room_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "first",
                "again",
                name="call_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hall_location_id"],
            ["organization_location.id"],
            name=op.f("fk_queueing_call_hall_location_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["organization_hospital.id"], name=op.f("fk_queueing_call_hospital_id")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_queueing_call_practitioner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["queue_id"], ["queueing_queue.id"], name=op.f("fk_queueing_call_queue_id")
        ),
        sa.ForeignKeyConstraint(
            ["room_id"], ["organization_location.id"], name=op.f("fk_queueing_call_room_id")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["queueing_ticket.id"], name=op.f("fk_queueing_call_ticket_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queueing_call")),
    )
    op.create_index(
        "ix_queueing_call_hall", "queueing_call", ["hall_location_id", "at"], unique=False
    )
    op.create_index(
        op.f("ix_queueing_call_hospital_id"), "queueing_call", ["hospital_id"], unique=False
    )
    op.create_index("ix_queueing_call_queue", "queueing_call", ["queue_id", "at"], unique=False)
    op.create_index(
        op.f("ix_queueing_call_ticket_id"), "queueing_call", ["ticket_id"], unique=False
    )
