"""Giving back, cancelling, checking in; closed days and foreign hospitals, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest

from backend.contracts.scheduling import (
    AppointmentCancelled,
)
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Actor, ActorKind
from backend.kernel.uow import Database
from backend.scheduling import queries, service
from backend.scheduling.errors import (
    AppointmentNotFound,
    BookingClosed,
    CancelTooLate,
    NotToday,
    ScheduleNotFound,
    ScheduleStopped,
    SlotGone,
    WrongAppointmentState,
)
from backend.scheduling.models import Schedule
from backend.scheduling.rules import AppointmentState, Channel, ScheduleStatus
from tests.factories.clinic import MONDAY, Clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.integration.scheduling.acts import assert_sound, confirm, events, hold, state


def test_giving_a_hold_back_frees_it_at_once(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    appointment = hold(database, clinic.patient_ids[0], schedule_id)
    for _ in range(2):
        with database.write(SYSTEM) as session:
            service.release_hold(session, appointment)
    assert state(database, appointment) is AppointmentState.CANCELLED
    assert events(database).count(AppointmentCancelled.NAME) == 1
    again = hold(database, clinic.patient_ids[1], schedule_id)
    confirm(database, again)
    with database.write(SYSTEM) as session, pytest.raises(WrongAppointmentState):
        service.release_hold(session, again)
    with pytest.raises(SlotGone):
        confirm(database, appointment)
    assert_sound(database)


def test_cancelling_frees_the_place_and_is_idempotent(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    appointment = hold(database, clinic.patient_ids[0], schedule_id)
    confirm(database, appointment)
    for _ in range(2):
        with database.write(SYSTEM) as session:
            service.cancel_appointment(session, appointment, "患者临时有事")
    assert state(database, appointment) is AppointmentState.CANCELLED
    hold(database, clinic.patient_ids[0], schedule_id)
    assert_sound(database)


def test_a_patient_is_bound_by_the_cut_off_and_staff_are_not(
    database: Database, clinic: Clinic, clock: FixedClock
) -> None:
    next_monday = MONDAY + dt.timedelta(days=7)
    schedule_id = open_schedules(database, clinic, next_monday)[0]
    appointment = hold(database, clinic.patient_ids[0], schedule_id)
    confirm(database, appointment)
    clock.advance(dt.timedelta(days=6, hours=9))  # Sunday 17:30
    with pytest.raises(CancelTooLate), database.write(clinic.kiosk) as session:
        service.cancel_appointment(session, appointment, "改期")
    with database.write(SYSTEM) as session:
        service.cancel_appointment(session, appointment, "窗口办理")
    assert_sound(database)


def test_checking_in_and_fulfilling(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    appointment = hold(database, clinic.patient_ids[0], schedule_id)
    with database.write(SYSTEM) as session, pytest.raises(WrongAppointmentState):
        service.mark_checked_in(session, appointment)
    confirm(database, appointment)
    for _ in range(2):
        with database.write(SYSTEM) as session:
            service.mark_checked_in(session, appointment)
    assert state(database, appointment) is AppointmentState.CHECKED_IN
    assert_sound(database)
    for _ in range(2):
        with database.write(SYSTEM) as session:
            service.mark_fulfilled(session, appointment)
    assert state(database, appointment) is AppointmentState.FULFILLED
    with database.write(SYSTEM) as session, pytest.raises(WrongAppointmentState):
        service.cancel_appointment(session, appointment, "x")
    assert_sound(database)


def test_checking_in_is_for_the_day_itself(
    database: Database, clinic: Clinic, clock: FixedClock
) -> None:
    schedule_id = open_schedules(database, clinic, MONDAY + dt.timedelta(days=7))[0]
    appointment = hold(database, clinic.patient_ids[0], schedule_id)
    confirm(database, appointment)
    with database.write(SYSTEM) as session, pytest.raises(NotToday):
        service.mark_checked_in(session, appointment)


def test_days_and_sessions_that_cannot_be_booked(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    with database.write(SYSTEM, housekeeping=True) as session:
        session.get_one(Schedule, schedule_id).status = ScheduleStatus.STOPPED
    with pytest.raises(ScheduleStopped):
        hold(database, clinic.patient_ids[0], schedule_id)
    clock.advance(dt.timedelta(days=1))
    with pytest.raises(BookingClosed):
        hold(database, clinic.patient_ids[0], schedule_id)
    with pytest.raises(ScheduleNotFound):
        hold(database, clinic.patient_ids[0], new_id())


def test_another_hospital_sees_nothing(database: Database, clinic: Clinic, schedule_id: Id) -> None:
    appointment = hold(database, clinic.patient_ids[0], schedule_id)
    stranger = Actor(ActorKind.STAFF, hospital_id=new_id(), label="other")
    with database.write(stranger) as session:
        with pytest.raises(ScheduleNotFound):
            service.hold_slot(
                session,
                patient_id=clinic.patient_ids[1],
                schedule_id=schedule_id,
                channel=Channel.COUNTER,
            )
        with pytest.raises(AppointmentNotFound):
            service.confirm_appointment(session, appointment)
        with pytest.raises(AppointmentNotFound):
            queries.get_appointment(session, appointment)
        with pytest.raises(ScheduleNotFound):
            queries.get_schedule(session, schedule_id)
        with pytest.raises(ScheduleNotFound):
            queries.list_slots(session, schedule_id)
        assert queries.list_appointments(session, patient_id=clinic.patient_ids[0]) == []
