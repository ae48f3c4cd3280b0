"""Reads of sessions and their places."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, case, func, select
from sqlalchemy.orm import Session

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.kernel.uow import actor, now, today
from backend.organization import queries as organization
from backend.scheduling import rules
from backend.scheduling.errors import ScheduleNotFound
from backend.scheduling.models import Appointment, Device, Schedule, Slot, claimable
from backend.scheduling.models.sessions import performer_of
from backend.scheduling.queries.policies import policies, policies_by_session
from backend.scheduling.rules import (
    Channel,
    ScheduleStatus,
    SlotState,
    VisitType,
)
from backend.scheduling.views import (
    DepartmentView,
    GridRow,
    ScheduleView,
    SlotView,
    WeekGrid,
)

_HALF_DAYS = tuple(HalfDay)


def is_foreign(session: Session, hospital_id: Id) -> bool:
    """True when the actor belongs to another hospital."""
    return actor(session).hospital_id not in (None, hospital_id)


def list_bookable(
    session: Session,
    *,
    hospital_id: Id,
    day: dt.date,
    department_id: Id | None = None,
    channel: Channel | None = None,
) -> list[ScheduleView]:
    """The practitioners' sessions of ``day`` that take place and are not over yet, full ones included; two queries.

    Only those whose policy has ``day`` in its booking window, and that ``channel`` may book; what is reserved for
    other channels is not counted as free. In the order of department, half-day, time, practitioner.
    """
    at = now(session)
    if not rules.is_day_bookable(day, at, policies(session).furthest):
        return []
    where = [Schedule.hospital_id == hospital_id, Schedule.business_date == day]
    if department_id is not None:
        where.append(Schedule.department_id == department_id)
    found = schedule_views(session, *where, channel=channel)
    policy = policies_by_session(session, found, hospital_id)
    return [
        view
        for view in found
        if view.device_id is None
        and not view.is_stopped
        and not view.is_over
        and rules.is_day_open(day, channel, at, policy[view.schedule_id])
    ]


def list_bookable_departments(
    session: Session, *, hospital_id: Id, day: dt.date, channel: Channel | None = None
) -> list[DepartmentView]:
    """The departments with a session somebody may still book on ``day``; two queries."""
    by_department: dict[Id, list[ScheduleView]] = {}
    for view in list_bookable(session, hospital_id=hospital_id, day=day, channel=channel):
        by_department.setdefault(view.department_id, []).append(view)
    return [
        DepartmentView(
            department_id=department_id,
            name=views[0].department_name,
            free_count=sum(view.free_count for view in views),
            practitioner_count=len({view.practitioner_id for view in views}),
        )
        for department_id, views in by_department.items()
    ]


def list_schedules(
    session: Session,
    *,
    hospital_id: Id,
    first: dt.date,
    last: dt.date,
    department_id: Id | None = None,
    visit_type: VisitType | None = None,
    channel: Channel | None = None,
) -> list[ScheduleView]:
    """Every session from ``first`` to ``last`` (both included) with its places counted.

    With ``channel`` only places that channel may claim count as free.

    Two queries, in the order of day, department, half-day, time, practitioner.
    """
    where = [Schedule.hospital_id == hospital_id, Schedule.business_date.between(first, last)]
    if department_id is not None:
        where.append(Schedule.department_id == department_id)
    if visit_type is not None:
        where.append(Schedule.visit_type == visit_type)
    return schedule_views(session, *where, channel=channel)


def departments_with_devices(session: Session, *, hospital_id: Id) -> frozenset[Id]:
    """The departments that have an examination device; one query."""
    rows = session.scalars(select(Device.department_id).where(Device.hospital_id == hospital_id))
    return frozenset(rows)


def get_schedule(session: Session, schedule_id: Id) -> ScheduleView:
    """One session with its places counted. Raises ScheduleNotFound (also for another hospital's)."""
    views = schedule_views(session, Schedule.id == schedule_id)
    if not views or is_foreign(session, _hospital_of(session, schedule_id)):
        raise ScheduleNotFound
    return views[0]


def list_slots(session: Session, schedule_id: Id) -> list[SlotView]:
    """The places of one session by number; one query. Raises ScheduleNotFound."""
    at = now(session)
    if is_foreign(session, _hospital_of(session, schedule_id)):
        raise ScheduleNotFound
    rows = session.execute(
        select(Slot, Appointment.state, Appointment.channel)
        .outerjoin(Appointment, Appointment.id == Slot.appointment_id)
        .where(Slot.schedule_id == schedule_id)
        .order_by(Slot.number)
    )
    return [
        SlotView(
            slot_id=slot.id,
            number=slot.number,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            state=slot.state,
            is_free=rules.is_claimable(slot.state, slot.hold_until, slot.ends_at, at),
            is_lapsed=slot.state is SlotState.HELD and rules.is_lapsed(slot.hold_until, at),
            appointment_state=state,
            channel=channel,
        )
        for slot, state, channel in rows
    ]


def week_grid(
    session: Session,
    *,
    hospital_id: Id,
    department_id: Id,
    day: dt.date,
    visit_type: VisitType | None = None,
) -> WeekGrid:
    """The week (Monday to Sunday) that contains ``day``, of one department; two queries."""
    monday = day - dt.timedelta(days=day.weekday())
    days = tuple(monday + dt.timedelta(days=offset) for offset in range(7))
    views = list_schedules(
        session,
        hospital_id=hospital_id,
        first=monday,
        last=days[-1],
        department_id=department_id,
        visit_type=visit_type,
    )
    rows: dict[Id, GridRow] = {}
    for view in views:
        performer_id = performer_of(view.practitioner_id, view.device_id)
        row = rows.setdefault(
            performer_id, GridRow(performer_id, view.practitioner_name, view.title, {})
        )
        row.cells.setdefault(view.business_date, []).append(view)
    ordered = sorted(rows.values(), key=lambda row: (row.practitioner_name, row.performer_id))
    return WeekGrid(days=days, rows=tuple(ordered))


def _hospital_of(session: Session, schedule_id: Id) -> Id:
    schedule = session.get(Schedule, schedule_id)
    if schedule is None:
        raise ScheduleNotFound
    return schedule.hospital_id


def rooms_of_today(session: Session, practitioner_id: Id) -> list[Id]:
    """The rooms of a practitioner's sessions of today: the session on now or next first; one query."""
    ends_at = func.max(Slot.ends_at)
    rows = session.execute(
        select(Schedule.location_id, ends_at)
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(
            Schedule.practitioner_id == practitioner_id,
            Schedule.business_date == today(session),
            Schedule.status == ScheduleStatus.OPEN,
        )
        .group_by(Schedule.id)
        .order_by(ends_at)
    ).all()
    at = now(session)
    ahead = [room_id for room_id, end in rows if end > at]
    return ahead or [room_id for room_id, _end in rows]


def schedule_views(
    session: Session, *where: ColumnElement[bool], channel: Channel | None = None
) -> list[ScheduleView]:
    """The sessions that ``where`` (conditions on Schedule) finds, with their places counted; two queries.

    With ``channel`` only places that channel may claim count as free.
    """
    is_free = claimable(now(session), channel)
    rows = session.execute(
        select(
            Schedule,
            func.count(Slot.id).label("total"),
            func.count(case((is_free, Slot.id))).label("free"),
            func.min(Slot.starts_at).label("first_starts_at"),
            func.max(Slot.ends_at).label("last_ends_at"),
            func.min(case((is_free, Slot.starts_at))).label("next_starts_at"),
            func.min(case((is_free, Slot.ends_at))).label("next_ends_at"),
        )
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(*where)
        .group_by(Schedule.id)
    ).all()
    schedules = [row[0] for row in rows]
    labels = labels_of(session, schedules)
    views = [_schedule_view(row, labels, now(session)) for row in rows]
    return sorted(
        views,
        key=lambda view: (
            view.business_date,
            view.department_name,
            _HALF_DAYS.index(view.half_day),
            view.first_starts_at,
            view.practitioner_name,
        ),
    )


def labels_of(
    session: Session, rows: Sequence[Schedule] | Sequence[Appointment]
) -> dict[Id, organization.Label]:
    """What practitioners, departments and rooms are called, in one query; devices in another if there are any."""
    ids = {i for row in rows for i in (row.performer_id, row.department_id, row.location_id)}
    labels = organization.labels_by_id(session, ids) if ids else {}
    if devices := {row.device_id for row in rows if row.device_id is not None}:
        for device in session.scalars(select(Device).where(Device.id.in_(devices))):
            words = str(rules.MODALITY_WORDS[device.modality])
            labels[device.id] = organization.Label(device.name, words, "")
    return labels


def _schedule_view(
    row: Row[Any], labels: dict[Id, organization.Label], at: dt.datetime
) -> ScheduleView:
    schedule: Schedule = row[0]
    person = labels[schedule.performer_id]
    return ScheduleView(
        schedule_id=schedule.id,
        practitioner_id=schedule.practitioner_id,
        device_id=schedule.device_id,
        practitioner_name=person.name,
        title=person.title,
        specialty=person.specialty,
        department_id=schedule.department_id,
        department_name=labels[schedule.department_id].name,
        location_id=schedule.location_id,
        room_name=labels[schedule.location_id].name,
        business_date=schedule.business_date,
        half_day=schedule.half_day,
        visit_type=schedule.visit_type,
        price_item_code=schedule.price_item_code,
        fee_fen=schedule.fee_fen,
        status=schedule.status,
        total_count=row.total,
        free_count=row.free if schedule.status is ScheduleStatus.OPEN else 0,
        first_starts_at=row.first_starts_at,
        last_ends_at=row.last_ends_at,
        next_starts_at=row.next_starts_at,
        next_ends_at=row.next_ends_at,
        is_over=row.last_ends_at <= at,
    )
