"""Holding, paying in time or late, and losing a place, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.contracts.scheduling import (
    AppointmentBooked,
    AppointmentHeld,
    HoldExpired,
)
from backend.kernel.clock import FixedClock, local
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import Database
from backend.scheduling import queries, service, tasks
from backend.scheduling.errors import (
    AlreadyBooked,
    SlotGone,
)
from backend.scheduling.rules import HOLD, AppointmentState
from tests.factories.clinic import Clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.integration.scheduling.acts import assert_sound, confirm, events, fill, hold, state


def test_the_next_free_place_by_time_is_held(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    held = fill(database, clinic, schedule_id)
    with database.read(SYSTEM) as session:
        views = [queries.get_appointment(session, one) for one in held]
    # 08:30 on the clock: the window 08:00–08:30 has just ended.
    assert [local(view.starts_at).strftime("%H:%M") for view in views] == [
        "08:30",
        "09:00",
        "09:30",
    ]
    assert [view.number for view in views] == [2, 3, 4]
    assert views[0].hold_until == clock.now() + HOLD
    assert views[0].fee_fen == 2500
    assert views[0].practitioner_name == "医生0"
    assert AppointmentHeld.NAME in events(database)
    assert_sound(database)


def test_a_wanted_place_can_be_named(database: Database, clinic: Clinic, schedule_id: Id) -> None:
    with database.read(SYSTEM) as session:
        slots = queries.list_slots(session, schedule_id)
    appointment = hold(database, clinic.patient_ids[0], schedule_id, slots[2].slot_id)
    with database.read(SYSTEM) as session:
        assert queries.get_appointment(session, appointment).number == 3
    with pytest.raises(SlotGone):
        hold(database, clinic.patient_ids[1], schedule_id, slots[2].slot_id)
    with pytest.raises(SlotGone):
        hold(database, clinic.patient_ids[1], schedule_id, slots[0].slot_id)


def test_when_every_place_is_taken_the_answer_is_gone(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    clock.advance(dt.timedelta(hours=1))  # 09:30: one window left
    hold(database, clinic.patient_ids[0], schedule_id)
    with pytest.raises(SlotGone):
        hold(database, clinic.patient_ids[1], schedule_id)


def test_one_active_visit_per_practitioner_and_half_day(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    first = hold(database, clinic.patient_ids[0], schedule_id)
    with pytest.raises(AlreadyBooked) as refused:
        hold(database, clinic.patient_ids[0], schedule_id)
    assert refused.value.facts["appointment_id"] == str(first)
    other = open_schedules(database, clinic)[1]
    hold(database, clinic.patient_ids[0], other)


def test_a_lapsed_hold_is_free_to_the_next_at_that_instant(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    slow = hold(database, clinic.patient_ids[0], schedule_id)
    clock.advance(HOLD - dt.timedelta(seconds=1))
    other = hold(database, clinic.patient_ids[1], schedule_id)
    clock.advance(dt.timedelta(seconds=1))
    quick = hold(database, clinic.patient_ids[2], schedule_id)
    with database.read(SYSTEM) as session:
        numbers = [queries.get_appointment(session, one).number for one in (slow, other, quick)]
    assert numbers == [2, 3, 2]
    assert state(database, slow) is AppointmentState.EXPIRED
    assert HoldExpired.NAME in events(database)
    assert_sound(database)


def test_a_patient_whose_hold_lapsed_may_hold_again(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    first = hold(database, clinic.patient_ids[0], schedule_id)
    clock.advance(HOLD)
    second = hold(database, clinic.patient_ids[0], schedule_id)
    assert first != second
    assert state(database, first) is AppointmentState.EXPIRED
    assert state(database, second) is AppointmentState.HELD
    assert_sound(database)


def test_paying_books_and_repeating_it_changes_nothing(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    appointment = hold(database, clinic.patient_ids[0], schedule_id)
    confirm(database, appointment)
    before = events(database)
    confirm(database, appointment)
    assert state(database, appointment) is AppointmentState.BOOKED
    assert events(database) == before
    assert before.count(AppointmentBooked.NAME) == 1
    assert_sound(database)


def test_the_timer_ends_an_unpaid_hold_and_leaves_a_paid_one(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    unpaid, paid = fill(database, clinic, schedule_id)[:2]
    confirm(database, paid)
    dispatcher = Dispatcher(database)
    assert dispatcher.drain() == 0
    clock.advance(HOLD)
    assert dispatcher.drain() == 3
    assert state(database, unpaid) is AppointmentState.EXPIRED
    assert state(database, paid) is AppointmentState.BOOKED
    assert events(database).count(HoldExpired.NAME) == 2
    assert_sound(database)


def test_the_sweep_finds_what_the_timer_lost(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    held = fill(database, clinic, schedule_id)
    tasks.sweep_expired_holds(database)
    assert {state(database, one) for one in held} == {AppointmentState.HELD}
    clock.advance(HOLD)
    tasks.sweep_expired_holds(database)
    assert {state(database, one) for one in held} == {AppointmentState.EXPIRED}
    assert events(database).count(HoldExpired.NAME) == 3
    assert_sound(database)


def test_a_late_payment_keeps_a_place_nobody_claimed(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    untidied, tidied = fill(database, clinic, schedule_id)[:2]
    clock.advance(HOLD)
    confirm(database, untidied)
    tasks.sweep_expired_holds(database)
    confirm(database, tidied)
    assert state(database, untidied) is AppointmentState.BOOKED
    assert state(database, tidied) is AppointmentState.BOOKED
    assert_sound(database)


def test_a_late_payment_re_claims_only_what_nobody_holds_now(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    with database.read(SYSTEM) as session:
        last = queries.list_slots(session, schedule_id)[-1].slot_id
    first = hold(database, clinic.patient_ids[0], schedule_id, last)
    clock.advance(HOLD)
    second = hold(database, clinic.patient_ids[1], schedule_id, last)
    clock.advance(HOLD - dt.timedelta(seconds=1))
    with pytest.raises(SlotGone):
        confirm(database, first)
    assert state(database, second) is AppointmentState.HELD
    clock.advance(dt.timedelta(seconds=1))
    confirm(database, first)
    assert state(database, first) is AppointmentState.BOOKED
    assert state(database, second) is AppointmentState.EXPIRED
    with pytest.raises(SlotGone):
        confirm(database, second)
    assert_sound(database)


def test_after_gone_the_session_is_still_good_for_the_refund(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    slow = hold(database, clinic.patient_ids[0], schedule_id)
    clock.advance(HOLD)
    hold(database, clinic.patient_ids[1], schedule_id)
    with database.write(SYSTEM) as session:
        with pytest.raises(SlotGone):
            service.confirm_appointment(session, slow)
        service.attach_invoice(session, slow, new_id())
    with database.read(SYSTEM) as session:
        assert queries.get_appointment(session, slow).invoice_id is not None


def test_a_late_payment_for_a_patient_who_booked_again_is_refunded(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    first = hold(database, clinic.patient_ids[0], schedule_id)
    clock.advance(HOLD)
    tasks.sweep_expired_holds(database)
    again = hold(database, clinic.patient_ids[0], schedule_id)
    with pytest.raises(SlotGone):
        confirm(database, first)
    confirm(database, again)
    assert_sound(database)


def test_a_payment_after_the_window_ended_does_not_book_the_past(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    appointment = hold(database, clinic.patient_ids[0], schedule_id)
    clock.advance(dt.timedelta(hours=1))
    with pytest.raises(SlotGone):
        confirm(database, appointment)


def test_a_payment_in_time_books_though_the_window_just_ended(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    clock.advance(dt.timedelta(minutes=29))
    appointment = hold(database, clinic.patient_ids[0], schedule_id)
    clock.advance(dt.timedelta(minutes=5))
    confirm(database, appointment)
    assert state(database, appointment) is AppointmentState.BOOKED
