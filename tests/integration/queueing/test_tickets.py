"""Tickets from check-in to done, on both databases."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock, at_local
from backend.kernel.ids import new_id
from backend.kernel.outbox import OutboxEvent
from backend.kernel.uow import Database
from backend.queueing import queries, service
from backend.queueing.errors import QueueUnknown, StillServing, TicketUnknown, WrongTicketState
from backend.queueing.rules import TicketClass, TicketState, WaitRange
from tests.factories.clinic import MONDAY
from tests.factories.databases import SYSTEM
from tests.factories.queues import Hall, add_hall_queue, make_hall

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def hall(database: Database) -> Hall:
    return make_hall(database)


def test_numbers_run_without_holes_per_queue_and_half_day(hall: Hall, clock: FixedClock) -> None:
    other = add_hall_queue(hall, "Q2", "彩超", "B")
    first = [hall.ticket(hall.check_in(n)).number for n in range(3)]
    elsewhere = hall.ticket(hall.check_in(3, queue_id=other)).number
    clock.set(at_local(MONDAY, dt.time(14)))
    afternoon = hall.ticket(hall.check_in(4)).number
    assert (first, elsewhere, afternoon) == (["A001", "A002", "A003"], "B001", "A001")


def test_a_failed_check_in_uses_up_no_number(hall: Hall) -> None:
    class Refused(Exception):
        pass

    with pytest.raises(Refused), hall.database.write(SYSTEM) as session:
        service.check_in(session, queue_id=hall.queue_id, patient_id=hall.clinic.patient_ids[0])
        raise Refused
    assert hall.ticket(hall.check_in(1)).number == "A001"


def test_an_appointment_has_one_ticket_however_often_it_checks_in(hall: Hall) -> None:
    appointment = new_id()
    assert hall.check_in(0, appointment_id=appointment) == hall.check_in(
        0, appointment_id=appointment
    )
    assert hall.waiting() == ["A001"]


def test_a_visit_from_number_to_done(hall: Hall, clock: FixedClock) -> None:
    mine = hall.check_in(0)
    clock.advance(MINUTE)
    assert hall.call() == "A001"
    called = hall.ticket(mine)
    assert (called.state, called.room_name, called.practitioner_name) == (
        TicketState.CALLED,
        "一诊室",
        "医生0",
    )
    assert called.ahead is None
    assert called.wait_words == ""
    hall.act(service.start_serving, mine)
    hall.act(service.finish_ticket, mine)
    hall.act(service.finish_ticket, mine)
    assert hall.ticket(mine).state is TicketState.DONE
    with hall.database.read(SYSTEM) as session:
        names = session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id)).all()
    assert names == ["queueing.ticket_issued", "queueing.ticket_called", "queueing.ticket_served"]


def test_nobody_waits(hall: Hall) -> None:
    assert hall.call() is None


def test_one_patient_at_a_time(hall: Hall) -> None:
    hall.check_in(0)
    hall.check_in(1)
    hall.call()
    with pytest.raises(StillServing):
        hall.call()
    assert hall.call(doctor=1) == "A002"


def test_three_misses_and_the_ticket_leaves(hall: Hall, clock: FixedClock) -> None:
    appointment = new_id()
    mine = hall.check_in(0, appointment_id=appointment)
    for misses in (1, 2, 3):
        clock.advance(MINUTE)
        hall.call()
        hall.act(service.pass_over, mine)
        found = hall.ticket(mine)
        assert found.miss_count == misses
        if misses < 3:
            assert found.state is TicketState.MISSED
            hall.act(service.return_ticket, mine)
            hall.act(service.return_ticket, mine)
    assert found.state is TicketState.LEFT
    with pytest.raises(WrongTicketState):
        hall.act(service.return_ticket, mine)
    again = hall.check_in(0, appointment_id=appointment)
    assert hall.ticket(again).number == "A002"
    with hall.database.read(SYSTEM) as session:
        latest = queries.find_ticket_of_appointment(session, appointment)
    assert latest is not None
    assert latest.id == again


def test_the_missed_come_back_behind_three_calls(hall: Hall, clock: FixedClock) -> None:
    tickets = [hall.check_in(n) for n in range(6)]
    hall.call()
    hall.act(service.pass_over, tickets[0])
    clock.advance(MINUTE)
    hall.act(service.return_ticket, tickets[0])
    clock.advance(MINUTE)
    served = []
    while (number := hall.serve()) is not None:
        served.append(number)
        clock.advance(MINUTE)
    assert served == ["A002", "A003", "A004", "A001", "A005", "A006"]


def test_the_missed_of_a_shared_queue_are_shown_to_who_called_them(hall: Hall) -> None:
    mine = hall.check_in(0)
    hall.call(doctor=1)
    hall.act(service.pass_over, mine)
    with hall.database.read(SYSTEM) as session:
        lists = [
            queries.worklist(session, queue_id=hall.queue_id, practitioner_id=doctor).missed
            for doctor in hall.clinic.practitioner_ids
        ]
        everyone = queries.missed_list(session, hall.queue_id)
    assert [[view.id for view in one] for one in lists] == [[], [mine]]
    assert [view.id for view in everyone] == [mine]


def test_a_ticket_of_another_day_does_not_come_back(hall: Hall, clock: FixedClock) -> None:
    mine = hall.check_in(0)
    hall.call()
    hall.act(service.pass_over, mine)
    clock.advance(dt.timedelta(days=1))
    with pytest.raises(WrongTicketState):
        hall.act(service.return_ticket, mine)


@pytest.mark.parametrize(
    "command", [service.start_serving, service.finish_ticket, service.pass_over, service.call_again]
)
def test_what_a_waiting_ticket_refuses(hall: Hall, command: object) -> None:
    mine = hall.check_in(0)
    with pytest.raises(WrongTicketState):
        hall.act(command, mine)
    assert hall.ticket(mine).state is TicketState.WAITING


def test_strangers(hall: Hall) -> None:
    with pytest.raises(TicketUnknown):
        hall.act(service.start_serving, new_id())
    with pytest.raises(TicketUnknown):
        hall.act(service.mark_printed, new_id())
    with pytest.raises(QueueUnknown):
        hall.check_in(0, queue_id=new_id())


def test_the_night_carries_the_evening_over_midnight(hall: Hall, clock: FixedClock) -> None:
    clock.set(at_local(MONDAY, dt.time(23, 50)))
    first, second, third = (hall.check_in(n) for n in range(3))
    hall.call()
    clock.set(at_local(MONDAY + dt.timedelta(days=1), dt.time(0, 10)))
    with pytest.raises(StillServing):
        hall.call()
    hall.act(service.start_serving, first)
    hall.act(service.finish_ticket, first)
    assert hall.call() == "A002"
    assert hall.ticket(third).ahead == 0
    hall.act(service.pass_over, second)
    clock.set(at_local(MONDAY + dt.timedelta(days=1), dt.time(8)))
    assert hall.waiting() == []
    assert hall.call() is None


@pytest.mark.parametrize("days", [1, 3])
def test_who_was_never_ended_stays_in_hand(hall: Hall, clock: FixedClock, days: int) -> None:
    elsewhere = add_hall_queue(hall, "Q2", "急诊", "E")
    hall.check_in(0)
    hall.check_in(1, queue_id=elsewhere)
    assert hall.call() == "A001"
    assert hall.call(1, elsewhere) == "E001"
    clock.advance(dt.timedelta(days=days))
    hall.check_in(2)
    for doctor, number in ((0, "A001"), (1, "E001")):
        with pytest.raises(StillServing):
            hall.call(doctor)
        assert hall.current(doctor).number == number
    hall.act(service.pass_over, hall.current(0).id)
    assert hall.call() == "A001"
    hall.act(service.start_serving, hall.current(1).id)
    hall.act(service.finish_ticket, hall.current(1).id)
    assert hall.call(1) is None


def test_people_ahead_and_the_expected_range(hall: Hall, clock: FixedClock) -> None:
    doctor, other = hall.clinic.practitioner_ids
    hall.check_in(0, practitioner_id=doctor)
    hall.check_in(1, practitioner_id=other)
    hall.check_in(2)
    mine = hall.check_in(3, practitioner_id=doctor)
    view = hall.ticket(mine)
    assert (view.ahead, view.expected) == (2, WaitRange(20, 25))
    assert view.wait_words == "约 20–25 分钟"
    hall.call()
    clock.advance(MINUTE)
    view = hall.ticket(mine)
    assert (view.ahead, view.expected) == (1, WaitRange(15, 20))


def test_experience_replaces_the_usual_length(database: Database, clock: FixedClock) -> None:
    hall = make_hall(database, patients=8, doctors=1)
    tickets = [hall.check_in(n) for n in range(8)]
    for _ in range(5):
        hall.call()
        mine = hall.current().id
        hall.act(service.start_serving, mine)
        clock.advance(20 * MINUTE)
        hall.act(service.finish_ticket, mine)
    assert hall.ticket(tickets[7]).expected == WaitRange(40, 40)


def test_why_each_place(hall: Hall, clock: FixedClock) -> None:
    hall.check_in(0)
    hall.check_in(1, ticket_class=TicketClass.PRIORITY)
    with hall.database.read(SYSTEM) as session:
        why = [(v.number, v.why) for v in queries.waiting_list(session, hall.queue_id)]
    assert why == [("A002", "高龄等优先"), ("A001", "现场取号，按到达先后")]


def test_another_class_is_audited_with_what_it_was(hall: Hall) -> None:
    hall.check_in(0)
    mine = hall.check_in(1)
    for _ in range(2):
        with hall.database.write(SYSTEM, housekeeping=True) as session:
            service.change_class(session, mine, TicketClass.PRIORITY)
    assert hall.waiting() == ["A002", "A001"]
    with hall.database.read(SYSTEM) as session:
        (detail,) = session.scalars(
            select(AuditEvent.detail).where(AuditEvent.action == "queueing.change_class")
        )
    assert (detail["before"], detail["after"]) == ("ordinary", "priority")


def test_the_paper_is_marked_once(hall: Hall, clock: FixedClock) -> None:
    mine = hall.check_in(0)
    hall.act(service.mark_printed, mine)
    printed = hall.ticket(mine).printed_at
    clock.advance(MINUTE)
    hall.act(service.mark_printed, mine)
    assert hall.ticket(mine).printed_at == printed


def test_a_refunded_visit_leaves_the_queue(hall: Hall) -> None:
    mine = hall.check_in(0)
    hall.act(service.leave_queue, mine)
    hall.act(service.leave_queue, mine)
    assert hall.waiting() == []


def test_a_patients_tickets_of_the_day(hall: Hall, clock: FixedClock) -> None:
    mine = hall.check_in(0)
    with hall.database.read(SYSTEM) as session:
        patient = hall.clinic.patient_ids[0]
        found = queries.list_tickets_of_patient(session, patient)
        yesterday = queries.list_tickets_of_patient(
            session, patient, day=MONDAY - dt.timedelta(days=1)
        )
    assert [view.id for view in found] == [mine]
    assert yesterday == []


def test_every_act_is_on_record_with_the_number_and_without_the_name(hall: Hall) -> None:
    mine = hall.check_in(0)
    hall.call()
    hall.act(service.call_again, mine)
    with hall.database.read(SYSTEM) as session:
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.entity == "ticket").order_by(AuditEvent.id)
        ).all()
        assert [row.action for row in rows] == [
            "queueing.check_in",
            "queueing.call",
            "queueing.call",
        ]
        assert all(row.patient_id == hall.clinic.patient_ids[0] for row in rows)
        assert "患者" not in "".join(str(row.detail) for row in rows)
