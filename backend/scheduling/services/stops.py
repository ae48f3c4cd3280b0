"""Stop-clinic (停诊): stop sessions with everybody in them found and told, and let them take place after all.

Stopping is one unit of work: notice, sessions, places, one disruption a visit, one event a patient. What then becomes
of each visit (offer, refund, release) is a unit of work of its own, so that one that fails holds up nobody.
Locks: sessions, then disruptions, then places; claims hold their session shared, so none slips through.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.contracts.scheduling import SessionResumed, SessionStopped
from backend.kernel import audit, outbox
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name, lock_rows
from backend.kernel.permissions import Permission, require
from backend.kernel.uow import actor, now, today
from backend.scheduling import rules
from backend.scheduling.errors import StopChanged, StopOver, StopUnknown
from backend.scheduling.models import (
    Appointment,
    Disruption,
    Schedule,
    Slot,
    StopNotice,
    StoppedSession,
    is_cared_for,
    is_hit,
)
from backend.scheduling.queries import is_foreign
from backend.scheduling.queries.stops import sessions_to_stop
from backend.scheduling.rules import (
    ACTIVE,
    OPEN_DISRUPTIONS,
    DisruptionKind,
    DisruptionState,
    ScheduleStatus,
    SlotEventKind,
    SlotState,
    StopScope,
    StopState,
    is_lapsed,
)
from backend.scheduling.services import disruptions, pool


def stop_sessions(
    session: Session,
    *,
    hospital_id: Id,
    scope: StopScope,
    reason: str,
    seen: Collection[Id] | None = None,
) -> StopNotice:
    """Stop every session in ``scope`` that is not over; nothing is generated there while the notice is in force.

    ``seen``: the appointments the person was shown; StopChanged when others are affected by now (None = not asked).
    Raises StopInvalid, Forbidden. Publishes SessionStopped a session, VisitDisrupted a visit.
    """
    rules.check_stop(scope, reason, today(session))
    _may_stop(session, hospital_id, scope)
    # Generating for this hospital waits, so that no session is made behind the notice's back.
    lock_name(session, f"scheduling-generate-{hospital_id}")
    notice = StopNotice(
        id=new_id(),
        hospital_id=hospital_id,
        practitioner_id=scope.practitioner_id,
        department_id=scope.department_id,
        device_id=scope.device_id,
        first=scope.first,
        last=scope.last,
        half_day=scope.half_day,
        reason=reason.strip(),
        created_at=now(session),
        created_by=actor(session).label or "program",
    )
    session.add(notice)
    session.flush()
    ids = sessions_to_stop(session, hospital_id=hospital_id, scope=scope)
    # A booking holds its place and then refers to the session: it must not have to wait for us.
    locked = lock_rows(session, Schedule, ids, key_stays=True)
    schedules = [one for one in locked if one.status is ScheduleStatus.OPEN]
    for schedule in schedules:
        _stop_one(session, schedule, notice)
    session.flush()
    disruptions.lock_told(session, [schedule.id for schedule in schedules])
    visits = _close_places(session, [schedule.id for schedule in schedules])
    if seen is not None and {visit.id for visit in visits} - set(seen):
        raise StopChanged
    disruptions.open_all(session, visits, DisruptionKind.STOP, notice.reason, stop_id=notice.id)
    audit.record(
        session,
        "scheduling.stop_sessions",
        entity="stop_notice",
        entity_id=notice.id,
        first=scope.first,
        last=scope.last,
        sessions=len(schedules),
        visits=len(visits),
    )
    return notice


def resume_sessions(
    session: Session, stop_id: Id, schedule_ids: Collection[Id] | None = None
) -> int:
    """Let stopped sessions of today or later take place after all: all of the notice's, or only ``schedule_ids``.

    Visits still waiting for a choice are kept as they were; those moved or refunded stay so. With all of them the
    notice is lifted, and generation fills what it held back. What another notice in force covers stays stopped, by
    that one. How many were resumed.
    Raises StopUnknown, StopOver, Forbidden.
    """
    notice = session.get(StopNotice, stop_id)
    if notice is None or is_foreign(session, notice.hospital_id):
        raise StopUnknown
    _may_stop(session, notice.hospital_id, notice.scope)
    lock_name(session, f"scheduling-generate-{notice.hospital_id}")
    standing = session.scalars(
        select(StoppedSession)
        .join(Schedule, Schedule.id == StoppedSession.schedule_id)
        .where(
            StoppedSession.stop_id == stop_id,
            StoppedSession.resumed_at.is_(None),
            Schedule.business_date >= today(session),
        )
        .execution_options(populate_existing=True)
    ).all()
    chosen = [one for one in standing if schedule_ids is None or one.schedule_id in schedule_ids]
    is_whole = schedule_ids is None
    if notice.state is StopState.LIFTED or (not chosen and not is_whole):
        raise StopOver
    schedules = lock_rows(session, Schedule, [one.schedule_id for one in chosen], key_stays=True)
    for one in chosen:
        one.resumed_at = now(session)
    session.flush()  # before another notice takes a session over: one stops it at a time
    others = _others_in_force(session, notice)
    resumed = [one for one in schedules if not _is_taken_over(session, one, others)]
    for schedule in resumed:
        schedule.status = ScheduleStatus.OPEN
        outbox.publish(session, SessionResumed(schedule.hospital_id, schedule.id, stop_id))
    _keep_waiting(session, [one.id for one in resumed])
    _reopen_places(session, [one.id for one in resumed])
    if is_whole:
        notice.state, notice.lifted_at = StopState.LIFTED, now(session)
    audit.record(
        session,
        "scheduling.resume_sessions",
        entity="stop_notice",
        entity_id=stop_id,
        sessions=len(resumed),
        is_whole=is_whole,
    )
    return len(resumed)


def find_forgotten(session: Session, limit: int = 200) -> int:
    """Open a disruption for live visits of stopped sessions that have none; how many. Nobody should be found."""
    forgotten = session.execute(
        select(Appointment, StopNotice)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .join(StoppedSession, StoppedSession.schedule_id == Schedule.id)
        .join(StopNotice, StopNotice.id == StoppedSession.stop_id)
        .where(
            Schedule.status == ScheduleStatus.STOPPED,
            StoppedSession.resumed_at.is_(None),
            Appointment.state.in_(ACTIVE),
            Schedule.business_date >= today(session),
            is_hit(StopNotice.created_at),
            ~is_cared_for(Appointment.id),
        )
        .order_by(Appointment.id)
        .limit(limit)
    ).all()
    for visit, notice in forgotten:
        disruptions.open_all(
            session, [visit], DisruptionKind.STOP, notice.reason, stop_id=notice.id
        )
    return len(forgotten)


def _may_stop(session: Session, hospital_id: Id, scope: StopScope) -> None:
    """One department's scheduler stops sessions of that department only."""
    permission, who = Permission.SCHEDULING_SCHEDULE_MANAGE, actor(session)
    require(who, permission, hospital_id=hospital_id, department_id=scope.department_id)
    if scope.department_id is None and who.grants[permission] is not None:
        require(who, permission, hospital_id=hospital_id, department_id=new_id())


