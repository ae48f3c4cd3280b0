"""Reads of the opening rush."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.kernel.uow import now
from backend.scheduling import rules
from backend.scheduling.errors import RushNotFound
from backend.scheduling.models import Appointment, Rush, RushTicket, Schedule, Slot, claimable
from backend.scheduling.queries.policies import policies, policy_for
from backend.scheduling.queries.sessions import is_foreign
from backend.scheduling.rules import (
    ACTIVE,
    AppointmentState,
    Channel,
    LineState,
    RushTicketState,
    ScheduleStatus,
)
from backend.scheduling.views import RushTicketView, RushView


def find_rush(session: Session, department_id: Id, day: dt.date) -> Id | None:
    """The line of a department's day, or None while nobody has come; one query."""
    return session.scalars(
        select(Rush.id).where(Rush.department_id == department_id, Rush.business_date == day)
    ).first()


def get_rush(session: Session, rush_id: Id) -> RushView:
    """Whose line it is, and for which day; one query. Raises RushNotFound (also for another hospital's)."""
    row = session.get(Rush, rush_id)
    if row is None or is_foreign(session, row.hospital_id):
        raise RushNotFound
    return RushView(row.id, row.hospital_id, row.department_id, row.business_date, row.opens_at)


def find_rush_ticket(session: Session, rush_id: Id, patient_id: Id) -> RushTicketView | None:
    """A patient's number in a line, or None; one query."""
    row = session.execute(
        select(RushTicket.ordinal, RushTicket.state, RushTicket.turn_ends_at).where(
            RushTicket.rush_id == rush_id, RushTicket.patient_id == patient_id
        )
    ).first()
    return None if row is None else RushTicketView(rush_id, row[0], patient_id, row[1], row[2])


def opening_of(session: Session, day: dt.date) -> dt.datetime:
    """The moment at which the places of ``day`` open, by the usual policy."""
    usual = policies(session).usual
    return rules.opens_at(day, usual.booking_days, usual.booking_opens)


def count_places(session: Session, department_id: Id, day: dt.date) -> int:
    """The doctors' places of a department's day that a phone could take now, or at the opening before it.

    Neither those of waiting lists are among them, nor those of a kind that opens at another time.
    """
    at = max(now(session), opening_of(session, day))
    rows = session.execute(
        select(Schedule.hospital_id, Schedule.visit_type, func.count())
        .join(Slot, Slot.schedule_id == Schedule.id)
        .where(
            Schedule.department_id == department_id,
            Schedule.business_date == day,
            Schedule.status == ScheduleStatus.OPEN,
            Schedule.practitioner_id.is_not(None),
            claimable(now(session), Channel.WECHAT),
        )
        .group_by(Schedule.hospital_id, Schedule.visit_type)
    )
    total = 0
    for hospital_id, visit_type, count in rows:
        policy = policy_for(
            session, hospital_id=hospital_id, department_id=department_id, visit_type=visit_type
        )
        total += count if rules.is_day_open(day, Channel.WECHAT, at, policy) else 0
    return total


def patients_with_visit(
    session: Session, department_id: Id, day: dt.date, patient_ids: Iterable[Id]
) -> set[Id]:
    """Those of the patients who have a visit in the department on the day, or a place they may still pay; one query."""
    rows = session.scalars(
        select(Appointment.patient_id).where(
            Appointment.patient_id.in_(list(patient_ids)),
            Appointment.department_id == department_id,
            Appointment.business_date == day,
            Appointment.state.in_(ACTIVE),
            or_(Appointment.state != AppointmentState.HELD, Appointment.hold_until > now(session)),
        )
    )
    return set(rows)


def line_state(session: Session, rush_id: Id) -> LineState:
    """A line as it is now; three queries. Raises RushNotFound."""
    rush = session.get(Rush, rush_id)
    if rush is None:
        raise RushNotFound
    inside = session.scalar(
        select(func.count())
        .select_from(RushTicket)
        .where(RushTicket.rush_id == rush_id, RushTicket.state == RushTicketState.LET_IN)
    )
    return LineState(
        opens_at=rush.opens_at,
        issued=rush.issued,
        last_in=rush.last_in,
        inside=inside or 0,
        places_left=count_places(session, rush.department_id, rush.business_date),
        at=now(session),
    )
