"""Waiting lists while everybody acts at once: claims, cancellations, silences, payments, sweeps, joining and leaving.

The negative control takes the line's lock away: two places that come back together go to the same person.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.errors import XinglinError
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from backend.scheduling import service, tasks
from backend.scheduling.models import Appointment, Slot, WaitingEntry
from backend.scheduling.rules import HOLD, OCCUPYING, OFFER, SlotState, WaitingState
from backend.scheduling.services import waiting as waiting_services
from tests.concurrency.kernel.together import DEADLINE, at_once
from tests.factories.databases import SYSTEM
from tests.factories.waiting import FullSession, make_full_session, subscribe


@pytest.fixture
def subscriptions() -> Subscriptions:
    return subscribe(Subscriptions())


def unexpected(outcomes: list[Any]) -> list[Any]:
    """What no patient should ever see."""
    return [
        one for one in outcomes if isinstance(one, Exception) and not isinstance(one, XinglinError)
    ]


def holders(full: FullSession) -> set[Id]:
    with full.database.read(SYSTEM) as session:
        return set(
            session.scalars(select(Appointment.patient_id).where(Appointment.state.in_(OCCUPYING)))
        )


def line_of(full: FullSession, *states: WaitingState) -> list[Id]:
    with full.database.read(SYSTEM) as session:
        return list(
            session.scalars(
                select(WaitingEntry.patient_id)
                .where(WaitingEntry.state.in_(states))
                .order_by(WaitingEntry.queued_at, WaitingEntry.id)
            )
        )


def expire(full: FullSession, appointment_id: Id) -> None:
    with full.database.write(SYSTEM, housekeeping=True) as session:
        service.expire_hold(session, appointment_id)


def sweep(database: Database) -> None:
    tasks.sweep_expired_holds(database)
    tasks.serve_waiting_lists(database)


def test_nobody_overtakes_whatever_happens_at_once(database: Database, clock: FixedClock) -> None:
    """Six places come back in three ways while eight strangers want them; the first six in line have them."""
    full = make_full_session(database, patients=24, capacity=6)
    held = [full.book(patient) for patient in range(6)]
    for one in held[:2]:
        full.pay(one)
    line = [full.join(patient) for patient in range(6, 14)]
    clock.advance(HOLD)
    acts: list[Callable[[], Any]] = [
        *(partial(full.cancel, one) for one in held[:2]),
        *(partial(expire, full, one) for one in held[2:]),
        *(partial(full.book, patient) for patient in range(14, 22)),
        partial(sweep, database),
        partial(sweep, database),
    ]
    outcomes = at_once(acts)
    assert unexpected(outcomes) == []
    sweep(database)
    assert full.states(*line) == ["offered"] * 6 + ["waiting"] * 2
    assert holders(full) == set(full.clinic.patient_ids[6:12])
    Dispatcher(database).drain()
    assert full.problems() == []


def test_silences_payments_and_leaving_at_the_same_moment(
    database: Database, clock: FixedClock
) -> None:
    """Four offers end while two of their owners pay, one leaves and strangers claim: every place has one owner."""
    full = make_full_session(database, patients=20, capacity=4)
    for patient in range(4):
        full.pay(full.book(patient))
    with database.read(SYSTEM) as session:
        booked = list(session.scalars(select(Appointment.id).order_by(Appointment.id)))
    line = [full.join(patient) for patient in range(4, 12)]
    for one in booked:
        full.cancel(one)
    full.deliver()
    offers = [full.offer_of(entry) for entry in line[:4]]
    clock.advance(OFFER)
    outcomes = at_once(
        [
            *(partial(expire, full, one) for one in offers),
            *(partial(full.pay, one) for one in offers[:2]),
            partial(full.leave, line[2]),
            *(partial(full.leave, entry) for entry in line[4:6]),
            *(partial(full.join, patient) for patient in range(12, 16)),
            *(partial(full.book, patient) for patient in range(16, 20)),
            partial(sweep, database),
        ]
    )
    assert unexpected(outcomes) == []
    Dispatcher(database).drain()
    sweep(database)
    Dispatcher(database).drain()
    assert full.problems() == []
    offered = line_of(full, WaitingState.OFFERED)
    taken = line_of(full, WaitingState.TAKEN)
    assert holders(full) == {*offered, *taken}
    assert len(offered) + len(taken) == 4
    assert not holders(full) & set(full.clinic.patient_ids[16:])
    with database.read(SYSTEM) as session:
        assert set(session.scalars(select(Slot.state))) <= {SlotState.HELD, SlotState.BOOKED}


def test_control_without_the_lines_lock_one_person_is_offered_two_places(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = make_full_session(postgres_database, patients=5, capacity=2)
    held = [full.book(0), full.book(1)]
    first, second = full.join(2), full.join(3)
    meeting = threading.Barrier(2)

    def meet(*_: object, **__: object) -> bool:
        meeting.wait(DEADLINE)
        return True

    monkeypatch.setattr(waiting_services, "lock_name", meet)
    at_once([partial(full.cancel, held[0]), partial(full.cancel, held[1])])
    monkeypatch.undo()
    # The person in front holds a place by an offer that says it is over.
    assert full.states(first, second) == ["closed", "offered"]
    assert full.clinic.patient_ids[2] in holders(full)
