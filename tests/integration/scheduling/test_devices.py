"""Devices in the one scheduling engine: their sessions, exact places, and several places of one patient."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.kernel.uow import Database
from backend.scheduling import queries, service
from backend.scheduling.errors import TemplateInvalid
from backend.scheduling.rules import AppointmentState, Modality, SlotState
from backend.scheduling.verify import verify_slots
from tests.factories.clinic import MONDAY, Clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.factories.imaging import add_device, open_days
from tests.integration.scheduling.acts import confirm, hold, state


@pytest.fixture
def device_schedule(database: Database, clinic: Clinic) -> queries.ScheduleView:
    add_device(database, clinic, Modality.CT)
    open_days(database, clinic, MONDAY, MONDAY)
    open_days(database, clinic, MONDAY, MONDAY)  # a second time makes nothing twice
    with database.read(SYSTEM) as session:
        views = queries.list_schedules(
            session, hospital_id=clinic.hospital_id, first=MONDAY, last=MONDAY
        )
    (found,) = [view for view in views if view.device_id is not None]
    return found


def test_a_devices_places_last_exactly_as_long_as_their_slot(
    database: Database, device_schedule: queries.ScheduleView
) -> None:
    with database.read(SYSTEM) as session:
        slots = queries.list_slots(session, device_schedule.schedule_id)
    assert len(slots) == 8
    assert {slot.ends_at - slot.starts_at for slot in slots} == {dt.timedelta(minutes=15)}
    assert all(a.ends_at == b.starts_at for a, b in itertools.pairwise(slots))
    assert device_schedule.practitioner_name == "ct 1"
    assert device_schedule.practitioner_id is None


def test_one_patient_takes_two_places_of_a_device_and_the_slots_verify(
    database: Database, clinic: Clinic, device_schedule: queries.ScheduleView
) -> None:
    patient = clinic.patient_ids[0]
    first = hold(database, patient, device_schedule.schedule_id)
    second = hold(database, patient, device_schedule.schedule_id)
    confirm(database, first)
    confirm(database, second)
    assert state(database, second) is AppointmentState.BOOKED
    with database.read(SYSTEM) as session:
        slots = queries.list_slots(session, device_schedule.schedule_id)
        assert [slot.state for slot in slots].count(SlotState.BOOKED) == 2
        assert verify_slots(session).problems == []


def test_places_on_devices_are_no_visits_and_are_not_offered_as_such(
    database: Database, clinic: Clinic, device_schedule: queries.ScheduleView
) -> None:
    hold(database, clinic.patient_ids[0], device_schedule.schedule_id)
    with database.read(SYSTEM) as session:
        assert queries.list_appointments(session, patient_id=clinic.patient_ids[0]) == []
        offered = queries.list_bookable(session, hospital_id=clinic.hospital_id, day=MONDAY)
    assert len(offered) == 2
    assert all(view.device_id is None for view in offered)


def test_a_session_is_exactly_ones(database: Database, clinic: Clinic) -> None:
    with pytest.raises(TemplateInvalid):
        add_device(database, clinic, Modality.MR, slot_minutes=45)
    open_days(database, clinic, MONDAY, MONDAY)
    with pytest.raises(DBAPIError), database.write(SYSTEM) as session:
        session.execute(text("UPDATE scheduling_schedule SET practitioner_id = NULL"))


def test_an_examination_of_the_past_is_no_missed_visit(
    database: Database, clinic: Clinic, device_schedule: queries.ScheduleView
) -> None:
    place = hold(database, clinic.patient_ids[0], device_schedule.schedule_id)
    confirm(database, place)
    visit = hold(database, clinic.patient_ids[0], open_schedules(database, clinic)[0])
    confirm(database, visit)
    database.clock.advance(dt.timedelta(days=1))  # type: ignore[attr-defined]
    with database.write(SYSTEM) as session:
        assert service.mark_missed(session) == 1
    assert state(database, place) is AppointmentState.BOOKED
    assert state(database, visit) is AppointmentState.NO_SHOW
