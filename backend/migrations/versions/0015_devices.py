"""Examination devices, and sessions that are a practitioner's or a device's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_devices"
down_revision = "0011_devices"
branch_labels = None
depends_on = None

ONE_PERFORMER = "(practitioner_id IS NULL) <> (device_id IS NULL)"


def upgrade() -> None:
    op.create_table(
        "scheduling_device",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column(
            "modality",
            sa.Enum(
                "ct",
                "mr",
                "radiography",
                "ultrasound",
                "nuclear",
                "endoscopy",
                "laboratory",
                name="modality",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["organization_department.id"],
            name=op.f("fk_scheduling_device_department_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"],
            ["organization_hospital.id"],
            name=op.f("fk_scheduling_device_hospital_id"),
        ),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["organization_location.id"],
            name=op.f("fk_scheduling_device_location_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduling_device")),
        sa.UniqueConstraint(
            "hospital_id", "code", name=op.f("uq_scheduling_device_hospital_id_code")
        ),
    )
    op.create_index(
        op.f("ix_scheduling_device_hospital_id"), "scheduling_device", ["hospital_id"], unique=False
    )
    op.create_index(
        "ix_scheduling_device_modality", "scheduling_device", ["hospital_id", "modality"]
    )
    _open_to_devices("scheduling_template_entry", ["weekday", "half_day", "effective_from"])
    _open_to_devices("scheduling_schedule", ["business_date", "half_day"])
    _open_to_devices("scheduling_appointment", [])


def _open_to_devices(table: str, unique: list[str]) -> None:
    """Let ``table``'s rows be a device's instead of a practitioner's; ``unique``: once per device and these."""
    with op.batch_alter_table(table) as batch:
        batch.add_column(sa.Column("device_id", sa.Uuid(), nullable=True))
        batch.alter_column("practitioner_id", existing_type=sa.Uuid(), nullable=True)
        batch.create_foreign_key(
            batch.f(f"fk_{table}_device_id"), "scheduling_device", ["device_id"], ["id"]
        )
        batch.create_check_constraint(batch.f(f"ck_{table}_performer"), ONE_PERFORMER)
        if unique:
            columns = ["device_id", *unique]
            batch.create_unique_constraint(batch.f(f"uq_{table}_{'_'.join(columns)}"), columns)
