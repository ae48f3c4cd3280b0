"""Sessions as a whole: their places counted, stops that hold, moves with both ends, visits that nobody forgot."""

from __future__ import annotations

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session

from backend.kernel.verify import VerifyReport
from backend.scheduling.models import (
    Appointment,
    Disruption,
    Schedule,
    Slot,
    SlotEvent,
    StopNotice,
    StoppedSession,
    Substitution,
    is_cared_for,
    is_hit,
)
from backend.scheduling.rules import (
    OPEN_DISRUPTIONS,
    AppointmentState,
    DisruptionState,
    ScheduleStatus,
    SlotEventKind,
    SlotState,
)

#: What a decided disruption left behind, where that can be seen from the visit for ever.
_LEFT = {
    DisruptionState.REFUNDED: {AppointmentState.CANCELLED},
    DisruptionState.RELEASED: {AppointmentState.CANCELLED, AppointmentState.EXPIRED},
}
_NOT_HELD = (AppointmentState.BOOKED, AppointmentState.CHECKED_IN)


def check_sessions(report: VerifyReport, session: Session) -> None:
    """Every schedule with its stop, every move, every disrupted visit; a fixed number of reads."""
    _check_places(report, session)
    _check_stops(report, session)
    _check_moves(report, session)
    _check_disruptions(report, session)
    _check_substitutions(report, session)


def _check_places(report: VerifyReport, session: Session) -> None:
    """Every schedule has its capacity and what was added, numbered from 1 without holes; none free when stopped."""
    for (
        schedule_id,
        status,
        capacity,
        places,
        added,
        lowest,
        highest,
        free,
        closed,
    ) in session.execute(
        select(
            Schedule.id,
            Schedule.status,
            Schedule.capacity,
            func.count(Slot.id),
            func.count(case((Slot.is_added, 1))),
            func.min(Slot.number),
            func.max(Slot.number),
            func.count(case((Slot.state == SlotState.FREE, 1))),
            func.count(case(((Slot.state == SlotState.CLOSED) & ~Slot.is_added, 1))),
        )
        .outerjoin(Slot, Slot.schedule_id == Schedule.id)
        .group_by(Schedule.id, Schedule.status, Schedule.capacity)
    ):
        report.count("schedules")
        planned = capacity + added
        if (places, lowest, highest) != (planned, 1, planned):
            words = f"{capacity} planned" + (f" and {added} added" if added else "")
            report.problem(f"schedule {schedule_id}: {places} places on record, {words}")
        if status is ScheduleStatus.STOPPED and free:
            report.problem(f"schedule {schedule_id}: stopped, but {free} places are free")
        if status is ScheduleStatus.OPEN and closed:
            report.problem(f"schedule {schedule_id}: open, but {closed} places are closed")


def _check_stops(report: VerifyReport, session: Session) -> None:
    """A session is stopped exactly while a notice says so, and each paid visit in it is being looked after."""
    standing = select(StoppedSession.schedule_id).where(StoppedSession.resumed_at.is_(None))
    stopped = Schedule.status == ScheduleStatus.STOPPED
    for (schedule_id,) in session.execute(
        select(Schedule.id).where(stopped, Schedule.id.not_in(standing))
    ):
        report.problem(f"schedule {schedule_id}: stopped, but no notice stops it")
    for (schedule_id,) in session.execute(
        select(Schedule.id).where(~stopped, Schedule.id.in_(standing))
    ):
        report.problem(f"schedule {schedule_id}: open, but a notice still stops it")
    for appointment_id, schedule_id in session.execute(
        select(Appointment.id, Schedule.id)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .outerjoin(
            StoppedSession,
            and_(StoppedSession.schedule_id == Schedule.id, StoppedSession.resumed_at.is_(None)),
        )
        .outerjoin(StopNotice, StopNotice.id == StoppedSession.stop_id)
        .where(
            stopped,
            Appointment.state.in_(_NOT_HELD),
            is_hit(StopNotice.created_at),
            ~is_cared_for(Appointment.id),
        )
    ):
        report.problem(
            f"appointment {appointment_id}: paid in stopped schedule {schedule_id}, forgotten"
        )


def _check_moves(report: VerifyReport, session: Session) -> None:
    """Whoever left a place for another sits in exactly one: the events out and in are as many."""
    out = func.count(case((SlotEvent.kind == SlotEventKind.MOVED_OUT, 1)))
    into = func.count(case((SlotEvent.kind == SlotEventKind.MOVED_IN, 1)))
    for appointment_id, left, taken in session.execute(
        select(SlotEvent.appointment_id, out, into)
        .where(SlotEvent.kind.in_((SlotEventKind.MOVED_OUT, SlotEventKind.MOVED_IN)))
        .group_by(SlotEvent.appointment_id)
    ):
        report.count("moves", left)
        if left != taken:
            report.problem(
                f"appointment {appointment_id}: moved out of {left} places and into {taken}"
            )


def _check_disruptions(report: VerifyReport, session: Session) -> None:
    """What a disruption says became of the visit is what became of it."""
    rows = session.execute(
        select(
            Disruption.id,
            Disruption.state,
            Disruption.decided_at,
            Appointment.id,
            Appointment.state,
        ).join(Appointment, Appointment.id == Disruption.appointment_id)
    )
    moves = set(
        session.scalars(
            select(SlotEvent.appointment_id).where(SlotEvent.kind == SlotEventKind.MOVED_OUT)
        )
    )
    for disruption_id, state, decided_at, appointment_id, visit in rows:
        report.count("disrupted visits")
        name = f"disruption {disruption_id} of appointment {appointment_id}"
        if (state in OPEN_DISRUPTIONS) != (decided_at is None):
            report.problem(f"{name}: {state}, decided at {decided_at}")
        if visit not in _LEFT.get(state, {visit}):
            report.problem(f"{name}: {state}, but the visit is {visit}")
        if state is DisruptionState.MOVED and appointment_id not in moves:
            report.problem(f"{name}: moved, but no place was left for another")


def _check_substitutions(report: VerifyReport, session: Session) -> None:
    """The last who took a session over sits in it."""
    last = (
        select(Substitution.schedule_id, func.max(Substitution.at).label("at"))
        .group_by(Substitution.schedule_id)
        .subquery()
    )
    for schedule_id, sits, took in session.execute(
        select(Schedule.id, Schedule.practitioner_id, Substitution.to_practitioner_id)
        .join(Substitution, Substitution.schedule_id == Schedule.id)
        .join(last, (last.c.schedule_id == Schedule.id) & (last.c.at == Substitution.at))
    ):
        report.count("substitutions")
        if sits != took:
            report.problem(f"schedule {schedule_id}: {took} took it over, {sits} sits in it")
