"""How full the sessions are: booked places of all places, by practitioner or department, day and half-day."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.kernel.uow import now
from backend.organization import queries as organization
from backend.scheduling.models import Schedule, Slot
from backend.scheduling.rules import ScheduleStatus, SlotState
from backend.scheduling.views import LoadCell, LoadRow


def list_load(
    session: Session,
    *,
    hospital_id: Id,
    first: dt.date,
    last: dt.date,
    department_id: Id | None = None,
) -> list[LoadRow]:
    """A row a department, or with ``department_id`` a row a practitioner of it; by name; two queries.

    Stopped sessions and closed places count for nothing; a lapsed hold is as good as free. Devices are left out.
    """
    who = Schedule.department_id if department_id is None else Schedule.practitioner_id
    taken = (Slot.state == SlotState.BOOKED) | (
        (Slot.state == SlotState.HELD) & (Slot.hold_until > now(session))
    )
    statement = (
        select(
            who,
            Schedule.business_date,
            Schedule.half_day,
            func.count(case((taken, Slot.id))),
            func.count(Slot.id),
        )
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(
            Schedule.hospital_id == hospital_id,
            Schedule.business_date.between(first, last),
            Schedule.status == ScheduleStatus.OPEN,
            Schedule.practitioner_id.is_not(None),
            Slot.state != SlotState.CLOSED,
        )
        .group_by(who, Schedule.business_date, Schedule.half_day)
    )
    if department_id is not None:
        statement = statement.where(Schedule.department_id == department_id)
    cells: dict[Id | None, dict[tuple[dt.date, HalfDay], LoadCell]] = {}
    for row_id, day, half_day, booked, total in session.execute(statement):
        cells.setdefault(row_id, {})[day, half_day] = LoadCell(booked, total)
    ids = [row_id for row_id in cells if row_id is not None]
    labels = organization.labels_by_id(session, ids) if ids else {}
    rows = [LoadRow(row_id, labels[row_id].name, cells[row_id]) for row_id in ids]
    return sorted(rows, key=lambda row: (row.name, row.id))
