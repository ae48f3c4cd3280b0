"""Policies at work on both databases: hold minutes, reserves, missed visits and suspension, any doctor."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select

from backend.contracts.scheduling import AppointmentMissed
from backend.kernel.clock import FixedClock, at_local
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.scheduling import queries, service, tasks
from backend.scheduling.errors import (
    AlreadyBooked,
    BookingClosed,
    BookingSuspended,
    SlotGone,
    TooManyVisits,
)
from backend.scheduling.models import Appointment, Slot
from backend.scheduling.rules import (
    AppointmentState,
    BookingPolicies,
    BookingPolicy,
    Channel,
    PolicyFor,
    Reserve,
    VisitType,
)
from tests.factories.clinic import MONDAY, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.integration.scheduling.acts import assert_sound, confirm, events, hold, state

DAY = dt.timedelta(days=1)


def use(database: Database, policies: BookingPolicies) -> None:
    database.configuration = {BookingPolicies: policies}


def claim(database: Database, patient_id: Id, schedule_id: Id, channel: Channel) -> Appointment:
    with database.write(SYSTEM) as session:
        return service.hold_slot(
            session, patient_id=patient_id, schedule_id=schedule_id, channel=channel
        )


def any_doctor(database: Database, clinic: Clinic, patient_id: Id, **wanted: object) -> Appointment:
    with database.write(SYSTEM) as session:
        return service.hold_any(
            session,
            patient_id=patient_id,
            department_id=clinic.department_id,
            day=MONDAY,
            channel=Channel.WECHAT,
            **wanted,  # type: ignore[arg-type]
        )


def test_hold_minutes_are_the_policys(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    short = BookingPolicy(hold=dt.timedelta(minutes=5))
    use(database, BookingPolicies(exceptions=(PolicyFor(short, hospital="H1", department="D1"),)))
    held = claim(database, clinic.patient_ids[0], schedule_id, Channel.KIOSK)
    assert held.hold_until == clock.now() + dt.timedelta(minutes=5)
    clock.advance(dt.timedelta(minutes=5))
    tasks.sweep_expired_holds(database)
    assert state(database, held.id) is AppointmentState.EXPIRED


def test_reserved_places_are_the_channels_until_their_release(
    database: Database, clock: FixedClock
) -> None:
    """Of four places two are the kiosk's until 18:00 the day before."""
    use(database, BookingPolicies(BookingPolicy(reserves=(Reserve(Channel.KIOSK, 50),))))
    clinic = make_clinic(database, practitioners=1, patients=4)
    monday = MONDAY + 7 * DAY
    (schedule_id,) = open_schedules(database, clinic, monday)
    one, two, three, four = clinic.patient_ids
    open_places = [claim(database, each, schedule_id, Channel.WECHAT).number for each in (one, two)]
    assert open_places == [1, 3]
    with pytest.raises(SlotGone):
        claim(database, three, schedule_id, Channel.WECHAT)
    assert claim(database, three, schedule_id, Channel.KIOSK).number == 2
    clock.set(at_local(monday - DAY, dt.time(18)) - dt.timedelta(microseconds=1))
    with pytest.raises(SlotGone), database.write(SYSTEM) as session:
        taken = queries.list_slots(session, schedule_id)[3].slot_id
        service.hold_slot(
            session, patient_id=four, schedule_id=schedule_id, channel="wechat", slot_id=taken
        )
    clock.set(at_local(monday - DAY, dt.time(18)))
    with database.write(SYSTEM) as session:
        held = service.hold_slot(
            session, patient_id=four, schedule_id=schedule_id, channel="wechat", slot_id=taken
        )
    assert held.number == 4


