"""A crowd at one line through several waiting rooms at once: one number each, no holes, never more in than places.

The negative control takes the lock of the line away and sees one number given to two people (or refused).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from backend.journeys import rush as journeys
from backend.kernel.clock import FixedClock
from backend.kernel.errors import XinglinError
from backend.kernel.ids import Id
from backend.kernel.links import RushLink
from backend.kernel.uow import Database
from backend.scheduling.models import Appointment, RushTicket
from backend.scheduling.rules import RushTicketState
from backend.scheduling.services import rush as rush_services
from backend.scheduling.verify import verify_slots
from miniprogram_api.rush_room import WaitingRoom
from tests.concurrency.kernel.together import at_once
from tests.factories.databases import SYSTEM
from tests.factories.rush import OPENS, Morning, make_morning

ROOMS = 3


def link(morning: Morning, patient_id: Id) -> RushLink:
    clinic = morning.clinic
    return RushLink(clinic.hospital_id, clinic.department_id, morning.day, patient_id)


def rooms_of(morning: Morning) -> list[WaitingRoom]:
    return [WaitingRoom(morning.database, most_inside=10) for _ in range(ROOMS)]


def arrivals(morning: Morning, times: int) -> list[Callable[[], Any]]:
    """Everybody comes ``times`` times, each time through another process."""
    rooms = rooms_of(morning)
    return [
        partial(rooms[(turn + index) % ROOMS].arrive, link(morning, patient_id))
        for turn in range(times)
        for index, patient_id in enumerate(morning.clinic.patient_ids)
    ]


@pytest.fixture
def early(clock: FixedClock) -> FixedClock:
    clock.set(OPENS - dt.timedelta(minutes=1))
    return clock


def test_one_number_each_without_holes(database: Database, early: FixedClock) -> None:
    morning = make_morning(database, patients=30)
    drawn = at_once(arrivals(morning, 3))
    assert [one for one in drawn if isinstance(one, Exception)] == []
    by_person: dict[Id, set[int]] = {}
    for ticket in drawn:
        by_person.setdefault(ticket.patient_id, set()).add(ticket.ordinal)
    assert {len(numbers) for numbers in by_person.values()} == {1}
    assert sorted(next(iter(n)) for n in by_person.values()) == list(range(1, 31))


def test_all_places_sold_once_and_to_the_first(database: Database, early: FixedClock) -> None:
    """Thirty people, ten places, three processes that let in and book at the same time."""
    morning = make_morning(database, patients=30, capacity=5)
    rooms, people = rooms_of(morning), morning.clinic.patient_ids
    for person in people:
        rooms[0].arrive(link(morning, person))
    early.set(OPENS)

    def try_to_book(index: int) -> object:
        mine, room = link(morning, people[index]), rooms[index % ROOMS]
        room.state(mine)
        rush_id = room.rush_id(mine)
        assert rush_id is not None
        with room.booking(), database.write(SYSTEM) as session:
            visit = journeys.book_in_turn(
                session, rush_id=rush_id, patient_id=people[index], channel="wechat"
            )
        return visit.appointment.id

    first = at_once(partial(try_to_book, index) for index in range(30))
    early.advance(dt.timedelta(seconds=1))
    again = at_once(
        partial(try_to_book, index) for index, was in enumerate(first) if isinstance(was, Exception)
    )
    refused = Counter(one.error_code for one in [*first, *again] if isinstance(one, XinglinError))
    assert set(refused) <= {"not_your_turn"}
    with database.read(SYSTEM) as session:
        holders = set(session.scalars(select(Appointment.patient_id)))
        assert verify_slots(session).problems == []
        inside = session.scalars(
            select(RushTicket.ordinal).where(RushTicket.state == RushTicketState.LET_IN)
        ).all()
    assert holders == set(people[:10])
    assert inside == []


def unlocked(session: Session, model: type[Any], row_id: Id) -> Any:
    """The line read without its lock."""
    return session.get(model, row_id)


def test_control_without_the_lines_lock_two_draw_the_same_number(
    postgres_database: Database, early: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    morning = make_morning(postgres_database, patients=12)
    rooms = [WaitingRoom(postgres_database, most_inside=10) for _ in range(12)]
    rooms[0].arrive(link(morning, morning.clinic.patient_ids[0]))
    with postgres_database.write(SYSTEM, housekeeping=True) as session:
        session.execute(
            text("ALTER TABLE scheduling_rush_ticket DROP CONSTRAINT pk_scheduling_rush_ticket")
        )
    monkeypatch.setattr(rush_services, "lock_row", unlocked)
    drawn = at_once(
        partial(room.arrive, link(morning, person))
        for room, person in zip(rooms[1:], morning.clinic.patient_ids[1:], strict=True)
    )
    numbers = Counter(ticket.ordinal for ticket in drawn)
    assert max(numbers.values()) > 1
