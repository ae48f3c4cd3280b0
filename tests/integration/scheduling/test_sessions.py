"""Special sessions, substitutes, added numbers and stops, seen from the pool; on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.clock import FixedClock, HalfDay
from backend.kernel.errors import Forbidden, InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Actor, ActorKind, Permission
from backend.kernel.uow import Database
from backend.scheduling import queries, service
from backend.scheduling.errors import (
    AddedFull,
    AddedReasonMissing,
    AlreadyBooked,
    NotEquivalent,
    NotYourSession,
    ScheduleNotFound,
    ScheduleOver,
    ScheduleStopped,
    SessionExists,
    SlotGone,
    StopChanged,
    StopOver,
    StopUnknown,
    SubstituteBusy,
    SubstituteTooLate,
    TemplateInvalid,
)
from backend.scheduling.models import Slot
from backend.scheduling.rules import AppointmentState, ScheduleStatus, SlotState, StopScope
from backend.scheduling.verify import verify_slots
from backend.scheduling.views import SlotView
from tests.factories.clinic import FEE_FEN, MONDAY, Clinic, add_patient, make_clinic
from tests.factories.databases import SYSTEM
from tests.integration.scheduling.acts import confirm, hold, state

MANAGE, ADD = Permission.SCHEDULING_SCHEDULE_MANAGE, Permission.SCHEDULING_SLOT_ADD
NEXT = MONDAY + dt.timedelta(days=7)


def staff(clinic: Clinic, *grants: Permission, practitioner_id: Id | None = None) -> Actor:
    return Actor(
        ActorKind.STAFF,
        hospital_id=clinic.hospital_id,
        label="D001",
        grants=dict.fromkeys(grants),
        practitioner_id=practitioner_id,
    )


def add(
    database: Database,
    schedule_id: Id,
    patient_id: Id,
    reason: str = "外地复诊",
    who: Actor = SYSTEM,
) -> Id:
    with database.write(who) as session:
        return service.add_number(
            session,
            schedule_id=schedule_id,
            patient_id=patient_id,
            reason=reason,
            channel="in_clinic",
        ).id


def special(database: Database, clinic: Clinic, day: dt.date, half: HalfDay, **other: object) -> Id:
    values: dict[str, object] = {
        "hospital_id": clinic.hospital_id,
        "practitioner_id": clinic.practitioner_ids[0],
        "department_id": clinic.department_id,
        "location_id": clinic.room_id,
        "visit_type": "chief",
        "price_item_code": "REG-CHIEF",
        "fee_fen": FEE_FEN,
        "capacity": 4,
        "slot_minutes": 30,
        "reason": "加开门诊",
    }
    with database.write(SYSTEM) as session:
        return service.add_special_session(
            session,
            day=day,
            half_day=half,
            **(values | other),  # type: ignore[arg-type]
        )


def stop(database: Database, clinic: Clinic, first: dt.date, last: dt.date, **other: object) -> Id:
    scope = StopScope(first, last, practitioner_id=clinic.practitioner_ids[0])
    with database.write(SYSTEM) as session:
        return service.stop_sessions(
            session,
            hospital_id=clinic.hospital_id,
            scope=scope,
            reason="进修",
            **other,  # type: ignore[arg-type]
        ).id


def sound(database: Database) -> bool:
    with database.read(SYSTEM) as session:
        report = verify_slots(session)
    assert report.problems == []
    return True


def slots(database: Database, schedule_id: Id) -> list[SlotState]:
    with database.read(SYSTEM) as session:
        return [
            slot.state
            for slot in session.scalars(
                select(Slot).where(Slot.schedule_id == schedule_id).order_by(Slot.number)
            )
        ]


def test_an_added_number_is_one_patients_and_nobody_elses(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    for patient_id in clinic.patient_ids:
        hold(database, patient_id, schedule_id)
    with database.write(SYSTEM) as session:
        fourth = make_patient(session, clinic, 50)
        fifth = make_patient(session, clinic, 51)
    added = add(database, schedule_id, fourth)
    assert state(database, added) is AppointmentState.HELD
    assert sound(database)
    # A quarter of an hour later the others' holds are free again; the added number is not.
    clock.advance(dt.timedelta(minutes=16))
    with database.write(SYSTEM) as session:
        service.sweep_expired_holds(session)
    assert state(database, added) is AppointmentState.HELD
    with database.write(SYSTEM) as session:
        service.release_hold(session, added)
    assert slots(database, schedule_id)[-1] is SlotState.CLOSED
    number = {slot.number for slot in taken_places(database, schedule_id, fifth)}
    assert 5 not in number
    assert sound(database)


def make_patient(session: Session, clinic: Clinic, number: int) -> Id:
    row = add_patient(session, clinic.hospital_id, number)
    audit.record(session, "test.patient", entity="patient", entity_id=row.id)
    session.flush()
    return row.id


def taken_places(database: Database, schedule_id: Id, patient_id: Id) -> list[SlotView]:
    hold(database, patient_id, schedule_id)
    with database.read(SYSTEM) as session:
        places = queries.list_slots(session, schedule_id)
    return [slot for slot in places if slot.appointment_state is not None]


def test_an_added_number_unpaid_to_the_end_is_closed_not_sold(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    added = add(database, schedule_id, clinic.patient_ids[0])
    clock.advance(dt.timedelta(hours=4))
    with database.write(SYSTEM) as session:
        service.sweep_expired_holds(session)
    assert state(database, added) is AppointmentState.EXPIRED
    assert slots(database, schedule_id)[-1] is SlotState.CLOSED
    assert sound(database)


def test_a_paid_added_number_is_a_visit_like_any_other(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    added = add(database, schedule_id, clinic.patient_ids[0])
    confirm(database, added)
    assert state(database, added) is AppointmentState.BOOKED
    with database.read(SYSTEM) as session:
        visit = queries.get_appointment(session, added)
        report = verify_slots(session)
    assert visit.number == 5
    assert report.problems == []
    with database.write(SYSTEM) as session:
        service.cancel_appointment(session, added, "患者要求")
    assert sound(database)


def test_who_may_add_and_where(database: Database, clinic: Clinic, schedule_id: Id) -> None:
    mine = staff(clinic, ADD, practitioner_id=clinic.practitioner_ids[0])
    colleague = staff(clinic, ADD, practitioner_id=clinic.practitioner_ids[1])
    with pytest.raises(NotYourSession):
        add(database, schedule_id, clinic.patient_ids[0], who=colleague)
    with pytest.raises(Forbidden):
        add(database, schedule_id, clinic.patient_ids[0], who=staff(clinic, MANAGE))
    add(database, schedule_id, clinic.patient_ids[0], who=mine)
    add(database, schedule_id, clinic.patient_ids[1], who=staff(clinic, ADD, MANAGE))
    with pytest.raises(AlreadyBooked):
        add(database, schedule_id, clinic.patient_ids[0], who=mine)
    with pytest.raises(AddedReasonMissing):
        add(database, schedule_id, clinic.patient_ids[2], reason=" ")
    with pytest.raises(ScheduleNotFound):
        add(database, new_id(), clinic.patient_ids[2])
    other = make_clinic(database, code="H2", patients=0)
    with pytest.raises(ScheduleNotFound):
        add(database, schedule_id, clinic.patient_ids[2], who=staff(other, ADD, MANAGE))
    assert sound(database)


def test_there_is_an_end_to_adding(database: Database, clinic: Clinic, schedule_id: Id) -> None:
    with database.write(SYSTEM) as session:
        patients = [make_patient(session, clinic, 60 + n) for n in range(11)]
    for patient_id in patients[:10]:
        add(database, schedule_id, patient_id)
    with pytest.raises(AddedFull):
        add(database, schedule_id, patients[10])
    assert sound(database)


def test_a_special_session_stands_beside_the_template(database: Database, clinic: Clinic) -> None:
    saturday = MONDAY + dt.timedelta(days=5)
    made = special(database, clinic, saturday, HalfDay.PM)
    hold(database, clinic.patient_ids[0], made)
    with pytest.raises(SessionExists):
        special(database, clinic, saturday, HalfDay.PM)
    with pytest.raises(ScheduleOver):
        special(database, clinic, MONDAY - dt.timedelta(days=1), HalfDay.AM)
    with pytest.raises(TemplateInvalid):
        special(database, clinic, saturday, HalfDay.AM, capacity=40)
    assert sound(database)


def test_a_substitute_must_be_free_and_nobody_may_have_checked_in(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    def give(practitioner_id: Id, reason: str = "外出") -> None:
        with database.write(SYSTEM) as session:
            service.substitute(
                session, schedule_id=schedule_id, practitioner_id=practitioner_id, reason=reason
            )

    with pytest.raises(SubstituteBusy):
        give(clinic.practitioner_ids[1])  # sits in a session of her own
    with pytest.raises(SubstituteBusy):
        give(clinic.practitioner_ids[0])  # is the one who is away
    other = make_clinic(database, code="H2", patients=0)
    with pytest.raises(InvalidInput):
        give(other.practitioner_ids[0], reason="")
    visit = hold(database, clinic.patient_ids[0], schedule_id)
    confirm(database, visit)
    with database.write(SYSTEM) as session:
        service.mark_checked_in(session, visit)
    with pytest.raises(SubstituteTooLate):
        give(other.practitioner_ids[0])


def test_a_stop_closes_what_is_free_and_generates_nothing_until_it_is_lifted(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    later = NEXT + dt.timedelta(days=7)
    stop_id = stop(database, clinic, MONDAY, later)
    assert set(slots(database, schedule_id)) == {SlotState.CLOSED}
    with database.read(SYSTEM) as session:
        view = queries.get_schedule(session, schedule_id)
    assert (view.status, view.free_count) == (ScheduleStatus.STOPPED, 0)
    with database.write(SYSTEM) as session:
        made = service.generate_schedules(
            session, hospital_id=clinic.hospital_id, first=MONDAY, last=later
        )
    assert made == 2  # the colleague's two Mondays; nothing of who is away
    assert sound(database)
    with database.write(SYSTEM) as session:
        assert service.resume_sessions(session, stop_id) == 1
    with database.write(SYSTEM) as session:
        made = service.generate_schedules(
            session, hospital_id=clinic.hospital_id, first=MONDAY, last=later
        )
    assert made == 2
    assert slots(database, schedule_id) == [SlotState.FREE] * 4
    assert sound(database)
    with database.write(SYSTEM) as session, pytest.raises(StopOver):
        service.resume_sessions(session, stop_id)
    with database.write(SYSTEM) as session, pytest.raises(StopUnknown):
        service.resume_sessions(session, new_id())


def test_one_session_of_a_notice_may_be_resumed_alone(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    with database.write(SYSTEM) as session:
        service.generate_schedules(session, hospital_id=clinic.hospital_id, first=NEXT, last=NEXT)
    stop_id = stop(database, clinic, MONDAY, NEXT)
    with database.write(SYSTEM) as session:
        assert service.resume_sessions(session, stop_id, [schedule_id]) == 1
    with database.read(SYSTEM) as session:
        found = queries.list_stopped_sessions(session, stop_id)
        assert [is_stopped for _view, is_stopped in found] == [False, True]
        assert queries.get_stop(session, stop_id).can_resume
    hold(database, clinic.patient_ids[0], schedule_id)
    assert sound(database)


def test_whoever_booked_between_preview_and_act_stops_the_stop(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    first = hold(database, clinic.patient_ids[0], schedule_id)
    second = hold(database, clinic.patient_ids[1], schedule_id)
    with pytest.raises(StopChanged):
        stop(database, clinic, MONDAY, MONDAY, seen=[first])
    with database.read(SYSTEM) as session:
        assert not queries.get_schedule(session, schedule_id).is_stopped
    # One who gave up meanwhile is no surprise.
    with database.write(SYSTEM) as session:
        service.release_hold(session, second)
    stop(database, clinic, MONDAY, MONDAY, seen=[first, second])


def test_a_lapsed_hold_is_ended_by_the_stop_not_disrupted(
    database: Database, clinic: Clinic, schedule_id: Id, clock: FixedClock
) -> None:
    lapsed = hold(database, clinic.patient_ids[0], schedule_id)
    clock.advance(dt.timedelta(minutes=15))
    stop_id = stop(database, clinic, MONDAY, MONDAY)
    assert state(database, lapsed) is AppointmentState.EXPIRED
    with database.read(SYSTEM) as session:
        assert queries.list_disruptions(session, stop_id=stop_id) == []
    assert sound(database)


def test_a_visit_moves_only_to_what_costs_the_same(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    visit = hold(database, clinic.patient_ids[0], schedule_id)
    confirm(database, visit)
    evening = special(database, clinic, MONDAY, HalfDay.EVENING, capacity=1)
    with database.write(SYSTEM) as session:
        service.move_appointment(session, visit, evening)
    assert sound(database)
    dear = special(database, clinic, MONDAY, HalfDay.PM, fee_fen=9900)
    with database.write(SYSTEM) as session, pytest.raises(NotEquivalent):
        service.move_appointment(session, visit, dear)
    other = hold(database, clinic.patient_ids[1], schedule_id)
    confirm(database, other)
    with database.write(SYSTEM) as session, pytest.raises(SlotGone):
        service.move_appointment(session, other, evening)
    stop(database, clinic, MONDAY, MONDAY)
    with database.write(SYSTEM) as session, pytest.raises(ScheduleStopped):
        service.move_appointment(session, other, evening)
    assert sound(database)


def test_one_departments_scheduler_stops_no_whole_practitioner(
    database: Database, clinic: Clinic, schedule_id: Id
) -> None:
    bound = Actor(
        ActorKind.STAFF,
        hospital_id=clinic.hospital_id,
        label="T1",
        grants={MANAGE: frozenset({clinic.department_id})},
    )
    everywhere = StopScope(MONDAY, MONDAY, practitioner_id=clinic.practitioner_ids[0])
    here = StopScope(MONDAY, MONDAY, clinic.practitioner_ids[0], clinic.department_id)
    elsewhere = StopScope(MONDAY, MONDAY, department_id=new_id())
    for scope in (everywhere, elsewhere):
        with database.write(bound) as session, pytest.raises(Forbidden):
            service.stop_sessions(
                session, hospital_id=clinic.hospital_id, scope=scope, reason="进修"
            )
    with database.write(bound) as session:
        service.stop_sessions(session, hospital_id=clinic.hospital_id, scope=here, reason="进修")
