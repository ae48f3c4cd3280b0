"""Commands of the opening rush: draw numbers, let people in, use or lose a turn.

Numbers come from the line's own row in the writing transaction, so they have no holes and are committed in order.
Letting in looks at the places themselves: nobody is let in who would find none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name, lock_row
from backend.kernel.uow import now
from backend.scheduling import rules
from backend.scheduling.errors import NotYourTurn, RushNotFound, RushNotOpen, TurnOver
from backend.scheduling.models import Rush, RushTicket
from backend.scheduling.queries import (
    count_places,
    find_rush_ticket,
    line_state,
    opening_of,
    patients_with_visit,
)
from backend.scheduling.rules import LineState, RushTicketState
from backend.scheduling.views import RushTicketView


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who came to the line, and when the process that took them in saw them."""

    patient_id: Id
    at: dt.datetime


def open_rush(session: Session, *, hospital_id: Id, department_id: Id, day: dt.date) -> Id:
    """The line of a department's day, made by whoever comes first. RushNotOpen before it may be joined."""
    opens = opening_of(session, day)
    if not rules.can_join(opens, now(session)):
        raise RushNotOpen(day=day.isoformat())
    row = Rush(
        id=new_id(),
        hospital_id=hospital_id,
        department_id=department_id,
        business_date=day,
        opens_at=opens,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        found = session.scalars(
            select(Rush.id).where(Rush.department_id == department_id, Rush.business_date == day)
        ).first()
        if found is None:
            raise
        return found
    audit.record(session, "scheduling.open_rush", entity="rush", entity_id=row.id, day=day)
    return row.id


def join_rush(
    session: Session, rush_id: Id, arrivals: Sequence[Arrival]
) -> dict[Id, RushTicketView]:
    """Draw numbers for ``arrivals`` in their order; whoever has one keeps it, however often they ask.

    Those who lapsed or left draw a new one at the end, and those who used it and have lost the place again, unpaid.
    Five statements, however many come. Raises RushNotFound.
    """
    rush = lock_row(session, Rush, rush_id)
    if rush is None:
        raise RushNotFound
    people = list(dict.fromkeys(one.patient_id for one in arrivals))
    kept = {ticket.patient_id: ticket for ticket in _tickets(session, rush_id, people)}
    used = [one.patient_id for one in kept.values() if one.state is RushTicketState.BOOKED]
    booked = (
        patients_with_visit(session, rush.department_id, rush.business_date, used)
        if used
        else set()
    )
    first = rush.issued + 1
    fresh: dict[Id, dict[str, Any]] = {}
    for one in arrivals:
        had = kept.get(one.patient_id)
        keeps = had is not None and (had.state in rules.KEPT or one.patient_id in booked)
        if one.patient_id in fresh or keeps:
            continue
        rush.issued += 1
        fresh[one.patient_id] = {
            "rush_id": rush_id,
            "ordinal": rush.issued,
            "patient_id": one.patient_id,
            "state": RushTicketState.WAITING,
            "arrived_at": one.at,
        }
    again = [row for person, row in fresh.items() if person in kept]
    for row in again:
        _begin_again(session, row)
    new = [row for person, row in fresh.items() if person not in kept]
    if new:
        session.execute(insert(RushTicket), new)
    if fresh:
        audit.record(
            session,
            "scheduling.join_rush",
            entity="rush",
            entity_id=rush_id,
            first=first,
            last=rush.issued,
        )
    drawn = {
        person: RushTicketView(rush_id, row["ordinal"], person, RushTicketState.WAITING, None)
        for person, row in fresh.items()
    }
    return {person: drawn[person] if person in drawn else kept[person] for person in people}


def let_in(session: Session, rush_id: Id, most_inside: int = rules.INSIDE) -> LineState:
    """Let in, in order, as many as find a place now; end turns nobody used; the line as it then is.

    One process does so at a time; the others only look.
    """
    if not lock_name(session, f"scheduling-rush-{rush_id}", wait=False):
        return line_state(session, rush_id)
    at = now(session)
    rush = lock_row(session, Rush, rush_id)
    if rush is None:
        raise RushNotFound
    _end_turns(session, rush_id, at)
    inside = (
        session.scalar(
            select(func.count())
            .select_from(RushTicket)
            .where(RushTicket.rush_id == rush_id, RushTicket.state == RushTicketState.LET_IN)
        )
        or 0
    )
    places = count_places(session, rush.department_id, rush.business_date)
    if at >= rush.opens_at:
        wanted = rules.let_in_count(inside=inside, most_inside=most_inside, places_left=places)
        inside += _call_in(session, rush, wanted, at)
    return LineState(
        opens_at=rush.opens_at,
        issued=rush.issued,
        last_in=rush.last_in,
        inside=inside,
        places_left=places,
        at=at,
    )


def use_turn(session: Session, rush_id: Id, patient_id: Id) -> None:
    """Spend a turn, in the unit of work that takes the place: who rolls back still has it.

    Raises NotYourTurn while others are in front, TurnOver when the turn has passed or was used.
    """
    at = now(session)
    changed = session.execute(
        update(RushTicket)
        .where(
            RushTicket.rush_id == rush_id,
            RushTicket.patient_id == patient_id,
            RushTicket.state == RushTicketState.LET_IN,
            RushTicket.turn_ends_at > at,
        )
        .values(state=RushTicketState.BOOKED, ended_at=at)
        .execution_options(synchronize_session=False)
    )
    if cast(CursorResult[Any], changed).rowcount == 1:
        return
    ticket = find_rush_ticket(session, rush_id, patient_id)
    # Let in between the two statements: they may ask again.
    is_soon = ticket is not None and (
        ticket.state is RushTicketState.WAITING or ticket.may_book(at)
    )
    if ticket is not None and is_soon:
        raise NotYourTurn(ordinal=ticket.ordinal)
    raise TurnOver


def leave_rush(session: Session, rush_id: Id, patient_id: Id) -> None:
    """Give up the number; nothing changes when it was used or given up already."""
    session.execute(
        update(RushTicket)
        .where(
            RushTicket.rush_id == rush_id,
            RushTicket.patient_id == patient_id,
            RushTicket.state.in_((RushTicketState.WAITING, RushTicketState.LET_IN)),
        )
        .values(state=RushTicketState.LEFT, ended_at=now(session))
        .execution_options(synchronize_session=False)
    )
    audit.record(
        session, "scheduling.leave_rush", entity="rush", entity_id=rush_id, patient_id=patient_id
    )


def _tickets(session: Session, rush_id: Id, people: Sequence[Id]) -> list[RushTicketView]:
    rows = session.execute(
        select(
            RushTicket.ordinal, RushTicket.patient_id, RushTicket.state, RushTicket.turn_ends_at
        ).where(RushTicket.rush_id == rush_id, RushTicket.patient_id.in_(people))
    )
    return [RushTicketView(rush_id, *row) for row in rows]


def _begin_again(session: Session, row: dict[str, Any]) -> None:
    session.execute(
        update(RushTicket)
        .where(RushTicket.rush_id == row["rush_id"], RushTicket.patient_id == row["patient_id"])
        .values(
            ordinal=row["ordinal"],
            state=row["state"],
            arrived_at=row["arrived_at"],
            let_in_at=None,
            turn_ends_at=None,
            ended_at=None,
        )
        .execution_options(synchronize_session=False)
    )


def _end_turns(session: Session, rush_id: Id, at: dt.datetime) -> None:
    session.execute(
        update(RushTicket)
        .where(
            RushTicket.rush_id == rush_id,
            RushTicket.state == RushTicketState.LET_IN,
            RushTicket.turn_ends_at <= at,
        )
        .values(state=RushTicketState.LAPSED, ended_at=at)
        .execution_options(synchronize_session=False)
    )


def _call_in(session: Session, rush: Rush, wanted: int, at: dt.datetime) -> int:
    """Let the next ``wanted`` in; how many came."""
    if wanted == 0:
        return 0
    numbers = list(
        session.scalars(
            select(RushTicket.ordinal)
            .where(RushTicket.rush_id == rush.id, RushTicket.state == RushTicketState.WAITING)
            .order_by(RushTicket.ordinal)
            .limit(wanted)
        )
    )
    if numbers:
        session.execute(
            update(RushTicket)
            .where(
                RushTicket.rush_id == rush.id,
                RushTicket.state == RushTicketState.WAITING,
                RushTicket.ordinal <= numbers[-1],
            )
            .values(state=RushTicketState.LET_IN, let_in_at=at, turn_ends_at=at + rules.TURN)
            .execution_options(synchronize_session=False)
        )
        audit.record(
            session,
            "scheduling.let_in",
            entity="rush",
            entity_id=rush.id,
            first=numbers[0],
            last=numbers[-1],
        )
    # When fewer stood there than could come in, the numbers behind were given up.
    rush.last_in = numbers[-1] if len(numbers) == wanted else rush.issued
    return len(numbers)
