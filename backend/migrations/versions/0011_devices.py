"""The tables of devices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011_devices"
down_revision = "0010_clinical"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "devices_enrolment_window",
        sa.Column("address_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "address_hash", "begins_at", name=op.f("pk_devices_enrolment_window")
        ),
    )
    op.create_table(
        "devices_kiosk",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("enrolment_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("enrolment_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("credential_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_print_no", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["organization_hospital.id"], name=op.f("fk_devices_kiosk_hospital_id")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["organization_location.id"], name=op.f("fk_devices_kiosk_location_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices_kiosk")),
        sa.UniqueConstraint("credential_hash", name=op.f("uq_devices_kiosk_credential_hash")),
        sa.UniqueConstraint("enrolment_hash", name=op.f("uq_devices_kiosk_enrolment_hash")),
        sa.UniqueConstraint("hospital_id", "code", name=op.f("uq_devices_kiosk_hospital_id_code")),
    )
    op.create_index(
        op.f("ix_devices_kiosk_hospital_id"), "devices_kiosk", ["hospital_id"], unique=False
    )
    op.create_table(
        "devices_kiosk_pulse",
        sa.Column("kiosk_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column(
            "clock_offset_ms", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "devices",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("open_journal", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["kiosk_id"], ["devices_kiosk.id"], name=op.f("fk_devices_kiosk_pulse_kiosk_id")
        ),
        sa.PrimaryKeyConstraint("kiosk_id", name=op.f("pk_devices_kiosk_pulse")),
    )
    op.create_table(
        "devices_patient_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kiosk_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_devices_patient_session_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["kiosk_id"], ["devices_kiosk.id"], name=op.f("fk_devices_patient_session_kiosk_id")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patients_patient.id"],
            name=op.f("fk_devices_patient_session_patient_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices_patient_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_devices_patient_session_token_hash")),
    )
    op.create_index(
        op.f("ix_devices_patient_session_hospital_id"),
        "devices_patient_session",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_devices_patient_session_kiosk_id"),
        "devices_patient_session",
        ["kiosk_id"],
        unique=False,
    )
    op.create_table(
        "devices_print_job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kiosk_id", sa.Uuid(), nullable=False),
        sa.Column("job_no", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "ticket",
                "receipt",
                name="print_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("is_reprint", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "printed",
                "failed",
                "ambiguous",
                name="print_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_devices_print_job_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["billing_invoice.id"], name=op.f("fk_devices_print_job_invoice_id")
        ),
        sa.ForeignKeyConstraint(
            ["kiosk_id"], ["devices_kiosk.id"], name=op.f("fk_devices_print_job_kiosk_id")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients_patient.id"], name=op.f("fk_devices_print_job_patient_id")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["queueing_ticket.id"], name=op.f("fk_devices_print_job_ticket_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices_print_job")),
        sa.UniqueConstraint(
            "kiosk_id", "job_no", name=op.f("uq_devices_print_job_kiosk_id_job_no")
        ),
    )
    op.create_index(
        op.f("ix_devices_print_job_hospital_id"), "devices_print_job", ["hospital_id"], unique=False
    )
    op.create_index(
        "ix_devices_print_job_hospital_id_state",
        "devices_print_job",
        ["hospital_id", "state"],
        unique=False,
    )
    op.create_index(
        "ix_devices_print_job_kiosk_id_requested_at",
        "devices_print_job",
        ["kiosk_id", "requested_at"],
        unique=False,
    )