def _others_in_force(session: Session, notice: StopNotice) -> list[tuple[StopNotice, set[Id]]]:
    """Other notices that overlap this one, each with the sessions it has itself let take place already."""
    notices = session.scalars(
        select(StopNotice)
        .where(
            StopNotice.hospital_id == notice.hospital_id,
            StopNotice.id != notice.id,
            StopNotice.state == StopState.IN_FORCE,
            StopNotice.first <= notice.last,
            StopNotice.last >= notice.first,
        )
        .order_by(StopNotice.id)
    ).all()
    let_go: dict[Id, set[Id]] = {one.id: set() for one in notices}
    for stop_id, schedule_id in session.execute(
        select(StoppedSession.stop_id, StoppedSession.schedule_id).where(
            StoppedSession.stop_id.in_(let_go), StoppedSession.resumed_at.is_not(None)
        )
    ):
        let_go[stop_id].add(schedule_id)
    return [(one, let_go[one.id]) for one in notices]


def _is_taken_over(
    session: Session, schedule: Schedule, others: Sequence[tuple[StopNotice, set[Id]]]
) -> bool:
    """Leave the session stopped by another notice that covers it, if there is one."""
    where = (
        schedule.department_id,
        schedule.business_date,
        schedule.half_day,
        schedule.device_id,
    )
    for other, let_go in others:
        covers = other.scope.covers(schedule.practitioner_id, *where)
        if schedule.id not in let_go and covers:
            _put_under(session, schedule, other)
            return True
    return False


def _put_under(session: Session, schedule: Schedule, notice: StopNotice) -> None:
    session.add(
        StoppedSession(
            id=new_id(),
            hospital_id=schedule.hospital_id,
            stop_id=notice.id,
            schedule_id=schedule.id,
        )
    )


def _stop_one(session: Session, schedule: Schedule, notice: StopNotice) -> None:
    schedule.status = ScheduleStatus.STOPPED
    _put_under(session, schedule, notice)
    outbox.publish(session, SessionStopped(schedule.hospital_id, schedule.id, notice.id))


def _close_places(session: Session, schedule_ids: Sequence[Id]) -> list[Appointment]:
    """Close what is free, end what has lapsed, and give the visits that stand in these sessions."""
    # By session, as whoever ends several holds enters their lines: no two wait for each other.
    for slot in sorted(_locked_places(session, schedule_ids), key=lambda one: one.schedule_id):
        if slot.state is SlotState.HELD and is_lapsed(slot.hold_until, now(session)):
            pool.expire(session, slot)  # closes it as well: its session is stopped
        elif slot.state is SlotState.FREE:
            slot.state = SlotState.CLOSED
            pool.note(session, slot, SlotEventKind.CLOSED, None)
    session.flush()
    return list(
        session.scalars(
            select(Appointment)
            .where(
                Appointment.schedule_id.in_(schedule_ids),
                Appointment.state.in_(ACTIVE),
                is_hit(now(session)),
            )
            .order_by(Appointment.starts_at, Appointment.id)
            .execution_options(populate_existing=True)
        )
    )


def _reopen_places(session: Session, schedule_ids: Sequence[Id]) -> None:
    for slot in _locked_places(session, schedule_ids):
        if slot.state is SlotState.CLOSED and not slot.is_added:
            slot.state = SlotState.FREE
            pool.note(session, slot, SlotEventKind.REOPENED, None)


def _locked_places(session: Session, schedule_ids: Sequence[Id]) -> list[Slot]:
    ids = session.scalars(select(Slot.id).where(Slot.schedule_id.in_(schedule_ids))).all()
    return lock_rows(session, Slot, ids)


def _keep_waiting(session: Session, schedule_ids: Sequence[Id]) -> None:
    waiting = session.scalars(
        select(Disruption.id).where(
            Disruption.schedule_id.in_(schedule_ids),
            Disruption.kind == DisruptionKind.STOP,
            Disruption.state.in_(OPEN_DISRUPTIONS),
        )
    ).all()
    for one in lock_rows(session, Disruption, waiting):
        if one.state in OPEN_DISRUPTIONS:
            disruptions.end(session, one, DisruptionState.KEPT)
