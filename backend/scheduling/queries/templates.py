"""Reads of the weekly template, and what generation would make of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.organization import queries as organization
from backend.scheduling import rules
from backend.scheduling.errors import TemplateUnknown
from backend.scheduling.models import Schedule, TemplateEntry
from backend.scheduling.queries.calendar import calendar_map
from backend.scheduling.queries.sessions import is_foreign
from backend.scheduling.queries.stops import sessions_taken, stops_in_force
from backend.scheduling.views import EntryView, PlannedSession


def list_entries(
    session: Session,
    *,
    hospital_id: Id,
    on: dt.date,
    department_id: Id | None = None,
    practitioner_id: Id | None = None,
) -> list[EntryView]:
    """Practitioners' entries in force on ``on`` or beginning later, by practitioner, weekday, half-day; two queries."""
    statement = select(TemplateEntry).where(
        TemplateEntry.hospital_id == hospital_id,
        TemplateEntry.practitioner_id.is_not(None),
        or_(TemplateEntry.effective_until.is_(None), TemplateEntry.effective_until >= on),
        or_(
            TemplateEntry.effective_until.is_(None),
            TemplateEntry.effective_until >= TemplateEntry.effective_from,
        ),
    )
    if department_id is not None:
        statement = statement.where(TemplateEntry.department_id == department_id)
    if practitioner_id is not None:
        statement = statement.where(TemplateEntry.practitioner_id == practitioner_id)
    return entry_views(session, session.scalars(statement).all())


def entry_history(session: Session, entry_id: Id) -> list[EntryView]:
    """Every entry there was of the same practitioner, weekday and half-day, newest first; three queries."""
    entry = session.get(TemplateEntry, entry_id)
    if entry is None or is_foreign(session, entry.hospital_id):
        raise TemplateUnknown
    rows = session.scalars(
        select(TemplateEntry)
        .where(
            TemplateEntry.practitioner_id == entry.practitioner_id,
            TemplateEntry.weekday == entry.weekday,
            TemplateEntry.half_day == entry.half_day,
        )
        .order_by(TemplateEntry.effective_from.desc())
    ).all()
    return sorted(entry_views(session, rows), key=lambda view: view.effective_from, reverse=True)


def entry_views(session: Session, rows: Sequence[TemplateEntry]) -> list[EntryView]:
    """Entries with names, by practitioner, weekday, half-day and begin; one query."""
    ids = {i for row in rows for i in (row.performer_id, row.department_id, row.location_id)}
    labels = organization.labels_by_id(session, ids) if ids else {}
    halves = list(rules.HALF_DAY_WORDS)
    views = [
        EntryView(
            id=row.id,
            practitioner_id=row.performer_id,
            practitioner_name=labels[row.performer_id].name,
            department_id=row.department_id,
            department_name=labels[row.department_id].name,
            location_id=row.location_id,
            room_name=labels[row.location_id].name,
            weekday=row.weekday,
            half_day=row.half_day,
            visit_type=row.visit_type,
            price_item_code=row.price_item_code,
            fee_fen=row.fee_fen,
            capacity=row.capacity,
            slot_minutes=row.slot_minutes,
            starts_minute=row.starts_minute,
            effective_from=row.effective_from,
            effective_until=row.effective_until,
        )
        for row in rows
    ]
    return sorted(
        views,
        key=lambda view: (
            view.practitioner_name, view.practitioner_id, view.weekday,
            halves.index(view.half_day), view.effective_from,
        ),
    )  # fmt: skip


def last_generated(session: Session, *, hospital_id: Id, department_id: Id) -> dt.date | None:
    """The last day that has sessions of a department; one query."""
    return session.scalar(
        select(func.max(Schedule.business_date)).where(
            Schedule.hospital_id == hospital_id, Schedule.department_id == department_id
        )
    )


def preview_generation(
    session: Session, *, hospital_id: Id, department_id: Id, first: dt.date, last: dt.date
) -> list[PlannedSession]:
    """What generation would do from ``first`` to ``last``: each planned session with why it would not be made.

    Seven queries. Raises PeriodInvalid for more than 31 days.
    """
    rules.check_period(first, last)
    rows = session.scalars(
        select(TemplateEntry).where(
            TemplateEntry.hospital_id == hospital_id,
            TemplateEntry.department_id == department_id,
            TemplateEntry.practitioner_id.is_not(None),
            TemplateEntry.effective_from <= last,
            or_(TemplateEntry.effective_until.is_(None), TemplateEntry.effective_until >= first),
        )
    ).all()
    views = {view.id: view for view in entry_views(session, rows)}
    calendar = calendar_map(session, hospital_id=hospital_id, first=first, last=last)
    taken = sessions_taken(session, hospital_id=hospital_id, first=first, last=last)
    stops = stops_in_force(session, hospital_id=hospital_id, first=first, last=last)
    planned = []
    # By the calendar what will be made; by the weekday alone what a holiday takes away.
    usual = set(rules.planned_sessions(views.values(), first, last))
    wanted = set(rules.planned_sessions(views.values(), first, last, calendar))
    for day, view in usual | wanted:
        place = (view.practitioner_id, view.department_id, day, view.half_day)
        planned.append(
            PlannedSession(
                day=day,
                entry=view,
                is_made=(view.practitioner_id, day, view.half_day) in taken,
                is_stopped=any(stop.covers(*place) for stop in stops),
                is_holiday=(day, view) not in wanted,
                is_exchanged=(day, view) not in usual,
            )
        )
    halves = list(rules.HALF_DAY_WORDS)
    return sorted(
        planned,
        key=lambda one: (
            one.day, halves.index(one.entry.half_day), one.entry.practitioner_name, one.entry.id,
        ),
    )  # fmt: skip
