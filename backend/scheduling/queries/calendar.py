"""Reads of the hospital's calendar, and what a notice would change in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.scheduling.models import Appointment, CalendarDay, Schedule
from backend.scheduling.rules import ACTIVE, CalendarEntry, ScheduleStatus
from backend.scheduling.views import CalendarChange, CalendarDayView, MadeAlready


def list_calendar_days(
    session: Session, *, hospital_id: Id, first: dt.date, last: dt.date
) -> list[CalendarDayView]:
    """The named days from ``first`` to ``last`` (both included), by day; one query."""
    rows = session.scalars(_days(hospital_id, first, last))
    return [
        CalendarDayView(row.day, row.kind, row.name, row.template_weekday, row.source, row.version)
        for row in rows
    ]


def calendar_map(
    session: Session, *, hospital_id: Id, first: dt.date, last: dt.date
) -> dict[dt.date, int | None]:
    """Which weekday's template the named days run (None = none); one query."""
    return {
        row.day: row.template_weekday for row in session.scalars(_days(hospital_id, first, last))
    }


def _days(hospital_id: Id, first: dt.date, last: dt.date) -> Select[CalendarDay]:
    return (
        select(CalendarDay)
        .where(CalendarDay.hospital_id == hospital_id, CalendarDay.day.between(first, last))
        .order_by(CalendarDay.day)
    )


def compare_notice(
    session: Session, *, hospital_id: Id, entries: Iterable[CalendarEntry]
) -> list[CalendarChange]:
    """Each day of a notice beside what the calendar says of it now, and the sessions made already; two queries."""
    wanted = sorted(entries, key=lambda entry: entry.day)
    if not wanted:
        return []
    first, last = wanted[0].day, wanted[-1].day
    present = {
        view.day: view
        for view in list_calendar_days(session, hospital_id=hospital_id, first=first, last=last)
    }
    made = sessions_made(session, hospital_id=hospital_id, days=[entry.day for entry in wanted])
    none = MadeAlready(0, 0)
    return [
        CalendarChange(entry, present.get(entry.day), made.get(entry.day, none)) for entry in wanted
    ]


def sessions_made(
    session: Session, *, hospital_id: Id, days: Iterable[dt.date]
) -> dict[dt.date, MadeAlready]:
    """Open sessions and live appointments of those of ``days`` that have any; one query."""
    active = case((Appointment.state.in_(ACTIVE), Appointment.id))
    rows = session.execute(
        select(
            Schedule.business_date,
            func.count(Schedule.id.distinct()),
            func.count(active.distinct()),
        )
        .outerjoin(Appointment, Appointment.schedule_id == Schedule.id)
        .where(
            Schedule.hospital_id == hospital_id,
            Schedule.business_date.in_(list(days)),
            Schedule.status == ScheduleStatus.OPEN,
        )
        .group_by(Schedule.business_date)
    )
    return {day: MadeAlready(sessions, visits) for day, sessions, visits in rows}
