"""Commands of the hospital's calendar: take over a year's notice, change or remove one day.

What has been generated stays as it is: a day that becomes a holiday afterwards is stopped by the stop-clinic
command, so that nobody who has booked is forgotten.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.db import check_version
from backend.kernel.errors import Forbidden
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name
from backend.kernel.permissions import Permission, require
from backend.kernel.uow import actor
from backend.scheduling.errors import CalendarDayInvalid, CalendarDayUnknown, CalendarYearUnknown
from backend.scheduling.models import CalendarDay
from backend.scheduling.rules import CalendarEntry, DayKind, published_notice

LONGEST_SOURCE = 60


def import_notice(
    session: Session, *, hospital_id: Id, entries: Collection[CalendarEntry], source: str
) -> int:
    """Put every day of a notice on the calendar, over what stood there; how many days changed.

    Repeating it changes nothing. Days the notice does not name stay. Raises CalendarDayInvalid, Forbidden.
    """
    _may_manage(session, hospital_id)
    for entry in entries:
        _check(entry.name, entry.template_weekday)
    lock_name(session, f"scheduling-calendar-{hospital_id}")
    present = {
        row.day: row
        for row in session.scalars(
            select(CalendarDay).where(
                CalendarDay.hospital_id == hospital_id,
                CalendarDay.day.in_([entry.day for entry in entries]),
            )
        )
    }
    changed = sum(
        _put(session, hospital_id, entry, present.get(entry.day), source) for entry in entries
    )
    if changed:
        audit.record(
            session,
            "scheduling.import_calendar",
            entity="hospital",
            entity_id=hospital_id,
            days=changed,
            source=source[:LONGEST_SOURCE],
        )
    return changed


def import_published_year(session: Session, *, hospital_id: Id, year: int) -> int:
    """Take over the official notice of ``year`` that the library knows. Raises CalendarYearUnknown."""
    entries = published_notice(year)
    if not entries:
        raise CalendarYearUnknown(year=year)
    return import_notice(
        session, hospital_id=hospital_id, entries=entries, source=f"国务院办公厅 {year}"
    )


def set_calendar_day(
    session: Session,
    *,
    hospital_id: Id,
    day: dt.date,
    kind: DayKind | str,
    name: str,
    template_weekday: int | None,
    version: int | None = None,
) -> None:
    """Name one day, or change what is said of it.

    ``version`` is that of the row the form was opened with: 0 when there was none, None when nobody looked.

    Raises CalendarDayInvalid, StaleVersion, Forbidden.
    """
    _may_manage(session, hospital_id)
    _check(name, template_weekday)
    lock_name(session, f"scheduling-calendar-{hospital_id}")
    row = _find(session, hospital_id, day)
    if row is not None and version is not None:
        check_version(row, version)
    entry = CalendarEntry(day, DayKind(kind), name.strip(), template_weekday)
    if _put(session, hospital_id, entry, row, actor(session).label or "program"):
        _record(session, "set_calendar_day", hospital_id, day, template_weekday)


def remove_calendar_day(
    session: Session, *, hospital_id: Id, day: dt.date, version: int | None = None
) -> None:
    """The day runs its own weekday's template again. Raises CalendarDayUnknown, StaleVersion, Forbidden."""
    _may_manage(session, hospital_id)
    lock_name(session, f"scheduling-calendar-{hospital_id}")
    row = _find(session, hospital_id, day)
    if row is None:
        raise CalendarDayUnknown(day=day.isoformat())
    if version is not None:
        check_version(row, version)
    _record(session, "remove_calendar_day", hospital_id, day, row.template_weekday)
    session.delete(row)


def _may_manage(session: Session, hospital_id: Id) -> None:
    """The calendar is the whole hospital's: one department's scheduler may not change it."""
    permission, who = Permission.SCHEDULING_SCHEDULE_MANAGE, actor(session)
    require(who, permission, hospital_id=hospital_id)
    if who.grants[permission] is not None:
        raise Forbidden(permission=permission.value)


def _check(name: str, template_weekday: int | None) -> None:
    if not 1 <= len(name.strip()) <= 40:
        raise CalendarDayInvalid(fields={"name": CalendarDayInvalid.name_words})
    if template_weekday is not None and not 1 <= template_weekday <= 7:
        raise CalendarDayInvalid(weekday=template_weekday)


def _find(session: Session, hospital_id: Id, day: dt.date) -> CalendarDay | None:
    return session.scalar(
        select(CalendarDay).where(CalendarDay.hospital_id == hospital_id, CalendarDay.day == day)
    )


def _put(
    session: Session,
    hospital_id: Id,
    entry: CalendarEntry,
    row: CalendarDay | None,
    source: str,
) -> bool:
    """Write the day; False when it says that already."""
    said = (entry.kind, entry.name, entry.template_weekday)
    if row is None:
        row = CalendarDay(id=new_id(), hospital_id=hospital_id, day=entry.day)
        session.add(row)
    elif (row.kind, row.name, row.template_weekday) == said:
        return False
    row.kind, row.name, row.template_weekday = said
    row.source = source[:LONGEST_SOURCE]
    return True


def _record(session: Session, act: str, hospital_id: Id, day: dt.date, weekday: int | None) -> None:
    audit.record(
        session,
        f"scheduling.{act}",
        entity="hospital",
        entity_id=hospital_id,
        day=day,
        weekday=weekday or 0,
    )
