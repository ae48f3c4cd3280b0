"""Card trace numbers go on from day to day: the bank knows a message by terminal, batch and number."""

from __future__ import annotations

from alembic import op

revision = "0021_card_traces"
down_revision = "0020_numbered_when_paid"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Numbers that began again in the same batch. What was sent under them stands in the audit log.
    op.execute(
        "UPDATE billing_card_act SET stan = NULL WHERE EXISTS (SELECT 1 FROM billing_card_act earlier"
        " WHERE earlier.terminal_id = billing_card_act.terminal_id"
        " AND earlier.batch = billing_card_act.batch AND earlier.stan = billing_card_act.stan"
        " AND earlier.trace_date < billing_card_act.trace_date)"
    )
    op.execute(
        "UPDATE billing_card_terminal SET last_trace = (SELECT COALESCE(MAX(CAST(stan AS INTEGER)), 0)"
        " FROM billing_card_act"
        " WHERE billing_card_act.terminal_id = billing_card_terminal.terminal_id"
        " AND billing_card_act.batch = billing_card_terminal.batch)"
        " WHERE EXISTS (SELECT 1 FROM billing_card_act"
        " WHERE billing_card_act.terminal_id = billing_card_terminal.terminal_id"
        " AND billing_card_act.batch = billing_card_terminal.batch"
        " AND CAST(stan AS INTEGER) > billing_card_terminal.last_trace)"
    )
    with op.batch_alter_table("billing_card_terminal") as batch:
        batch.drop_column("trace_date")
    with op.batch_alter_table("billing_card_act") as batch:
        batch.drop_constraint("uq_billing_card_act_terminal_id_trace_date_stan", type_="unique")
        batch.drop_index("ix_billing_card_act_terminal_batch")
        batch.create_unique_constraint(
            op.f("uq_billing_card_act_terminal_id_batch_stan"), ["terminal_id", "batch", "stan"]
        )
