"""The opening rush at the database: numbers in order, nobody let in who finds nothing, turns that end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from backend.kernel.clock import FixedClock, at_local
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.scheduling import queries, rules, service
from backend.scheduling.errors import NotYourTurn, RushNotOpen, TurnOver
from backend.scheduling.rules import (
    BookingPolicies,
    BookingPolicy,
    LineState,
    Modality,
    PolicyFor,
    RushTicketState,
    VisitType,
)
from backend.scheduling.service import Arrival
from tests.factories.clinic import MONDAY, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.factories.imaging import add_device, open_days
from tests.integration.scheduling.acts import confirm, hold

DAY = MONDAY + dt.timedelta(days=14)
OPENS = at_local(MONDAY, dt.time(7))


@pytest.fixture
def clinic(database: Database, clock: FixedClock) -> Clinic:
    """Eight people want two practitioners' six places, which open at seven."""
    clock.set(OPENS - dt.timedelta(minutes=5))
    clinic = make_clinic(database, practitioners=2, patients=8, capacity=3)
    open_schedules(database, clinic, DAY)
    return clinic


@pytest.fixture
def rush_id(database: Database, clinic: Clinic) -> Id:
    return open_line(database, clinic)


def open_line(database: Database, clinic: Clinic) -> Id:
    with database.write(SYSTEM, housekeeping=True) as session:
        return service.open_rush(
            session,
            hospital_id=clinic.hospital_id,
            department_id=clinic.department_id,
            day=DAY,
        )


def join(database: Database, rush_id: Id, people: Sequence[Id]) -> list[int]:
    with database.write(SYSTEM, housekeeping=True) as session:
        moment = database.clock.now()
        drawn = service.join_rush(session, rush_id, [Arrival(one, moment) for one in people])
    return [drawn[one].ordinal for one in people]


def let_in(database: Database, rush_id: Id, most: int = 200) -> LineState:
    with database.write(SYSTEM, housekeeping=True) as session:
        return service.let_in(session, rush_id, most)


def use(database: Database, rush_id: Id, patient_id: Id) -> None:
    with database.write(SYSTEM, housekeeping=True) as session:
        service.use_turn(session, rush_id, patient_id)


def states(database: Database, rush_id: Id, people: Sequence[Id]) -> list[str]:
    with database.read(SYSTEM) as session:
        found = [queries.find_rush_ticket(session, rush_id, one) for one in people]
    return [ticket.state.value if ticket else "-" for ticket in found]


def test_too_early_there_is_no_line(database: Database, clinic: Clinic, clock: FixedClock) -> None:
    clock.set(OPENS - rules.LINE_BEFORE - dt.timedelta(seconds=1))
    with pytest.raises(RushNotOpen):
        open_line(database, clinic)
    clock.advance(dt.timedelta(seconds=1))
    assert open_line(database, clinic) == open_line(database, clinic)


def test_numbers_follow_arrival_and_asking_again_changes_nothing(
    database: Database, clinic: Clinic, rush_id: Id
) -> None:
    a, b, c, d, *_ = clinic.patient_ids
    assert join(database, rush_id, [c, a, c, c]) == [1, 2, 1, 1]
    assert join(database, rush_id, [b, c, a, d]) == [3, 1, 2, 4]
    assert let_in(database, rush_id).issued == 4


def test_before_seven_nobody_comes_in(
    database: Database, clinic: Clinic, rush_id: Id, clock: FixedClock
) -> None:
    join(database, rush_id, clinic.patient_ids)
    clock.set(OPENS - dt.timedelta(microseconds=1))
    assert let_in(database, rush_id).last_in == 0
    clock.set(OPENS)
    line = let_in(database, rush_id)
    assert (line.last_in, line.inside, line.places_left) == (6, 6, 6)
    assert states(database, rush_id, clinic.patient_ids) == ["let_in"] * 6 + ["waiting"] * 2


def test_small_batches_in_order(
    database: Database, clinic: Clinic, rush_id: Id, clock: FixedClock
) -> None:
    people = clinic.patient_ids
    join(database, rush_id, people)
    clock.set(OPENS)
    assert let_in(database, rush_id, 2).last_in == 2
    assert let_in(database, rush_id, 2).last_in == 2
    use(database, rush_id, people[1])
    assert let_in(database, rush_id, 2).last_in == 3
    assert states(database, rush_id, people[:4]) == ["let_in", "booked", "let_in", "waiting"]


