"""Reads of stop-clinic: notices, whom a stop affects, the disrupted visits, and what could stand in for one."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.kernel.uow import actor, now, today
from backend.organization import queries as organization
from backend.patients import queries as patients
from backend.scheduling import rules
from backend.scheduling.errors import DisruptionUnknown, StopUnknown
from backend.scheduling.models import (
    Appointment,
    Disruption,
    Schedule,
    Slot,
    StopNotice,
    StoppedSession,
    Substitution,
    is_hit,
)
from backend.scheduling.queries.appointments import appointment_views
from backend.scheduling.queries.devices import device_names, sessions_of_the_kind
from backend.scheduling.queries.policies import policies
from backend.scheduling.queries.sessions import is_foreign, list_schedules, schedule_views
from backend.scheduling.rules import (
    ACTIVE,
    OPEN_DISRUPTIONS,
    Candidate,
    DisruptionState,
    LostVisit,
    ScheduleStatus,
    StopScope,
    StopState,
)
from backend.scheduling.views import (
    AffectedVisit,
    DisruptionView,
    ScheduleView,
    StopPreview,
    StopView,
)

#: How far ahead equivalents are looked for.
LOOK_AHEAD = dt.timedelta(days=14)


def stops_in_force(
    session: Session, *, hospital_id: Id, first: dt.date, last: dt.date
) -> list[StopScope]:
    """What notices in force stop between ``first`` and ``last``; one query."""
    rows = session.scalars(
        select(StopNotice).where(
            StopNotice.hospital_id == hospital_id,
            StopNotice.state == StopState.IN_FORCE,
            StopNotice.first <= last,
            StopNotice.last >= first,
        )
    )
    return [row.scope for row in rows]


def sessions_taken(
    session: Session, *, hospital_id: Id, first: dt.date, last: dt.date
) -> set[tuple[Id, dt.date, HalfDay]]:
    """Performer, day and half-day of the sessions there are, those a substitute took over also as the first one's."""
    where = (Schedule.hospital_id == hospital_id, Schedule.business_date.between(first, last))
    performer = func.coalesce(Schedule.practitioner_id, Schedule.device_id)
    made = session.execute(
        select(performer, Schedule.business_date, Schedule.half_day).where(*where)
    )
    handed = session.execute(
        select(Substitution.from_practitioner_id, Schedule.business_date, Schedule.half_day)
        .join(Schedule, Schedule.id == Substitution.schedule_id)
        .where(*where)
    )
    return {(who, day, half) for who, day, half in (*made, *handed)}


def practitioners_ahead(session: Session, *, hospital_id: Id, department_id: Id) -> set[Id]:
    """Who has an open session of the department today or later, also those who work here no longer; one query."""
    rows = session.scalars(
        select(Schedule.practitioner_id).where(
            Schedule.hospital_id == hospital_id,
            Schedule.department_id == department_id,
            Schedule.business_date >= today(session),
            Schedule.status == ScheduleStatus.OPEN,
        )
    )
    return {row for row in rows if row is not None}


def sessions_to_stop(session: Session, *, hospital_id: Id, scope: StopScope) -> Sequence[Id]:
    """Open sessions in ``scope`` with a place that is not over yet; one query."""
    statement = (
        select(Schedule.id)
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(
            Schedule.hospital_id == hospital_id,
            Schedule.status == ScheduleStatus.OPEN,
            Schedule.business_date.between(scope.first, scope.last),
        )
        .group_by(Schedule.id)
        .having(func.max(Slot.ends_at) > now(session))
    )
    if scope.practitioner_id is not None:
        statement = statement.where(Schedule.practitioner_id == scope.practitioner_id)
    if scope.device_id is not None:
        statement = statement.where(Schedule.device_id == scope.device_id)
    if scope.department_id is not None:
        statement = statement.where(Schedule.department_id == scope.department_id)
    if scope.half_day is not None:
        statement = statement.where(Schedule.half_day == scope.half_day)
    return session.scalars(statement).all()


