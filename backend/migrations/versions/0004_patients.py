"""The tables of the patient index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_patients"
down_revision = "0003_identity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "patients_patient",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "name",
            sa.String(length=60).with_variant(sa.String(length=60, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "pinyin",
            sa.String(length=160).with_variant(sa.String(length=160, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "pinyin_initials",
            sa.String(length=30).with_variant(sa.String(length=30, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("sex", sa.Integer(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("ethnic_group", sa.String(length=2), nullable=True),
        sa.Column("id_kind", sa.String(length=2), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("id_number_masked", sa.String(length=40), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("phone_masked", sa.String(length=20), nullable=True),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("allergies", sa.String(length=400), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_patients_patient_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients_patient")),
        sa.UniqueConstraint(
            "hospital_id",
            "id_kind",
            "id_number_index",
            name=op.f("uq_patients_patient_hospital_id_id_kind_id_number_index"),
        ),
    )
    op.create_index(
        op.f("ix_patients_patient_hospital_id"), "patients_patient", ["hospital_id"], unique=False
    )
    op.create_index(
        "ix_patients_patient_hospital_id_name",
        "patients_patient",
        ["hospital_id", "name"],
        unique=False,
    )
    op.create_index(
        "ix_patients_patient_hospital_id_pinyin",
        "patients_patient",
        ["hospital_id", "pinyin"],
        unique=False,
    )
    op.create_index(
        "ix_patients_patient_hospital_id_pinyin_initials",
        "patients_patient",
        ["hospital_id", "pinyin_initials"],
        unique=False,
    )
    op.create_index(
        "ix_patients_patient_phone_index", "patients_patient", ["phone_index"], unique=False
    )
    op.create_table(
        "patients_patient_identifier",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "system",
            sa.Enum(
                "hospital_card",
                "health_card",
                "e_health_card",
                "insurance_code",
                "social_security_card",
                "inpatient_number",
                name="identifier_system",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("value_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("value_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("value_masked", sa.String(length=40), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "lost",
                "replaced",
                name="identifier_status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_patients_patient_identifier_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patients_patient.id"],
            name=op.f("fk_patients_patient_identifier_patient_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients_patient_identifier")),
    )
    op.create_index(
        op.f("ix_patients_patient_identifier_hospital_id"),
        "patients_patient_identifier",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_patients_patient_identifier_patient_id"),
        "patients_patient_identifier",
        ["patient_id"],
        unique=False,
    )
    op.create_index(
        "ux_patients_patient_identifier_active",
        "patients_patient_identifier",
        ["hospital_id", "system", "value_index"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
