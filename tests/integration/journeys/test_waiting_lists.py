"""A full session's waiting list, with bills and timers: nobody overtakes, nothing lies about, nobody is forgotten."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, update

from backend.billing import queries as bills
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id
from backend.kernel.outbox import OutboxEvent, Subscriptions
from backend.kernel.uow import Database
from backend.scheduling import queries, rules, service, tasks
from backend.scheduling.errors import (
    AlreadyBooked,
    AlreadyWaiting,
    LineClosed,
    LineFirst,
    PlacesLeft,
    SlotGone,
)
from backend.scheduling.models import Schedule, WaitingEntry
from backend.scheduling.rules import AppointmentState, ScheduleStatus
from tests.factories.clinic import MONDAY
from tests.factories.databases import SYSTEM
from tests.factories.waiting import FullSession, make_full_session, subscribe

A_MOMENT = dt.timedelta(microseconds=1)


@pytest.fixture
def subscriptions() -> Subscriptions:
    return subscribe(Subscriptions())


@pytest.fixture
def full(database: Database) -> FullSession:
    """Two places, taken and paid by patients 0 and 1."""
    made = make_full_session(database)
    for patient in (0, 1):
        made.pay(made.book(patient))
    made.deliver()
    return made


@pytest.fixture
def taken(full: FullSession) -> list[Id]:
    with full.database.read(SYSTEM) as session:
        return [
            one.id
            for patient in full.clinic.patient_ids[:2]
            for one in queries.list_appointments(session, patient_id=patient)
        ]


def visit(full: FullSession, appointment_id: Id) -> AppointmentState:
    with full.database.read(SYSTEM) as session:
        return queries.get_appointment(session, appointment_id).state


def told(full: FullSession, beginning: str) -> list[str]:
    with full.database.read(SYSTEM) as session:
        names = session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id)).all()
    return [name.removeprefix("scheduling.") for name in names if beginning in name]


def reason(full: FullSession, entry_id: Id) -> str | None:
    with full.database.read(SYSTEM) as session:
        found = session.get_one(WaitingEntry, entry_id).end_reason
    return found.value if found else None


def test_a_returned_place_is_the_first_ones_and_paying_takes_it(
    full: FullSession, taken: list[Id]
) -> None:
    first, second = full.join(2), full.join(3)
    full.cancel(taken[0])
    assert full.states(first, second) == ["offered", "waiting"]
    with pytest.raises(LineFirst):
        full.book(4)
    full.deliver()
    offer = full.offer_of(first)
    with full.database.read(SYSTEM) as session:
        held = queries.get_appointment(session, offer)
        assert held.invoice_id is not None
        invoice = bills.get_invoice(session, held.invoice_id)
    assert held.hold_until == full.database.clock.now() + rules.OFFER
    assert (invoice.due_fen, invoice.expires_at) == (held.fee_fen, held.hold_until)
    full.pay(offer)
    assert full.states(first, second) == ["taken", "waiting"]
    assert visit(full, offer) is AppointmentState.BOOKED
    assert full.problems() == []


@pytest.mark.parametrize("how", ["cancelled", "given up", "lapsed"])
def test_however_a_place_comes_back_it_is_offered_in_the_same_moment(
    database: Database, clock: FixedClock, how: str
) -> None:
    full = make_full_session(database)
    held = [full.book(0), full.book(1)]
    entry = full.join(2)
    if how == "cancelled":
        full.cancel(held[0])
    elif how == "given up":
        full.give_up(held[0])
    else:
        clock.advance(rules.HOLD)
        with pytest.raises(SlotGone):
            full.book(3)  # the hold has lapsed, and yet it is the line's
        full.deliver()
    assert full.states(entry) == ["offered"]
    assert full.problems() == []


def test_an_offer_nobody_pays_goes_to_the_next_to_the_second(
    full: FullSession, taken: list[Id], clock: FixedClock
) -> None:
    first, second = full.join(2), full.join(3)
    full.cancel(taken[0])
    full.deliver()
    offer = full.offer_of(first)
    clock.advance(rules.OFFER - A_MOMENT)
    full.deliver()
    assert full.states(first, second) == ["offered", "waiting"]
    clock.advance(A_MOMENT)
    full.deliver()
    assert full.states(first, second) == ["waiting", "offered"]
    assert full.entry(first).ahead == 0
    assert visit(full, offer) is AppointmentState.EXPIRED
    assert told(full, "offer") == ["place_offered", "offer_lapsed", "place_offered"]
    assert full.problems() == []


def test_who_is_silent_too_often_leaves_the_line(
    full: FullSession, taken: list[Id], clock: FixedClock
) -> None:
    only = full.join(2)
    full.cancel(taken[0])
    for _chance in range(rules.CHANCES):
        assert full.states(only) == ["offered"]
        clock.advance(rules.OFFER)
        full.deliver()
    assert full.states(only) == ["lapsed"]
    assert full.book(4)  # nobody waits any more
    assert full.problems() == []


def test_paying_too_late_does_not_overtake(
    full: FullSession, taken: list[Id], clock: FixedClock
) -> None:
    """The offer has ended, its timer has not come yet: the money goes back, the place to the next."""
    first, second = full.join(2), full.join(3)
    full.cancel(taken[0])
    full.deliver()
    offer = full.offer_of(first)
    clock.advance(rules.OFFER)
    with pytest.raises(SlotGone), full.database.write(SYSTEM) as session:
        service.confirm_appointment(session, offer)
    full.deliver()
    assert full.states(first, second) == ["waiting", "offered"]


def test_the_last_minutes_of_a_place_bound_its_offer(database: Database, clock: FixedClock) -> None:
    full = make_full_session(database, day=MONDAY)
    held = [full.book(0)]  # 08:00 is over at 08:30; one place is left, 08:30 to 09:00
    full.pay(held[0])
    entry = full.join(2)
    clock.advance(dt.timedelta(minutes=20))
    full.cancel(held[0])
    assert full.entry(entry).minutes_left == 10
    full.leave(entry)
    assert full.states(entry) == ["withdrawn"]


def test_too_little_time_is_no_offer_and_the_line_ends_with_its_session(
    database: Database, clock: FixedClock
) -> None:
    full = make_full_session(database, day=MONDAY)
    appointment = full.book(0)
    full.pay(appointment)
    entry = full.join(2)
    clock.advance(dt.timedelta(minutes=26))
    full.cancel(appointment)
    assert full.states(entry) == ["waiting"]
    tasks.serve_waiting_lists(database)
    assert full.states(entry) == ["closed"]
    assert reason(full, entry) == "session_over"
    assert told(full, "waiting_ended") == ["waiting_ended"]
    assert full.book(3)  # somebody who stands at the desk
    assert full.problems() == []


def test_leaving_passes_an_offer_on(full: FullSession, taken: list[Id]) -> None:
    first, second, third = full.join(2), full.join(3), full.join(4)
    full.leave(second)
    full.cancel(taken[0])
    full.deliver()
    with full.database.read(SYSTEM) as session:
        invoice_id = queries.get_appointment(session, full.offer_of(first)).invoice_id
    full.leave(first)
    full.deliver()
    assert full.states(first, second, third) == ["withdrawn", "withdrawn", "offered"]
    with full.database.read(SYSTEM) as session:
        assert invoice_id is not None
        assert bills.get_invoice(session, invoice_id).state.value == "void"
    full.leave(second)  # again: nothing changes
    assert full.problems() == []


def test_a_place_of_the_same_half_day_elsewhere_ends_the_wait(
    full: FullSession, taken: list[Id]
) -> None:
    """Patient 2 was given a place by hand meanwhile: the returned one goes to patient 3."""
    first, second = full.join(2), full.join(3)
    with full.database.write(SYSTEM, housekeeping=True) as session:
        session.execute(
            update(WaitingEntry)
            .where(WaitingEntry.id == first)
            .values(patient_id=full.clinic.patient_ids[1])
        )
    full.cancel(taken[0])
    assert full.states(first, second) == ["closed", "offered"]
    assert reason(full, first) == "booked_elsewhere"


def test_a_stopped_session_offers_nothing_and_closes_its_line(
    full: FullSession, taken: list[Id]
) -> None:
    entry = full.join(2)
    with full.database.write(SYSTEM, housekeeping=True) as session:
        session.get_one(Schedule, full.schedule_id).status = ScheduleStatus.STOPPED
    full.cancel(taken[0])
    assert full.states(entry) == ["waiting"]
    tasks.serve_waiting_lists(full.database)
    assert (full.states(entry), reason(full, entry)) == (["closed"], "session_stopped")
    with pytest.raises(LineClosed):
        full.join(3)


def test_who_may_not_join(full: FullSession) -> None:
    with pytest.raises(AlreadyBooked):
        full.join(0)
    full.join(2)
    with pytest.raises(AlreadyWaiting):
        full.join(2)


def test_where_places_are_left_nobody_waits(database: Database) -> None:
    full = make_full_session(database)
    full.book(0)
    with pytest.raises(PlacesLeft):
        full.join(2)


def test_a_place_that_came_back_unseen_is_offered_by_the_sweep(
    full: FullSession, taken: list[Id], monkeypatch: pytest.MonkeyPatch, clock: FixedClock
) -> None:
    entry = full.join(2)
    with monkeypatch.context() as patch:
        patch.setattr("backend.scheduling.services.pool.waiting.pass_on", lambda *_: None)
        full.cancel(taken[0])
    with pytest.raises(LineFirst):
        full.book(4)
    clock.advance(dt.timedelta(minutes=6))
    assert any("free, though people wait" in words for words in full.problems())
    tasks.serve_waiting_lists(full.database)
    assert full.states(entry) == ["offered"]
    assert full.problems() == []
