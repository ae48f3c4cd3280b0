"""Many at once on one pool: never more sold than there are places, never a place lost.

The negative control takes the locks and the last defences away and sees the same place sold twice.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, func, select, text

from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id
from backend.kernel.uow import Database, write_rest
from backend.scheduling import queries, service
from backend.scheduling.errors import AlreadyBooked, SlotGone
from backend.scheduling.models import Appointment, Slot
from backend.scheduling.rules import HOLD, OCCUPYING, AppointmentState, Channel, SlotState
from backend.scheduling.verify import verify_slots
from tests.concurrency.kernel.together import wait_until_somebody_waits
from tests.factories.clinic import make_clinic, open_schedules
from tests.factories.databases import SYSTEM

DEADLINE = 60.0


def at_once(*acts: Callable[[], object]) -> Counter[str]:
    """Run all acts together from one barrier; how often each outcome came."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        barrier.wait(DEADLINE)
        try:
            act()
        except (AlreadyBooked, SlotGone) as refused:
            return refused.error_code
        return "ok"

    with ThreadPoolExecutor(len(acts)) as pool:
        futures = [pool.submit(run, act) for act in acts]
        return Counter(future.result(DEADLINE) for future in futures)


def holder(database: Database, patient_id: Id, schedule_id: Id) -> Callable[[], Id]:
    def act() -> Id:
        with database.write(SYSTEM) as session:
            return service.hold_slot(
                session, patient_id=patient_id, schedule_id=schedule_id, channel=Channel.WECHAT
            ).id

    return act


def occupied(database: Database) -> int:
    with database.read(SYSTEM) as session:
        return (
            session.scalar(
                select(func.count())
                .select_from(Appointment)
                .where(Appointment.state.in_(OCCUPYING))
            )
            or 0
        )


def problems(database: Database) -> list[str]:
    with database.read(SYSTEM) as session:
        return verify_slots(session).problems


def test_a_hundred_patients_on_twenty_places(postgres_database: Database) -> None:
    database = postgres_database
    clinic = make_clinic(database, practitioners=1, patients=100, capacity=23, slot_minutes=10)
    (schedule_id,) = open_schedules(database, clinic)
    with database.read(SYSTEM) as session:
        # The clock stands at 08:30: the first three places, of the window 08:00, are over.
        free = queries.get_schedule(session, schedule_id).free_count
    assert free == 20
    outcomes = at_once(*(holder(database, one, schedule_id) for one in clinic.patient_ids))
    assert outcomes == {"ok": free, "slot_gone": 100 - free}
    assert occupied(database) == free
    assert problems(database) == []


def test_thirty_patients_on_five_places_of_the_small_database(sqlite_database: Database) -> None:
    database = sqlite_database
    clinic = make_clinic(database, practitioners=1, patients=30, capacity=6, slot_minutes=30)
    (schedule_id,) = open_schedules(database, clinic)
    outcomes = at_once(*(holder(database, one, schedule_id) for one in clinic.patient_ids))
    assert outcomes == {"ok": 5, "slot_gone": 25}
    assert problems(database) == []


def test_one_button_hit_ten_times(database: Database) -> None:
    clinic = make_clinic(database, practitioners=1, patients=1, capacity=6)
    (schedule_id,) = open_schedules(database, clinic)
    outcomes = at_once(*[holder(database, clinic.patient_ids[0], schedule_id)] * 10)
    assert outcomes == {"ok": 1, "already_booked": 9}
    assert occupied(database) == 1
    assert problems(database) == []