def test_a_turn_is_ones_own_and_used_once(
    database: Database, clinic: Clinic, rush_id: Id, clock: FixedClock
) -> None:
    first, *_, last = clinic.patient_ids
    join(database, rush_id, clinic.patient_ids)
    clock.set(OPENS)
    let_in(database, rush_id)
    with pytest.raises(NotYourTurn):
        use(database, rush_id, last)
    use(database, rush_id, first)
    with pytest.raises(TurnOver):
        use(database, rush_id, first)


def test_a_turn_ends_to_the_second_and_its_owner_begins_again_behind(
    database: Database, clinic: Clinic, rush_id: Id, clock: FixedClock
) -> None:
    people = clinic.patient_ids
    join(database, rush_id, people)
    clock.set(OPENS)
    let_in(database, rush_id)
    clock.advance(rules.TURN)
    with pytest.raises(TurnOver):
        use(database, rush_id, people[0])
    line = let_in(database, rush_id)
    assert (line.last_in, line.inside) == (8, 2)
    assert states(database, rush_id, people) == ["lapsed"] * 6 + ["let_in"] * 2
    assert join(database, rush_id, [people[0], people[7]]) == [9, 8]
    assert let_in(database, rush_id).last_in == 9


def test_when_places_go_elsewhere_nobody_is_let_in_for_nothing(
    database: Database, clinic: Clinic, rush_id: Id, clock: FixedClock
) -> None:
    people = clinic.patient_ids
    join(database, rush_id, people[:4])
    clock.set(OPENS)
    with database.read(SYSTEM) as session:
        sessions = queries.list_bookable(session, hospital_id=clinic.hospital_id, day=DAY)
    for person in people[5:]:
        hold(database, person, sessions[0].schedule_id)
    for person in people[6:]:
        hold(database, person, sessions[1].schedule_id)
    line = let_in(database, rush_id)
    assert (line.last_in, line.places_left) == (1, 1)
    hold(database, people[5], sessions[1].schedule_id)
    assert let_in(database, rush_id).is_sold_out


def test_leaving_makes_way(
    database: Database, clinic: Clinic, rush_id: Id, clock: FixedClock
) -> None:
    people = clinic.patient_ids
    join(database, rush_id, people)
    with database.write(SYSTEM) as session:
        service.leave_rush(session, rush_id, people[0])
    clock.set(OPENS)
    assert let_in(database, rush_id).last_in == 7
    assert states(database, rush_id, people[:2]) == [
        RushTicketState.LEFT.value,
        RushTicketState.LET_IN.value,
    ]


def test_a_used_number_is_kept_with_its_place_and_begins_again_without_it(
    database: Database, clinic: Clinic, rush_id: Id, clock: FixedClock
) -> None:
    first, second, *_ = clinic.patient_ids
    join(database, rush_id, clinic.patient_ids)
    clock.set(OPENS)
    let_in(database, rush_id)
    with database.read(SYSTEM) as session:
        (one, _two) = queries.list_bookable(session, hospital_id=clinic.hospital_id, day=DAY)
    for person in (first, second):
        use(database, rush_id, person)
        hold(database, person, one.schedule_id)
    confirm(database, hold_of(database, second))
    clock.advance(rules.HOLD - dt.timedelta(seconds=1))
    assert join(database, rush_id, [first]) == [1]
    clock.advance(dt.timedelta(seconds=1))
    assert join(database, rush_id, [first, second]) == [9, 2]
    assert states(database, rush_id, [first, second]) == ["waiting", "booked"]


def hold_of(database: Database, patient_id: Id) -> Id:
    with database.read(SYSTEM) as session:
        (mine,) = queries.list_appointments(session, patient_id=patient_id)
    return mine.id


def test_nobody_is_let_in_for_what_opens_later_or_is_a_devices(
    database: Database, clinic: Clinic, rush_id: Id, clock: FixedClock
) -> None:
    add_device(database, clinic, Modality.CT)
    open_days(database, clinic, DAY, DAY)
    late = PolicyFor(BookingPolicy(booking_days=7), visit_type=VisitType.CHIEF)
    join(database, rush_id, clinic.patient_ids)
    assert let_in(database, rush_id).places_left == 6
    database.configuration = {BookingPolicies: BookingPolicies(exceptions=(late,))}
    clock.set(OPENS)
    assert let_in(database, rush_id).last_in == 0
