"""The waiting lists: who stands in which full session's line, and what became of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ColumnElement,
    Index,
    SmallInteger,
    exists,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.db import Base, HospitalOwned, enum_column, fk, id_pk
from backend.kernel.ids import Id
from backend.scheduling.rules import Channel, WaitingEnd, WaitingState

#: Literals, because a partial index serves only queries that repeat its condition word for word.
IS_WAITING = text("state = 'waiting'")
IS_OFFERED = text("state = 'offered'")
_IS_LIVE = text("state IN ('offered', 'waiting')")


class WaitingEntry(HospitalOwned, Base):
    """One patient's place in one session's line. The order is ``queued_at``, then ``id``."""

    __tablename__ = "scheduling_waiting_entry"
    __table_args__ = (
        # The last defence: nobody stands in one line twice, and one hold answers one entry.
        Index(
            "uq_scheduling_waiting_entry_live",
            "patient_id",
            "schedule_id",
            unique=True,
            sqlite_where=_IS_LIVE,
            postgresql_where=_IS_LIVE,
        ),
        Index(
            "uq_scheduling_waiting_entry_offer",
            "appointment_id",
            unique=True,
            sqlite_where=IS_OFFERED,
            postgresql_where=IS_OFFERED,
        ),
        Index(
            "ix_scheduling_waiting_entry_line",
            "schedule_id",
            "queued_at",
            "id",
            sqlite_where=IS_WAITING,
            postgresql_where=IS_WAITING,
        ),
        CheckConstraint(
            "state <> 'offered' OR (appointment_id IS NOT NULL AND offered_until IS NOT NULL)",
            name="offer",
        ),
        CheckConstraint("(state IN ('waiting', 'offered')) = (ended_at IS NULL)", name="ended"),
    )

    id: Mapped[Id] = id_pk()
    schedule_id: Mapped[Id] = fk("scheduling_schedule.id", index=True)
    patient_id: Mapped[Id] = fk("patients_patient.id")
    channel: Mapped[Channel] = enum_column(Channel)
    state: Mapped[WaitingState] = enum_column(WaitingState, default=WaitingState.WAITING)
    joined_at: Mapped[dt.datetime]
    queued_at: Mapped[dt.datetime]
    #: How many offers have passed without a payment.
    silences: Mapped[int] = mapped_column(SmallInteger, default=0)
    #: The hold of the present or last offer.
    appointment_id: Mapped[Id | None] = fk("scheduling_appointment.id", nullable=True)
    offered_until: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    end_reason: Mapped[WaitingEnd | None] = enum_column(WaitingEnd, nullable=True)


#: The index's condition, where other tables with a ``state`` stand beside it.
_STANDS_IN_LINE: ColumnElement[bool] = literal_column(
    "scheduling_waiting_entry.state = 'waiting'", Boolean
)


def has_line(schedule_id: Any) -> ColumnElement[bool]:
    """Somebody waits for a place of the session: its places are the line's, no stranger may claim one."""
    return exists(WaitingEntry.id).where(WaitingEntry.schedule_id == schedule_id, _STANDS_IN_LINE)
