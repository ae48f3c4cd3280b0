"""The tables of the kernel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.kernel.audit import audit_triggers

revision = "0001_kernel"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kernel_audit_event",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hospital_id", sa.Uuid(), nullable=True),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_label", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("entity", sa.String(length=60), nullable=False),
        sa.Column("entity_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column(
            "detail",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("seal_no", sa.BigInteger(), nullable=True),
        sa.Column("seal_hash", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_audit_event")),
        sa.UniqueConstraint("seal_no", name=op.f("uq_kernel_audit_event_seal_no")),
    )
    op.create_index(
        op.f("ix_kernel_audit_event_action"), "kernel_audit_event", ["action"], unique=False
    )
    op.create_index(
        op.f("ix_kernel_audit_event_actor_id"), "kernel_audit_event", ["actor_id"], unique=False
    )
    op.create_index(op.f("ix_kernel_audit_event_at"), "kernel_audit_event", ["at"], unique=False)
    op.create_index(
        op.f("ix_kernel_audit_event_entity_id"), "kernel_audit_event", ["entity_id"], unique=False
    )
    op.create_index(
        op.f("ix_kernel_audit_event_patient_id"), "kernel_audit_event", ["patient_id"], unique=False
    )
    op.create_table(
        "kernel_heartbeat",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_kernel_heartbeat")),
    )
    op.create_table(
        "kernel_idempotency_answer",
        sa.Column("scope", sa.String(length=120), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "answer",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=True,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key_hash", name=op.f("pk_kernel_idempotency_answer")),
    )
    op.create_index(
        op.f("ix_kernel_idempotency_answer_created_at"),
        "kernel_idempotency_answer",
        ["created_at"],
        unique=False,
    )
    op.create_table(
        "kernel_live_message",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("stream", sa.String(length=80), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column(
            "payload",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_live_message")),
    )
    op.create_index(op.f("ix_kernel_live_message_at"), "kernel_live_message", ["at"], unique=False)
    op.create_index(
        "ux_kernel_live_message_stream_no", "kernel_live_message", ["stream", "no"], unique=True
    )
    op.create_table(
        "kernel_live_stream",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("last_no", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_kernel_live_stream")),
    )
    op.create_table(
        "kernel_outbox_event",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "payload",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_outbox_event")),
    )
    op.create_index(
        op.f("ix_kernel_outbox_event_occurred_at"),
        "kernel_outbox_event",
        ["occurred_at"],
        unique=False,
    )
    op.create_table(
        "kernel_outbox_delivery",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subscriber", sa.String(length=120), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "done",
                "dead",
                name="delivery_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["kernel_outbox_event.id"],
            name=op.f("fk_kernel_outbox_delivery_event_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kernel_outbox_delivery")),
    )
    op.create_index(
        "ix_kernel_outbox_delivery_due",
        "kernel_outbox_delivery",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        op.f("ix_kernel_outbox_delivery_event_id"),
        "kernel_outbox_delivery",
        ["event_id"],
        unique=False,
    )
    for statement in audit_triggers(op.get_bind().dialect.name):
        op.execute(statement)
