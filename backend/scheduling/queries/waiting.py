"""Reads of the waiting lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.kernel.uow import actor, now
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.scheduling import rules
from backend.scheduling.errors import WaitingNotFound
from backend.scheduling.models import (
    IS_WAITING,
    Appointment,
    Schedule,
    Slot,
    WaitingEntry,
    claimable,
)
from backend.scheduling.queries.sessions import is_foreign, labels_of
from backend.scheduling.rules import AppointmentState, ScheduleStatus, SlotState, WaitingState
from backend.scheduling.views import LineView, WaitingView

#: A place that came back is offered in the same transaction; one found free longer than this leaked past a line.
SERVED_WITHIN = dt.timedelta(minutes=5)


def get_waiting(session: Session, entry_id: Id) -> WaitingView:
    """One place in a line; a fixed number of queries. Raises WaitingNotFound (also for another hospital's)."""
    row = session.get(WaitingEntry, entry_id)
    if row is None or is_foreign(session, row.hospital_id):
        raise WaitingNotFound
    return _views(session, WaitingEntry.id == entry_id)[0]


def list_waits(session: Session, patient_id: Id) -> list[WaitingView]:
    """Where a patient stands in line now, the soonest session first; a fixed number of queries."""
    where = [WaitingEntry.patient_id == patient_id, WaitingEntry.state.in_(rules.LIVE)]
    if (hospital_id := actor(session).hospital_id) is not None:
        where.append(WaitingEntry.hospital_id == hospital_id)
    return _views(session, and_(*where))


def list_lines(
    session: Session, *, hospital_id: Id, first: dt.date, department_id: Id | None = None
) -> list[LineView]:
    """The waiting lists of sessions from ``first`` on, with everybody in them; a fixed number of queries."""
    where = [
        Schedule.hospital_id == hospital_id,
        Schedule.business_date >= first,
        WaitingEntry.state.in_(rules.LIVE),
    ]
    if department_id is not None:
        where.append(Schedule.department_id == department_id)
    by_session: dict[Id, list[WaitingView]] = {}
    for view in _views(session, and_(*where)):
        by_session.setdefault(view.schedule_id, []).append(view)
    return [LineView(entries=tuple(entries)) for entries in by_session.values()]


def lines_to_look_at(session: Session) -> list[tuple[Id, Id]]:
    """Sessions with a line and something to do for it, by (hospital, schedule); one query.

    A place is free that nobody offered, or the session is over or stopped.
    """
    at = now(session)
    places = Slot.schedule_id == WaitingEntry.schedule_id
    last = select(func.max(Slot.ends_at)).where(places).scalar_subquery()
    rows = session.execute(
        select(WaitingEntry.hospital_id, WaitingEntry.schedule_id)
        .join(Schedule, Schedule.id == WaitingEntry.schedule_id)
        .where(
            IS_WAITING,
            or_(
                Schedule.status != ScheduleStatus.OPEN,
                last < at + rules.LEAST_OFFER,
                exists(Slot.id).where(places, Slot.state == SlotState.FREE, Slot.ends_at > at),
            ),
        )
        .distinct()
        .order_by(WaitingEntry.schedule_id)
    )
    return [(hospital_id, schedule_id) for hospital_id, schedule_id in rows]


def waiting_problems(session: Session) -> Iterator[str]:
    """What does not fit in the waiting lists: offers without their hold, free places nobody was offered."""
    at = now(session)
    offers = session.execute(
        select(WaitingEntry, Appointment.state, Slot.appointment_id)
        .join(Appointment, Appointment.id == WaitingEntry.appointment_id)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(WaitingEntry.state.in_((WaitingState.OFFERED, WaitingState.TAKEN)))
        .order_by(WaitingEntry.id)
    )
    for entry, state, holder in offers:
        is_held = state is AppointmentState.HELD and holder == entry.appointment_id
        if entry.state is WaitingState.OFFERED and not is_held:
            yield f"waiting entry {entry.id}: offered, but its hold is {state.value}"
        if entry.state is WaitingState.TAKEN and state in (
            AppointmentState.HELD,
            AppointmentState.EXPIRED,
        ):
            yield f"waiting entry {entry.id}: taken, but its appointment is {state.value}"
    left = session.scalars(
        select(Slot.id)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .where(
            Slot.state == SlotState.FREE,
            claimable(at),
            Slot.reserved_for.is_(None),
            Slot.ends_at > at + rules.LEAST_OFFER,
            Schedule.status == ScheduleStatus.OPEN,
            exists(WaitingEntry.id).where(
                WaitingEntry.schedule_id == Slot.schedule_id,
                WaitingEntry.state == WaitingState.WAITING,
                WaitingEntry.queued_at < at - SERVED_WITHIN,
            ),
        )
        .order_by(Slot.id)
    )
    for slot_id in left:
        yield f"slot {slot_id}: free, though people wait for it"


def _views(session: Session, where: ColumnElement[bool]) -> list[WaitingView]:
    """Entries in the order of their sessions, then of their lines. Four queries, however many rows."""
    rows = session.execute(
        select(WaitingEntry, Schedule)
        .join(Schedule, Schedule.id == WaitingEntry.schedule_id)
        .where(where)
        .order_by(
            Schedule.business_date,
            Schedule.half_day,
            Schedule.id,
            WaitingEntry.state,
            WaitingEntry.queued_at,
            WaitingEntry.id,
        )
    ).all()
    schedules = {schedule.id: schedule for _entry, schedule in rows}
    labels = labels_of(session, list(schedules.values()))
    names = patients.masked_names(session, {entry.patient_id for entry, _schedule in rows})
    ahead = _ahead(session, list(schedules))
    return [_view(entry, schedule, labels, names, ahead, now(session)) for entry, schedule in rows]


def _ahead(session: Session, schedule_ids: Sequence[Id]) -> dict[Id, int]:
    """How many stand in front of each waiting entry of these sessions."""
    rank = func.row_number().over(
        partition_by=WaitingEntry.schedule_id, order_by=(WaitingEntry.queued_at, WaitingEntry.id)
    )
    rows = session.execute(
        select(WaitingEntry.id, rank).where(
            WaitingEntry.schedule_id.in_(schedule_ids), WaitingEntry.state == WaitingState.WAITING
        )
    )
    return {entry_id: number - 1 for entry_id, number in rows}


def _view(
    entry: WaitingEntry,
    schedule: Schedule,
    labels: dict[Id, organization.Label],
    names: dict[Id, str],
    ahead: dict[Id, int],
    at: dt.datetime,
) -> WaitingView:
    performer = schedule.practitioner_id or schedule.device_id
    return WaitingView(
        id=entry.id,
        hospital_id=entry.hospital_id,
        schedule_id=schedule.id,
        patient_id=entry.patient_id,
        patient_name_masked=names.get(entry.patient_id, ""),
        department_id=schedule.department_id,
        department_name=labels[schedule.department_id].name,
        performer_name=labels[performer].name if performer in labels else "",
        business_date=schedule.business_date,
        half_day=schedule.half_day,
        state=entry.state,
        ahead=ahead.get(entry.id, 0),
        joined_at=entry.joined_at,
        silences=entry.silences,
        appointment_id=entry.appointment_id,
        offered_until=entry.offered_until,
        at=at,
    )