def test_what_is_reserved_for_others_is_not_shown_as_free(database: Database) -> None:
    use(database, BookingPolicies(BookingPolicy(reserves=(Reserve(Channel.KIOSK, 50),))))
    clinic = make_clinic(database, practitioners=1)
    monday = MONDAY + 7 * DAY
    open_schedules(database, clinic, monday)
    with database.read(SYSTEM) as session:
        counts = [
            queries.list_bookable(
                session, hospital_id=clinic.hospital_id, day=monday, channel=channel
            )[0].free_count
            for channel in (Channel.KIOSK, Channel.WECHAT, None)
        ]
    assert counts == [4, 2, 4]


def test_a_lapsed_place_reserved_for_others_stays_theirs(
    database: Database, clock: FixedClock
) -> None:
    use(database, BookingPolicies(BookingPolicy(reserves=(Reserve(Channel.KIOSK, 100),))))
    clinic = make_clinic(database, practitioners=1, patients=2, capacity=1)
    (schedule_id,) = open_schedules(database, clinic, MONDAY + 7 * DAY)
    slow, quick = clinic.patient_ids
    claim(database, slow, schedule_id, Channel.KIOSK)
    clock.advance(dt.timedelta(minutes=15))
    with pytest.raises(SlotGone):
        claim(database, quick, schedule_id, Channel.WECHAT)
    assert claim(database, quick, schedule_id, Channel.KIOSK).number == 1


def test_a_day_limit_holds_for_self_service(database: Database) -> None:
    use(database, BookingPolicies(BookingPolicy(visits_a_day=1)))
    clinic = make_clinic(database, practitioners=2)
    first, second = open_schedules(database, clinic)
    claim(database, clinic.patient_ids[0], first, Channel.WECHAT)
    with pytest.raises(TooManyVisits):
        claim(database, clinic.patient_ids[0], second, Channel.WECHAT)
    claim(database, clinic.patient_ids[0], second, Channel.COUNTER)