def preview_stop(session: Session, *, hospital_id: Id, scope: StopScope) -> StopPreview:
    """Who would be affected, with masked names; at most ten queries, nothing is written.

    For one device also where else its examinations could go: sessions with room of others of its kind on those days.
    """
    ids = set(sessions_to_stop(session, hospital_id=hospital_id, scope=scope))
    sessions = schedule_views(session, Schedule.id.in_(ids)) if ids else []
    rows = session.scalars(
        select(Appointment)
        .where(
            Appointment.schedule_id.in_(ids), Appointment.state.in_(ACTIVE), is_hit(now(session))
        )
        .order_by(Appointment.starts_at, Appointment.number)
    ).all()
    views = [view for view in appointment_views(session, rows) if not view.is_lapsed]
    names = patients.masked_names(session, [view.patient_id for view in views])
    visits = tuple(AffectedVisit(view, names.get(view.patient_id, "")) for view in views)
    others = sessions_of_the_kind(session, scope) if scope.device_id else []
    return StopPreview(tuple(sessions), visits, tuple(others))


def get_stop(session: Session, stop_id: Id) -> StopView:
    """One notice with its sessions and visits counted. Raises StopUnknown (also for another hospital's)."""
    row = session.get(StopNotice, stop_id)
    if row is None or is_foreign(session, row.hospital_id):
        raise StopUnknown
    return _stop_views(session, [row])[0]


def list_stops(session: Session, *, hospital_id: Id, limit: int = 50) -> list[StopView]:
    """The newest notices; four queries."""
    rows = session.scalars(
        select(StopNotice)
        .where(StopNotice.hospital_id == hospital_id)
        .order_by(StopNotice.created_at.desc(), StopNotice.id.desc())
        .limit(limit)
    ).all()
    return _stop_views(session, rows)


def _stop_views(session: Session, rows: Sequence[StopNotice]) -> list[StopView]:
    ids = [row.id for row in rows]
    labels = organization.labels_by_id(
        session, [i for row in rows for i in (row.practitioner_id, row.department_id) if i]
    )
    devices = device_names(session, [row.device_id for row in rows if row.device_id])
    standing: Counter[Id] = Counter()
    sessions: Counter[Id] = Counter()
    for of, resumed_at, day in session.execute(
        select(StoppedSession.stop_id, StoppedSession.resumed_at, Schedule.business_date)
        .join(Schedule, Schedule.id == StoppedSession.schedule_id)
        .where(StoppedSession.stop_id.in_(ids))
    ):
        sessions[of] += 1
        standing[of] += resumed_at is None and day >= today(session)
    visits: defaultdict[Id | None, Counter[DisruptionState]] = defaultdict(Counter)
    for of_stop, state, count in session.execute(
        select(Disruption.stop_id, Disruption.state, func.count())
        .where(Disruption.stop_id.in_(ids))
        .group_by(Disruption.stop_id, Disruption.state)
    ):
        visits[of_stop][state] = count
    return [
        StopView(
            id=row.id,
            practitioner_name=labels[row.practitioner_id].name if row.practitioner_id else "",
            device_name=devices[row.device_id] if row.device_id else "",
            department_name=labels[row.department_id].name if row.department_id else "",
            scope=row.scope,
            reason=row.reason,
            state=row.state,
            created_at=row.created_at,
            created_by=row.created_by,
            session_count=sessions[row.id],
            can_resume=row.state is StopState.IN_FORCE
            and (bool(standing[row.id]) or row.last >= today(session)),
            visits=dict(visits[row.id]),
        )
        for row in rows
    ]


def list_stopped_sessions(session: Session, stop_id: Id) -> list[tuple[ScheduleView, bool]]:
    """The sessions a notice stopped, each with whether it is stopped still; four queries."""
    get_stop(session, stop_id)
    pairs = session.execute(
        select(StoppedSession.schedule_id, StoppedSession.resumed_at).where(
            StoppedSession.stop_id == stop_id
        )
    )
    resumed: dict[Id, dt.datetime | None] = {row[0]: row[1] for row in pairs}
    views = schedule_views(session, Schedule.id.in_(resumed)) if resumed else []
    return [(view, resumed[view.schedule_id] is None) for view in views]


def get_disruption(session: Session, disruption_id: Id) -> DisruptionView:
    """One disrupted visit. Raises DisruptionUnknown (also for another hospital's)."""
    row = session.get(Disruption, disruption_id)
    if row is None or is_foreign(session, row.hospital_id):
        raise DisruptionUnknown
    return _disruption_views(session, [row])[0]


