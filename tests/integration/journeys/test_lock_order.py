"""Bill, place, queue: every journey locks in this order on PostgreSQL, so that no two wait for each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from backend.billing import queries as bills
from backend.contracts.billing import InvoicePaid
from backend.journeys import booking, refunds, settlement
from backend.journeys.errors import VisitBegun
from backend.kernel.uow import Database
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.queueing.rules import TicketState
from backend.scheduling import queries as appointments
from backend.scheduling.rules import AppointmentState
from tests.factories.clinic import FEE_FEN
from tests.factories.databases import SYSTEM
from tests.factories.front_desk import VisitWorld, make_visit_world
from tests.factories.imaging_desk import make_imaging_desk

ORDER = ("billing_invoice", "scheduling_slot", "queueing_queue")


@pytest.fixture
def world(postgres_database: Database) -> VisitWorld:
    return make_visit_world(postgres_database)


@contextmanager
def locks_of(database: Database) -> Iterator[list[str]]:
    """The tables of ``ORDER`` as they are first locked."""
    seen: list[str] = []

    def see(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        table = re.search(r"\sFROM (\w+)", statement)
        if "FOR UPDATE" in statement and table and table[1] in ORDER and table[1] not in seen:
            seen.append(table[1])

    event.listen(database.engine, "before_cursor_execute", see)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", see)


def test_giving_up_a_hold_takes_the_bill_first(world: VisitWorld) -> None:
    visit = world.book()
    with locks_of(world.database) as seen, world.database.write(SYSTEM) as session:
        booking.give_up_hold(session, appointment_id=visit.appointment.id)
    assert seen == ["billing_invoice", "scheduling_slot"]


def test_confirming_a_paid_visit_takes_the_bill_first(world: VisitWorld) -> None:
    visit = world.booked()
    paid = InvoicePaid(world.clinic.hospital_id, world.patient_id, visit.invoice.id, None, FEE_FEN)
    with locks_of(world.database) as seen, world.database.write(SYSTEM) as session:
        settlement.confirm_after_payment(session, paid)
    assert seen == ["billing_invoice", "scheduling_slot"]


def test_giving_back_a_visit_takes_bill_place_and_queue(world: VisitWorld) -> None:
    visit = world.booked()
    ticket_id = world.check_in(visit)
    with locks_of(world.database) as seen, world.database.write(SYSTEM) as session:
        refunds.refund_visit(session, appointment_id=visit.appointment.id, reason="改日")
    assert tuple(seen) == ORDER
    with world.database.read(SYSTEM) as session:
        assert queues.get_ticket(session, ticket_id).state is TicketState.LEFT


def test_giving_back_the_fee_of_an_examination_takes_the_bill_before_its_places(
    postgres_database: Database,
) -> None:
    desk = make_imaging_desk(postgres_database)
    desk.order("US-ABD")
    desk.book(desk.propose())
    invoice_id = desk.bill()
    with locks_of(desk.database) as seen, desk.database.write(SYSTEM) as session:
        (line,) = bills.get_invoice(session, invoice_id).lines
        refunds.refund_lines(
            session,
            invoice_id=invoice_id,
            parts={line.charge_id: line.amount_fen},
            reason="患者不做了",
        )
    assert seen == ["billing_invoice", "scheduling_slot"]


def test_a_doctor_who_was_quicker_keeps_the_visit(
    world: VisitWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = world.booked()
    ticket_id = world.check_in(visit)
    doctor = world.clinic.practitioner_ids[0]
    leave: Callable[..., object] = queueing.leave_queue

    def sit_down_first(*args: object) -> object:
        with world.database.write(SYSTEM) as session:
            queueing.call_next(
                session,
                queue_id=world.queue_id,
                room_id=world.clinic.room_id,
                practitioner_id=doctor,
            )
            queueing.start_serving(session, ticket_id)
        return leave(*args)

    monkeypatch.setattr(queueing, "leave_queue", sit_down_first)
    with pytest.raises(VisitBegun), world.database.write(SYSTEM) as session:
        refunds.refund_visit(session, appointment_id=visit.appointment.id, reason="改日")
    with world.database.read(SYSTEM) as session:
        assert queues.get_ticket(session, ticket_id).state is TicketState.SERVING
        kept = appointments.get_appointment(session, visit.appointment.id)
    assert kept.state is AppointmentState.CHECKED_IN
