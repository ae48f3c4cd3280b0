"""Five hundred at once, four channels, a hundred places: exactly a hundred are sold, whatever happens meanwhile.

The control cuts the locks out of the claims and takes the last defence away, and sees the pool oversold.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.scheduling import service
from backend.scheduling.errors import AlreadyBooked, SlotGone, WrongAppointmentState
from backend.scheduling.models import Appointment, Slot
from backend.scheduling.rules import (
    HOLD,
    OCCUPYING,
    AppointmentState,
    BookingPolicies,
    BookingPolicy,
    Channel,
    Reserve,
    SlotState,
)
from backend.scheduling.verify import verify_slots
from tests.factories.clinic import MONDAY, make_clinic, open_schedules
from tests.factories.databases import SYSTEM

DEADLINE = 300.0
PATIENTS, PLACES = 500, 100
CHANNELS = (Channel.WECHAT, Channel.MINIPROGRAM, Channel.KIOSK, Channel.COUNTER)
WEEK_LATER = MONDAY.replace(day=30)


def all_at_once(acts: list[Callable[[], object]]) -> Counter[str]:
    """One thread an act, from one barrier; how often each outcome came. Anything unforeseen fails the test."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        barrier.wait(DEADLINE)
        try:
            act()
        except (AlreadyBooked, SlotGone, WrongAppointmentState) as refused:
            return refused.error_code
        return "ok"

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(
            future.result(DEADLINE) for future in [pool.submit(run, act) for act in acts]
        )


class Rush:
    """A session of a hundred places next Monday and five hundred patients."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clinic = make_clinic(
            database, practitioners=1, patients=PATIENTS, capacity=PLACES, slot_minutes=2
        )
        (self.schedule_id,) = open_schedules(database, self.clinic, WEEK_LATER)

    def claim(self, patient_id: Id, channel: Channel) -> Callable[[], Id]:
        def act() -> Id:
            with self.database.write(SYSTEM) as session:
                return service.hold_slot(
                    session, patient_id=patient_id, schedule_id=self.schedule_id, channel=channel
                ).id

        return act

    def claims(self, patient_ids: tuple[Id, ...]) -> list[Callable[[], object]]:
        return [
            self.claim(patient_id, channel)
            for patient_id, channel in zip(patient_ids, cycle(CHANNELS), strict=False)
        ]

    def count_sold(self) -> int:
        with self.database.read(SYSTEM) as session:
            statement = select(func.count()).where(Appointment.state.in_(OCCUPYING))
            return session.scalar(statement) or 0

    def assert_sound(self) -> None:
        with self.database.read(SYSTEM) as session:
            assert verify_slots(session).problems == []


def test_five_hundred_for_a_hundred_places(postgres_database: Database) -> None:
    rush = Rush(postgres_database)
    outcomes = all_at_once(rush.claims(rush.clinic.patient_ids))
    assert outcomes == {"ok": PLACES, "slot_gone": PATIENTS - PLACES}
    assert rush.count_sold() == PLACES
    rush.assert_sound()


def test_five_hundred_for_a_hundred_places_of_the_small_database(
    sqlite_database: Database,
) -> None:
    rush = Rush(sqlite_database)
    outcomes = all_at_once(rush.claims(rush.clinic.patient_ids))
    assert outcomes == {"ok": PLACES, "slot_gone": PATIENTS - PLACES}
    assert rush.count_sold() == PLACES
    rush.assert_sound()


def test_a_reserve_is_sold_to_its_channel_alone(postgres_database: Database) -> None:
    """Forty of the hundred are the kiosk's: a quarter of five hundred come by kiosk and get at least those."""
    policy = BookingPolicy(reserves=(Reserve(Channel.KIOSK, 40),))
    postgres_database.configuration = {BookingPolicies: BookingPolicies(policy)}
    rush = Rush(postgres_database)
    outcomes = all_at_once(rush.claims(rush.clinic.patient_ids))
    assert outcomes == {"ok": PLACES, "slot_gone": PATIENTS - PLACES}
    with postgres_database.read(SYSTEM) as session:
        reserved = session.execute(
            select(Appointment.channel, func.count())
            .join(Slot, Slot.id == Appointment.slot_id)
            .where(Slot.reserved_for.is_not(None))
            .group_by(Appointment.channel)
        ).all()
    assert [tuple(row) for row in reserved] == [(Channel.KIOSK, 40)]
    rush.assert_sound()


def test_holds_that_end_and_places_given_back_amid_the_rush(
    database: Database, clock: FixedClock
) -> None:
    """A hundred hold and fifty pay; the holds end; then claims, late payments, cancellations, sweeps at once."""
    rush = Rush(database)
    owners, newcomers = rush.clinic.patient_ids[:PLACES], rush.clinic.patient_ids[PLACES:300]
    held = [rush.claim(one, Channel.WECHAT)() for one in owners]
    paid, unpaid = held[:50], held[50:]

    def act(command: Callable[..., object], *arguments: object) -> Callable[[], object]:
        def run() -> None:
            with database.write(SYSTEM, housekeeping=True) as session:
                command(session, *arguments)

        return run

    for one in paid:
        act(service.confirm_appointment, one)()
    clock.advance(HOLD)
    acts: list[Callable[[], object]] = [
        *rush.claims(newcomers),
        *(act(service.cancel_appointment, one, "改期") for one in paid[:25]),
        *(act(service.confirm_appointment, one) for one in unpaid[:25]),
        *(act(service.release_hold, one) for one in unpaid[25:]),
        *(act(service.sweep_expired_holds) for _ in range(4)),
    ]
    all_at_once(acts)
    rush.assert_sound()
    sold = rush.count_sold()
    with database.read(SYSTEM) as session:
        states = Counter(session.scalars(select(Appointment.state)))
        slots = Counter(session.scalars(select(Slot.state)))
    assert slots[SlotState.HELD] + slots[SlotState.BOOKED] == sold <= PLACES
    assert states[AppointmentState.BOOKED] >= 25
    # Whoever still wants a place gets it: none leaked.
    for patient_id in rush.clinic.patient_ids[300 : 300 + PLACES - sold]:
        rush.claim(patient_id, Channel.KIOSK)()
    assert rush.count_sold() == PLACES
    with pytest.raises(SlotGone):
        rush.claim(rush.clinic.patient_ids[-1], Channel.KIOSK)()


@contextmanager
def without_locks(database: Database) -> Iterator[None]:
    """Claims as they would be without locks, each seeing the places before the others have taken theirs."""

    def cut(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> Any:
        return statement.replace(" FOR UPDATE OF scheduling_slot SKIP LOCKED", ""), parameters

    event.listen(database.engine, "before_cursor_execute", cut, retval=True)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", cut)


def test_control_without_locks_the_pool_is_oversold(postgres_database: Database) -> None:
    rush = Rush(postgres_database)
    with postgres_database.write(SYSTEM, housekeeping=True) as session:
        session.execute(text("DROP INDEX uq_scheduling_appointment_occupied_slot"))
        session.execute(
            text(
                "ALTER TABLE scheduling_slot_event"
                " DROP CONSTRAINT uq_scheduling_slot_event_slot_id_ordinal"
            )
        )
    with without_locks(postgres_database):
        outcomes = all_at_once(rush.claims(rush.clinic.patient_ids))
    assert outcomes["ok"] > PLACES
    assert rush.count_sold() > PLACES
    with postgres_database.read(SYSTEM) as session:
        assert any("sold twice" in problem for problem in verify_slots(session).problems)
