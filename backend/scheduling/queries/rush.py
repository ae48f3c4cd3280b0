"""Reads of the opening rush."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.kernel.uow import now
from backend.scheduling.errors import RushNotFound
from backend.scheduling.models import Rush, RushTicket, Schedule, Slot, claimable
from backend.scheduling.queries.sessions import is_foreign
from backend.scheduling.rules import Channel, LineState, RushTicketState, ScheduleStatus
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


def count_places(session: Session, department_id: Id, day: dt.date) -> int:
    """The places of a department's day that a phone could take now; those of waiting lists are not among them."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Slot)
            .join(Schedule, Schedule.id == Slot.schedule_id)
            .where(
                Schedule.department_id == department_id,
                Schedule.business_date == day,
                Schedule.status == ScheduleStatus.OPEN,
                claimable(now(session), Channel.WECHAT),
            )
        )
        or 0
    )


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
