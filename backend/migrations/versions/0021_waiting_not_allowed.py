"""Somebody may leave a waiting list because the rules of booking do not let them have a place any more."""

from __future__ import annotations

from alembic import op

revision = "0021_waiting_not_allowed"
down_revision = "0021_card_traces"
branch_labels = None
depends_on = None

END_CHECK = "ck_scheduling_waiting_entry_waiting_end"
ENDS = (
    "'booked_elsewhere', 'gave_up', 'not_allowed', 'session_over', 'session_stopped', 'silent',"
    " 'staff'"
)


def upgrade() -> None:
    with op.batch_alter_table("scheduling_waiting_entry") as batch:
        batch.drop_constraint(op.f(END_CHECK), type_="check")
        batch.create_check_constraint(op.f(END_CHECK), f"end_reason IN ({ENDS})")