def test_missed_visits_are_marked_once_the_day_is_over(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    paid = hold(database, clinic.patient_ids[0], schedule_id)
    confirm(database, paid)
    clock.set(at_local(MONDAY, dt.time(23, 59, 59)))
    tasks.mark_missed(database)
    assert state(database, paid) is AppointmentState.BOOKED
    clock.advance(dt.timedelta(seconds=1))
    tasks.mark_missed(database)
    tasks.mark_missed(database)
    assert state(database, paid) is AppointmentState.NO_SHOW
    assert events(database).count(AppointmentMissed.NAME) == 1
    assert_sound(database)


def test_three_missed_visits_suspend_self_service_and_not_the_desk(
    database: Database, clock: FixedClock
) -> None:
    clinic = make_clinic(database, practitioners=1, patients=1)
    (patient_id,) = clinic.patient_ids
    for week in range(3):
        monday = MONDAY + 7 * week * DAY
        clock.set(at_local(monday, dt.time(8, 30)))
        (schedule_id,) = open_schedules(database, clinic, monday)
        confirm(database, claim(database, patient_id, schedule_id, Channel.WECHAT).id)
        clock.advance(DAY)
        tasks.mark_missed(database)
    (schedule_id,) = open_schedules(database, clinic, MONDAY + 21 * DAY)
    with pytest.raises(BookingSuspended) as refused:
        claim(database, patient_id, schedule_id, Channel.WECHAT)
    assert refused.value.facts["until"] == (MONDAY + 14 * DAY + 90 * DAY).isoformat()
    assert claim(database, patient_id, schedule_id, Channel.COUNTER).number == 1


def test_any_doctor_is_the_earliest_then_the_least_loaded(
    database: Database, clock: FixedClock
) -> None:
    clinic = make_clinic(database, practitioners=3, patients=8)
    sessions = open_schedules(database, clinic)
    claim(database, clinic.patient_ids[0], sessions[1], Channel.WECHAT)
    claim(database, clinic.patient_ids[1], sessions[0], Channel.WECHAT)
    # At 08:30 the third doctor alone has the window 08:30; afterwards all are even.
    first = any_doctor(database, clinic, clinic.patient_ids[2])
    assert first.schedule_id == sessions[2]
    claim(database, clinic.patient_ids[3], sessions[0], Channel.WECHAT)
    least = any_doctor(database, clinic, clinic.patient_ids[4])
    assert least.schedule_id in sessions[1:]
    assert least.starts_at == at_local(MONDAY, dt.time(9))
    other = any_doctor(database, clinic, clinic.patient_ids[5])
    assert {least.schedule_id, other.schedule_id} == set(sessions[1:])


def test_any_doctor_passes_over_the_one_already_booked(database: Database) -> None:
    clinic = make_clinic(database, practitioners=2, patients=1)
    sessions = open_schedules(database, clinic)
    (patient_id,) = clinic.patient_ids
    held = {any_doctor(database, clinic, patient_id).schedule_id for _ in range(2)}
    assert held == set(sessions)
    with pytest.raises(AlreadyBooked):
        any_doctor(database, clinic, patient_id)


def test_any_doctor_of_a_kind_nobody_sits_in_is_gone(database: Database) -> None:
    clinic = make_clinic(database)
    open_schedules(database, clinic)
    with pytest.raises(SlotGone):
        any_doctor(database, clinic, clinic.patient_ids[0], visit_type=VisitType.GENERAL)


def test_any_doctor_takes_a_lapsed_place_when_no_free_one_is_left(
    database: Database, clock: FixedClock
) -> None:
    clinic = make_clinic(database, practitioners=1, patients=5)
    open_schedules(database, clinic)
    slow = [any_doctor(database, clinic, one).id for one in clinic.patient_ids[:3]]
    with pytest.raises(SlotGone):
        any_doctor(database, clinic, clinic.patient_ids[3])
    clock.advance(dt.timedelta(minutes=15))
    assert any_doctor(database, clinic, clinic.patient_ids[3]).number == 2
    assert state(database, slow[0]) is AppointmentState.EXPIRED


def test_booking_opens_at_seven_sharp(database: Database, clock: FixedClock) -> None:
    clinic = make_clinic(database, practitioners=1)
    day = MONDAY + 14 * DAY
    (schedule_id,) = open_schedules(database, clinic, day)
    clock.set(at_local(MONDAY, dt.time(7)) - dt.timedelta(microseconds=1))
    with pytest.raises(BookingClosed):
        claim(database, clinic.patient_ids[0], schedule_id, Channel.WECHAT)
    clock.set(at_local(MONDAY, dt.time(7)))
    assert claim(database, clinic.patient_ids[0], schedule_id, Channel.WECHAT).number == 1


def test_a_clock_that_jumps_back_frees_and_sells_nothing_twice(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    clock.advance(dt.timedelta(minutes=20))
    first = hold(database, clinic.patient_ids[0], schedule_id)
    clock.advance(dt.timedelta(minutes=-20))
    second = hold(database, clinic.patient_ids[1], schedule_id)
    tasks.sweep_expired_holds(database)
    assert {state(database, one) for one in (first, second)} == {AppointmentState.HELD}
    clock.advance(dt.timedelta(hours=1))
    tasks.sweep_expired_holds(database)
    assert {state(database, one) for one in (first, second)} == {AppointmentState.EXPIRED}
    assert_sound(database)


def test_the_object_a_hold_returns_is_the_row(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    with database.write(SYSTEM) as session:
        held = service.hold_slot(
            session, patient_id=clinic.patient_ids[0], schedule_id=schedule_id, channel="kiosk"
        )
        given = {column.key: getattr(held, column.key) for column in Appointment.__table__.columns}
        session.expire(held)
        stored = {column.key: getattr(held, column.key) for column in Appointment.__table__.columns}
        slot = session.scalars(select(Slot).where(Slot.id == held.slot_id)).one()
        assert (slot.appointment_id, slot.life) == (held.id, 2)
    assert given == stored


def test_policies_are_plain_frozen_values() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        BookingPolicy().booking_days = 3  # type: ignore[misc]
