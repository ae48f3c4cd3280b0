"""The opening rush: one line a department and day, and the numbers drawn in it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, Integer, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel.db import Base, HospitalOwned, enum_column, fk, id_pk
from backend.kernel.ids import Id
from backend.scheduling.rules import RushTicketState

_IS_INSIDE = text("state = 'let_in'")
_IS_WAITING = text("state = 'waiting'")


class Rush(HospitalOwned, Base):
    """The line in front of one department's places of one day; its ``issued`` numbers have no holes."""

    __tablename__ = "scheduling_rush"
    __table_args__ = (UniqueConstraint("department_id", "business_date"),)

    id: Mapped[Id] = id_pk()
    department_id: Mapped[Id] = fk("organization_department.id")
    business_date: Mapped[dt.date]
    opens_at: Mapped[dt.datetime]
    issued: Mapped[int] = mapped_column(Integer, default=0)
    #: The highest number let in.
    last_in: Mapped[int] = mapped_column(Integer, default=0)


class RushTicket(Base):
    """One patient's number in a line. Inserted by the thousand within seconds: two narrow indexes, no more."""

    __tablename__ = "scheduling_rush_ticket"
    __table_args__ = (
        UniqueConstraint("rush_id", "patient_id"),
        Index(
            "ix_scheduling_rush_ticket_inside",
            "rush_id",
            sqlite_where=_IS_INSIDE,
            postgresql_where=_IS_INSIDE,
        ),
        Index(
            "ix_scheduling_rush_ticket_waiting",
            "rush_id",
            "ordinal",
            sqlite_where=_IS_WAITING,
            postgresql_where=_IS_WAITING,
        ),
    )

    rush_id: Mapped[Id] = mapped_column(
        Uuid(as_uuid=True), ForeignKey("scheduling_rush.id"), primary_key=True
    )
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    patient_id: Mapped[Id] = fk("patients_patient.id")
    state: Mapped[RushTicketState] = enum_column(RushTicketState, default=RushTicketState.WAITING)
    arrived_at: Mapped[dt.datetime]
    let_in_at: Mapped[dt.datetime | None]
    turn_ends_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
