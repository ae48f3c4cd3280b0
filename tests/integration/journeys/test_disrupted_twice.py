"""A visit that is disrupted more than once: each time somebody is told, and nothing before it is in the way."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from backend.journeys import disruptions
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from backend.organization import service as organization
from backend.scheduling import service as scheduling
from backend.scheduling.errors import SubstituteBusy
from backend.scheduling.models import Disruption, Schedule
from backend.scheduling.rules import AppointmentState, ScheduleStatus, StopScope
from backend.scheduling.verify import verify_slots
from tests.factories.databases import SYSTEM
from tests.factories.stops import NEXT, House, make_house
from tests.factories.visits import subscribe


@pytest.fixture
def subscriptions() -> Subscriptions:
    return subscribe(Subscriptions())


@pytest.fixture
def house(database: Database) -> House:
    return make_house(database)


@pytest.fixture
def paid(house: House) -> Id:
    """A paid visit in the first practitioner's session of next Monday."""
    return house.pay(house.book(0, house.sessions[0, 1]))


def add_practitioner(house: House, code: str) -> Id:
    with house.database.write(SYSTEM) as session:
        return organization.add_practitioner(
            session,
            hospital_id=house.clinic.hospital_id,
            code=code,
            name="欧阳代诊",
            sex=1,
            title="主任医师",
            department_id=house.clinic.department_id,
        ).id


def substitute(house: House, code: str) -> Id:
    person = add_practitioner(house, code)
    hand_over(house, person)
    house.deliver()
    return person


def hand_over(house: House, person: Id) -> None:
    with house.database.write(SYSTEM) as session:
        scheduling.substitute(
            session, schedule_id=house.sessions[0, 1], practitioner_id=person, reason="原医生外出"
        )


def states(house: House, appointment_id: Id) -> list[str]:
    """What became of each of the visit's disruptions, the oldest first."""
    with house.database.read(SYSTEM) as session:
        rows = session.scalars(
            select(Disruption)
            .where(Disruption.appointment_id == appointment_id)
            .order_by(Disruption.id)
        )
        return [row.state.value for row in rows]


def is_forgotten(house: House, appointment_id: Id) -> bool:
    with house.database.read(SYSTEM) as session:
        problems = verify_slots(session).problems
    return any("forgotten" in one and str(appointment_id) in one for one in problems)


def stop_department(house: House) -> Id:
    return house.stop(None, NEXT)


def test_a_session_stopped_after_a_substitute_took_it_looks_after_everybody(
    house: House, paid: Id
) -> None:
    substitute(house, "P8")
    stop_department(house)
    house.deliver()
    assert states(house, paid) == ["kept", "offered"]
    house.assert_sound()


def test_a_second_substitute_is_told_of_too(house: House, paid: Id, clock: FixedClock) -> None:
    substitute(house, "P8")
    clock.advance(dt.timedelta(hours=1))
    second = substitute(house, "P9")
    assert states(house, paid) == ["kept", "told"]
    assert house.visit(paid).practitioner_id == second
    house.assert_sound()


def test_who_was_content_with_the_substitute_is_not_forgotten_when_the_session_is_stopped(
    house: House, paid: Id
) -> None:
    substitute(house, "P8")
    with house.database.write(SYSTEM) as session:
        disruptions.keep(session, disruption_id=house.notice(paid).id)
    with house.database.write(SYSTEM, housekeeping=True) as session:
        session.get_one(Schedule, house.sessions[0, 1]).status = ScheduleStatus.STOPPED
    assert is_forgotten(house, paid)


def test_the_sweep_finds_who_was_only_told_of_a_substitute(
    house: House, paid: Id, monkeypatch: pytest.MonkeyPatch
) -> None:
    substitute(house, "P8")
    with monkeypatch.context() as patch:
        patch.setattr("backend.scheduling.services.disruptions.open_all", lambda *_, **__: None)
        stop_department(house)
    assert is_forgotten(house, paid)
    with house.database.write(SYSTEM) as session:
        assert scheduling.find_forgotten(session) == 1
    house.deliver()
    assert states(house, paid) == ["kept", "offered"]
    house.assert_sound()


def test_a_session_resumed_under_another_notice_stays_stopped(house: House, paid: Id) -> None:
    """The doctor's journey is off, but the department is closed that day all the same."""
    own = house.stop(0, NEXT)
    house.deliver()
    department = stop_department(house)
    with house.database.write(SYSTEM) as session:
        assert scheduling.resume_sessions(session, own) == 0
    with house.database.read(SYSTEM) as session:
        schedule = session.get_one(Schedule, house.sessions[0, 1])
        assert schedule.status is ScheduleStatus.STOPPED
    assert states(house, paid) == ["offered"]
    house.assert_sound()
    with house.database.write(SYSTEM) as session:
        assert scheduling.resume_sessions(session, department) == 2
    assert states(house, paid) == ["kept"]
    assert house.visit(paid).state is AppointmentState.BOOKED
    house.assert_sound()


def test_a_session_let_take_place_by_its_own_notice_is_not_stopped_by_it_again(
    house: House, paid: Id
) -> None:
    """The department's notice let this one session go: lifting the doctor's, which held it, opens it."""
    department = stop_department(house)
    with house.database.write(SYSTEM) as session:
        scheduling.resume_sessions(session, department, [house.sessions[0, 1]])
    own = house.stop(0, NEXT)
    with house.database.write(SYSTEM) as session:
        assert scheduling.resume_sessions(session, own) == 1
    house.deliver()
    assert states(house, paid) == ["kept", "kept"]
    house.assert_sound()


def test_who_is_away_that_half_day_cannot_substitute(house: House) -> None:
    person = add_practitioner(house, "P8")
    with house.database.write(SYSTEM) as session:
        leave = scheduling.stop_sessions(
            session,
            hospital_id=house.clinic.hospital_id,
            scope=StopScope(NEXT, NEXT, practitioner_id=person),
            reason="休假",
        ).id
    with pytest.raises(SubstituteBusy):
        hand_over(house, person)
    with house.database.write(SYSTEM) as session:
        scheduling.resume_sessions(session, leave)
    hand_over(house, person)