def list_disruptions(
    session: Session, *, stop_id: Id | None = None, patient_id: Id | None = None
) -> list[DisruptionView]:
    """A notice's disrupted visits by time, or a patient's notices that are open or of today or later; four queries."""
    statement = select(Disruption).order_by(Disruption.starts_at, Disruption.id)
    hospital_id = actor(session).hospital_id
    if hospital_id is not None:
        statement = statement.where(Disruption.hospital_id == hospital_id)
    if stop_id is not None:
        statement = statement.where(Disruption.stop_id == stop_id)
    if patient_id is not None:
        statement = statement.join(Appointment, Appointment.id == Disruption.appointment_id).where(
            Disruption.patient_id == patient_id,
            Disruption.state.in_(OPEN_DISRUPTIONS) | (Appointment.business_date >= today(session)),
        )
    return _disruption_views(session, session.scalars(statement).all())


def find_open_disruption(session: Session, appointment_id: Id) -> Id | None:
    """The undecided disruption of an appointment; one query."""
    return session.scalar(
        select(Disruption.id).where(
            Disruption.appointment_id == appointment_id, Disruption.state.in_(OPEN_DISRUPTIONS)
        )
    )


def _disruption_views(session: Session, rows: Sequence[Disruption]) -> list[DisruptionView]:
    visits = session.scalars(
        select(Appointment).where(Appointment.id.in_([row.appointment_id for row in rows]))
    ).all()
    views = {view.id: view for view in appointment_views(session, visits)}
    names = patients.masked_names(session, [row.patient_id for row in rows])
    people = organization.labels_by_id(
        session, [row.practitioner_id for row in rows if row.practitioner_id]
    )
    return [
        DisruptionView(
            id=row.id,
            kind=row.kind,
            state=row.state,
            reason=row.reason,
            patient_id=row.patient_id,
            masked_name=names.get(row.patient_id, ""),
            visit=views[row.appointment_id],
            schedule_id=row.schedule_id,
            practitioner_name=people[row.practitioner_id].name
            if row.practitioner_id
            else views[row.appointment_id].practitioner_name,
            starts_at=row.starts_at,
            decide_by=row.decide_by,
            decided_at=row.decided_at,
            decided_by=row.decided_by or "",
        )
        for row in rows
    ]


def list_equivalents(session: Session, disruption_id: Id) -> list[ScheduleView]:
    """The sessions a disrupted visit could move to, best first; five queries. Raises DisruptionUnknown.

    None for a place on a device.
    """
    row = session.get(Disruption, disruption_id)
    if row is None or is_foreign(session, row.hospital_id):
        raise DisruptionUnknown
    visit = session.get_one(Appointment, row.appointment_id)
    if visit.device_id is not None:
        return []  # one place of an examination: it is given up whole and planned anew with all that hangs on it
    first = today(session)
    furthest = rules.last_bookable_day(now(session), policies(session).furthest)
    last = max(furthest, min(visit.business_date, first + LOOK_AHEAD))
    views = {
        view.schedule_id: view
        for view in list_schedules(
            session,
            channel=visit.channel,
            hospital_id=row.hospital_id,
            first=first,
            last=last,
            department_id=visit.department_id,
            visit_type=visit.visit_type,
        )
        if view.free_count and view.schedule_id != row.schedule_id
    }
    lost = LostVisit(
        visit.practitioner_id,
        visit.department_id,
        visit.visit_type,
        visit.price_item_code,
        visit.fee_fen,
        visit.starts_at,
    )
    ranked = rules.rank_equivalents(
        lost, _candidates(views.values()), _taken(session, visit.patient_id, visit.id)
    )
    return [views[one.schedule_id] for one in ranked]


def _candidates(views: Iterable[ScheduleView]) -> list[Candidate]:
    return [
        Candidate(
            view.schedule_id,
            view.practitioner_id,
            view.department_id,
            view.visit_type,
            view.price_item_code,
            view.fee_fen,
            view.business_date,
            view.half_day,
            view.next_starts_at,
        )
        for view in views
        if view.next_starts_at is not None
    ]


def _taken(
    session: Session, patient_id: Id, but: Id
) -> Collection[tuple[Id | None, dt.date, HalfDay]]:
    rows = session.execute(
        select(Appointment.practitioner_id, Appointment.business_date, Appointment.half_day).where(
            Appointment.patient_id == patient_id,
            Appointment.id != but,
            Appointment.state.in_(ACTIVE),
        )
    )
    return [(who, day, half) for who, day, half in rows]
