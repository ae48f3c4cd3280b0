"""The catalogue of examinations, screenings, booked examinations; orders may be for an examination."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_examinations"
down_revision = "0012_missed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scheduling_examination_type",
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
        sa.Column(
            "modality",
            sa.Enum(
                "ct",
                "mr",
                "radiography",
                "mammography",
                "ultrasound",
                "nuclear",
                "pet",
                "endoscopy",
                "laboratory",
                name="modality",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("price_item_code", sa.String(length=40), nullable=False),
        sa.Column("minutes", sa.SmallInteger(), nullable=False),
        sa.Column("fasting_hours", sa.SmallInteger(), nullable=False),
        sa.Column("is_dry", sa.Boolean(), nullable=False),
        sa.Column("full_bladder", sa.Boolean(), nullable=False),
        sa.Column(
            "contrast",
            sa.Enum(
                "iodinated",
                "gadolinium",
                name="contrast",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("has_barium", sa.Boolean(), nullable=False),
        sa.Column(
            "tracer",
            sa.Enum(
                "technetium_99m",
                "fluorine_18",
                "iodine_131",
                name="tracer",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("has_sedation", sa.Boolean(), nullable=False),
        sa.Column("has_bowel_cleansing", sa.Boolean(), nullable=False),
        sa.Column("is_abdominal", sa.Boolean(), nullable=False),
        sa.Column("is_iodine_sensitive", sa.Boolean(), nullable=False),
        sa.Column("gives_renal_function", sa.Boolean(), nullable=False),
        sa.Column("joint_group", sa.String(length=32), nullable=False),
        sa.Column("joint_minutes", sa.SmallInteger(), nullable=False),
        sa.Column("instruction", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "minutes > 0 AND fasting_hours >= 0",
            name=op.f("ck_scheduling_examination_type_minutes"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_examination_type_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_examination_type")),
        sa.UniqueConstraint(
            "hospital_id", "code", name=op.f("uq_scheduling_examination_type_hospital_id_code")
        ),
    )
    with op.batch_alter_table("scheduling_examination_type", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_scheduling_examination_type_hospital_id"), ["hospital_id"], unique=False
        )
        batch_op.create_index(
            "ix_scheduling_examination_type_initials", ["hospital_id", "initials"], unique=False
        )
        batch_op.create_index(
            "ix_scheduling_examination_type_name", ["hospital_id", "name"], unique=False
        )

    op.create_table(
        "scheduling_examination_screening",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("has_pacemaker", sa.Boolean(), nullable=True),
        sa.Column("has_metal", sa.Boolean(), nullable=True),
        sa.Column("has_iodinated_allergy", sa.Boolean(), nullable=True),
        sa.Column("has_gadolinium_allergy", sa.Boolean(), nullable=True),
        sa.Column("has_kidney_risk", sa.Boolean(), nullable=True),
        sa.Column("egfr", sa.SmallInteger(), nullable=True),
        sa.Column("is_pregnant", sa.Boolean(), nullable=True),
        sa.Column("has_obstruction", sa.Boolean(), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_examination_screening_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patients_patient.id"],
            name=op.f("fk_scheduling_examination_screening_patient_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_examination_screening")),
    )
    with op.batch_alter_table("scheduling_examination_screening", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_scheduling_examination_screening_hospital_id"),
            ["hospital_id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_scheduling_examination_screening_patient",
            ["patient_id", "answered_at"],
            unique=False,
        )

    op.create_table(
        "scheduling_examination",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "booked",
                "cancelled",
                name="examination_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["scheduling_device.id"],
            name=op.f("fk_scheduling_examination_device_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_examination_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patients_patient.id"],
            name=op.f("fk_scheduling_examination_patient_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_examination")),
    )
    with op.batch_alter_table("scheduling_examination", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_scheduling_examination_hospital_id"), ["hospital_id"], unique=False
        )
        batch_op.create_index(
            "ix_scheduling_examination_patient", ["patient_id", "starts_at"], unique=False
        )

    op.create_table(
        "scheduling_examination_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("examination_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("type_code", sa.String(length=32), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["examination_id"],
            ["scheduling_examination.id"],
            name=op.f("fk_scheduling_examination_item_examination_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_examination_item_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_examination_item")),
    )
    with op.batch_alter_table("scheduling_examination_item", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_scheduling_examination_item_examination_id"),
            ["examination_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_scheduling_examination_item_hospital_id"), ["hospital_id"], unique=False
        )
        batch_op.create_index(
            "uq_scheduling_examination_item_active_order",
            ["order_id"],
            unique=True,
            sqlite_where=sa.text("is_active"),
            postgresql_where=sa.text("is_active"),
        )

    op.create_table(
        "scheduling_examination_place",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("examination_id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["scheduling_appointment.id"],
            name=op.f("fk_scheduling_examination_place_appointment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["examination_id"],
            ["scheduling_examination.id"],
            name=op.f("fk_scheduling_examination_place_examination_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_examination_place_hospital_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_examination_place")),
        sa.UniqueConstraint(
            "appointment_id", name=op.f("uq_scheduling_examination_place_appointment_id")
        ),
    )
    with op.batch_alter_table("scheduling_examination_place", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_scheduling_examination_place_examination_id"),
            ["examination_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_scheduling_examination_place_hospital_id"), ["hospital_id"], unique=False
        )
    _let_orders_be_examinations()
    _know_more_devices()


def _let_orders_be_examinations() -> None:
    """The CHECK of the orders' kinds learns a third one."""
    name = op.f("ck_clinical_order_order_kind")
    with op.batch_alter_table("clinical_order") as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, "kind IN ('drug', 'laboratory', 'examination')")


def _know_more_devices() -> None:
    """PET/CT and mammography are kinds of their own: no bone scan is done on the one, no barium meal on the other."""
    name = op.f("ck_scheduling_device_modality")
    kinds = (
        "'ct', 'mr', 'radiography', 'mammography', 'ultrasound', 'nuclear', 'pet', 'endoscopy',"
        " 'laboratory'"
    )
    with op.batch_alter_table("scheduling_device") as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, f"modality IN ({kinds})")
