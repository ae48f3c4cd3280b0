"""The tables of clinical."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_clinical"
down_revision = "0009_queueing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clinical_icd_code",
        sa.Column(
            "code",
            sa.String(length=24).with_variant(sa.String(length=24, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "name",
            sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "initials",
            sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_clinical_icd_code")),
    )
    op.create_index(
        op.f("ix_clinical_icd_code_initials"), "clinical_icd_code", ["initials"], unique=False
    )
    op.create_index(op.f("ix_clinical_icd_code_name"), "clinical_icd_code", ["name"], unique=False)
    op.create_table(
        "clinical_drug",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "code",
            sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "name",
            sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "initials",
            sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("strength", sa.String(length=60), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("route", sa.String(length=40), nullable=False),
        sa.Column("dose", sa.String(length=60), nullable=False),
        sa.Column("frequency", sa.String(length=60), nullable=False),
        sa.Column("is_cytotoxic", sa.Boolean(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["organization_hospital.id"], name=op.f("fk_clinical_drug_hospital_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinical_drug")),
        sa.UniqueConstraint("hospital_id", "code", name=op.f("uq_clinical_drug_hospital_id_code")),
    )
    op.create_index(
        op.f("ix_clinical_drug_hospital_id"), "clinical_drug", ["hospital_id"], unique=False
    )
    op.create_index(
        "ix_clinical_drug_initials", "clinical_drug", ["hospital_id", "initials"], unique=False
    )
    op.create_index("ix_clinical_drug_name", "clinical_drug", ["hospital_id", "name"], unique=False)
    op.create_table(
        "clinical_laboratory_panel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "code",
            sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "name",
            sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "initials",
            sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("price_item_code", sa.String(length=32), nullable=False),
        sa.Column("specimen", sa.String(length=40), nullable=False),
        sa.Column("container", sa.String(length=60), nullable=False),
        sa.Column("turnaround_minutes", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_clinical_laboratory_panel_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinical_laboratory_panel")),
        sa.UniqueConstraint(
            "hospital_id", "code", name=op.f("uq_clinical_laboratory_panel_hospital_id_code")
        ),
    )
    op.create_index(
        op.f("ix_clinical_laboratory_panel_hospital_id"),
        "clinical_laboratory_panel",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        "ix_clinical_laboratory_panel_initials",
        "clinical_laboratory_panel",
        ["hospital_id", "initials"],
        unique=False,
    )
    op.create_index(
        "ix_clinical_laboratory_panel_name",
        "clinical_laboratory_panel",
        ["hospital_id", "name"],
        unique=False,
    )
    op.create_table(
        "clinical_encounter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "in_progress",
                "finished",
                "cancelled",
                name="encounter_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("complaint", sa.String(length=2000), nullable=False),
        sa.Column("history", sa.String(length=4000), nullable=False),
        sa.Column("examination", sa.String(length=4000), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organization_department.id"],
            name=op.f("fk_clinical_encounter_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_clinical_encounter_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients_patient.id"], name=op.f("fk_clinical_encounter_patient_id")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"],
            ["organization_practitioner.id"],
            name=op.f("fk_clinical_encounter_practitioner_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinical_encounter")),
    )
    op.create_index(
        op.f("ix_clinical_encounter_appointment_id"),
        "clinical_encounter",
        ["appointment_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_clinical_encounter_hospital_id"),
        "clinical_encounter",
        ["hospital_id"],
        unique=False,
    )
    op.create_index(
        "ix_clinical_encounter_patient",
        "clinical_encounter",
        ["patient_id", "started_at"],
        unique=False,
    )
    op.create_index(
        "ix_clinical_encounter_practitioner",
        "clinical_encounter",
        ["practitioner_id", "started_at"],
        unique=False,
    )
    op.create_index(
        "ux_clinical_encounter_ticket_id",
        "clinical_encounter",
        ["ticket_id"],
        unique=True,
        sqlite_where=sa.text("ticket_id IS NOT NULL"),
        postgresql_where=sa.text("ticket_id IS NOT NULL"),
    )
    op.create_table(
        "clinical_diagnosis",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter_id"],
            ["clinical_encounter.id"],
            name=op.f("fk_clinical_diagnosis_encounter_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_clinical_diagnosis_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinical_diagnosis")),
        sa.UniqueConstraint(
            "encounter_id", "code", name=op.f("uq_clinical_diagnosis_encounter_id_code")
        ),
    )
    op.create_index(
        op.f("ix_clinical_diagnosis_hospital_id"),
        "clinical_diagnosis",
        ["hospital_id"],
        unique=False,
    )
    op.create_table(
        "clinical_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "drug",
                "laboratory",
                name="order_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "cancelled",
                "completed",
                name="order_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("item_code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("specification", sa.String(length=120), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("dose", sa.String(length=60), nullable=False),
        sa.Column("route", sa.String(length=40), nullable=False),
        sa.Column("frequency", sa.String(length=60), nullable=False),
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["billing_charge.id"], name=op.f("fk_clinical_order_charge_id")
        ),
        sa.ForeignKeyConstraint(
            ["encounter_id"], ["clinical_encounter.id"], name=op.f("fk_clinical_order_encounter_id")
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_clinical_order_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients_patient.id"], name=op.f("fk_clinical_order_patient_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinical_order")),
    )
    op.create_index(
        op.f("ix_clinical_order_encounter_id"), "clinical_order", ["encounter_id"], unique=False
    )
    op.create_index(
        op.f("ix_clinical_order_hospital_id"), "clinical_order", ["hospital_id"], unique=False
    )
    op.create_index(
        op.f("ix_clinical_order_patient_id"), "clinical_order", ["patient_id"], unique=False
    )