def test_holds_that_lapse_while_others_claim_pay_and_tidy(
    postgres_database: Database, clock: FixedClock
) -> None:
    """Every place has an owner whose hold ends now; owner, newcomers, timer and sweeper all act."""
    database = postgres_database
    clinic = make_clinic(database, practitioners=1, patients=24, capacity=8, slot_minutes=30)
    (schedule_id,) = open_schedules(database, clinic)
    owners, newcomers = clinic.patient_ids[:7], clinic.patient_ids[7:]
    held = [holder(database, one, schedule_id)() for one in owners]
    clock.advance(HOLD)

    def pay(appointment_id: Id) -> Callable[[], object]:
        def act() -> None:
            with database.write(SYSTEM) as session:
                service.confirm_appointment(session, appointment_id)

        return act

    def expire(appointment_id: Id) -> Callable[[], object]:
        def act() -> None:
            with database.write(SYSTEM, housekeeping=True) as session:
                service.expire_hold(session, appointment_id)

        return act

    def sweep() -> None:
        with database.write(SYSTEM, housekeeping=True) as session:
            service.sweep_expired_holds(session)

    outcomes = at_once(
        *(holder(database, one, schedule_id) for one in newcomers),
        *(pay(one) for one in held),
        *(expire(one) for one in held),
        sweep,
        sweep,
    )
    assert problems(database) == []
    with database.read(SYSTEM) as session:
        states = Counter(session.scalars(select(Appointment.state)))
        slots = Counter(session.scalars(select(Slot.state)))
    sold = states[AppointmentState.HELD] + states[AppointmentState.BOOKED]
    assert sold == 7
    assert slots[SlotState.HELD] + slots[SlotState.BOOKED] == sold
    assert states[AppointmentState.BOOKED] + states[AppointmentState.EXPIRED] == len(held)
    assert outcomes["slot_gone"] == len(newcomers) + len(held) - sold


@contextmanager
def without_row_locks(database: Database) -> Iterator[None]:
    """Claims as they would be without locks: the lock is cut out of every statement on its way out."""

    def cut(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> Any:
        return statement.replace(" FOR UPDATE OF scheduling_slot SKIP LOCKED", ""), parameters

    event.listen(database.engine, "before_cursor_execute", cut, retval=True)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", cut)


def overtaken(database: Database, patient_ids: Sequence[Id], schedule_id: Id) -> Counter[str]:
    """The second claims while the first has claimed and not yet committed."""
    first, second = patient_ids
    with ThreadPoolExecutor(1) as pool:
        with database.write(SYSTEM) as session:
            service.hold_slot(
                session, patient_id=first, schedule_id=schedule_id, channel=Channel.WECHAT
            )
            write_rest(session)
            other = pool.submit(at_once, holder(database, second, schedule_id))
            wait_until_somebody_waits(database)
        return other.result(DEADLINE) + Counter({"ok": 1})


def test_control_without_locks_and_constraints_a_place_is_sold_twice(
    postgres_database: Database,
) -> None:
    database = postgres_database
    clinic = make_clinic(database, practitioners=1, patients=2, capacity=6)
    (schedule_id,) = open_schedules(database, clinic)
    with database.write(SYSTEM, housekeeping=True) as session:
        session.execute(text("DROP INDEX uq_scheduling_appointment_occupied_slot"))
        session.execute(
            text(
                "ALTER TABLE scheduling_slot_event"
                " DROP CONSTRAINT uq_scheduling_slot_event_slot_id_ordinal"
            )
        )
    with without_row_locks(database):
        outcomes = overtaken(database, clinic.patient_ids, schedule_id)
    assert outcomes == {"ok": 2}
    assert any("sold twice" in problem for problem in problems(database))


def test_control_without_locks_the_constraint_still_sells_once(
    postgres_database: Database,
) -> None:
    database = postgres_database
    clinic = make_clinic(database, practitioners=1, patients=2, capacity=6)
    (schedule_id,) = open_schedules(database, clinic)
    with without_row_locks(database):
        outcomes = overtaken(database, clinic.patient_ids, schedule_id)
    assert outcomes["ok"] + outcomes["slot_gone"] == 2
    assert occupied(database) == outcomes["ok"]
    assert problems(database) == []
