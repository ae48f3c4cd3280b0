"""Stop-clinic from the patient's side: found, told, offered, moved or refunded; nothing lost, nothing twice."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from backend.billing import queries as bills
from backend.billing.rules import InvoiceState
from backend.journeys import check_in, disruptions
from backend.journeys.refunds import refund_visit
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id
from backend.kernel.outbox import OutboxEvent, Subscriptions
from backend.kernel.permissions import Actor, ActorKind
from backend.kernel.uow import Database
from backend.organization import service as organization
from backend.queueing import queries as queues
from backend.queueing.rules import TicketState
from backend.scheduling import queries as visits
from backend.scheduling import service as scheduling
from backend.scheduling.errors import (
    DisruptionOver,
    DisruptionUnknown,
    NotEquivalent,
    ScheduleStopped,
    SlotGone,
)
from backend.scheduling.models import Schedule
from backend.scheduling.rules import AppointmentState, DisruptionState
from tests.factories.clinic import FEE_FEN, MONDAY
from tests.factories.databases import SYSTEM
from tests.factories.stops import NEXT, House, make_house
from tests.factories.visits import subscribe


@pytest.fixture
def subscriptions() -> Subscriptions:
    return subscribe(Subscriptions())


@pytest.fixture
def house(database: Database) -> House:
    return make_house(database)


def told(house: House) -> list[str]:
    with house.database.read(SYSTEM) as session:
        names = session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id))
        return [name for name in names if "disrupt" in name or "offered" in name]


def test_a_paid_visit_is_offered_an_equivalent_and_moves_with_its_bill(house: House) -> None:
    paid = house.pay(house.book(0, house.sessions[0, 1]))
    house.stop(0, NEXT)
    house.deliver()
    notice = house.notice(paid)
    assert notice.state is DisruptionState.OFFERED
    assert notice.reason == "外出会诊"
    assert told(house) == ["scheduling.visit_disrupted", "scheduling.visit_offered"]
    with house.database.read(SYSTEM) as session:
        offered = visits.list_equivalents(session, notice.id)
    # Nobody else of the same kind later than this Monday but the colleague; earlier today is an equivalent too.
    assert house.sessions[1, 1] == offered[0].schedule_id
    with house.database.write(SYSTEM) as session:
        moved = disruptions.accept_equivalent(
            session, disruption_id=notice.id, schedule_id=house.sessions[1, 1]
        )
    assert (moved.id, moved.state) == (paid, AppointmentState.BOOKED)
    assert moved.practitioner_id == house.clinic.practitioner_ids[1]
    assert house.notice(paid).state is DisruptionState.MOVED
    assert house.refunded_fen(paid) == 0
    house.deliver()
    house.assert_sound()
    # The bill goes with the visit: giving it back later still refunds the whole fee.
    with house.database.write(SYSTEM) as session:
        refund_visit(session, appointment_id=paid, reason="患者要求")
    assert house.refunded_fen(paid) == FEE_FEN
    house.assert_sound()


def test_an_unpaid_hold_ends_with_its_bill(house: House) -> None:
    held = house.book(0, house.sessions[0, 1])
    house.stop(0, NEXT)
    house.deliver()
    assert house.visit(held).state is AppointmentState.CANCELLED
    assert house.notice(held).state is DisruptionState.RELEASED
    invoice_id = house.visit(held).invoice_id
    assert invoice_id is not None
    with house.database.read(SYSTEM) as session:
        assert bills.get_invoice(session, invoice_id).state is InvoiceState.VOID
    house.assert_sound()


def test_with_nothing_equivalent_the_money_goes_back_at_once(house: House) -> None:
    paid = house.pay(house.book(0, house.sessions[0, 1]))
    house.stop(None, MONDAY, NEXT)
    house.deliver()
    assert house.notice(paid).state is DisruptionState.REFUNDED
    assert house.visit(paid).state is AppointmentState.CANCELLED
    assert house.refunded_fen(paid) == FEE_FEN
    house.assert_sound()


def test_who_does_not_choose_is_refunded_unasked_and_only_once(
    house: House, clock: FixedClock
) -> None:
    paid = house.pay(house.book(0, house.sessions[0, 1]))
    house.stop(0, NEXT)
    house.deliver()
    decide_by = house.notice(paid).decide_by
    assert decide_by == dt.datetime(2026, 11, 29, 9, 0, tzinfo=dt.UTC)  # Sunday, 17:00
    clock.set(decide_by - dt.timedelta(seconds=1))
    house.deliver()
    assert house.notice(paid).state is DisruptionState.OFFERED
    clock.set(decide_by)
    house.deliver()
    house.deliver()
    assert house.notice(paid).state is DisruptionState.REFUNDED
    assert house.refunded_fen(paid) == FEE_FEN
    with house.database.write(SYSTEM) as session, pytest.raises(DisruptionOver):
        disruptions.decline(session, disruption_id=house.notice(paid).id)
    house.assert_sound()


def test_a_patient_may_have_the_money_back_after_the_usual_cut_off(
    house: House, clock: FixedClock
) -> None:
    paid = house.pay(house.book(0, house.sessions[0, 1]))
    clock.set(
        dt.datetime(2026, 11, 29, 12, 0, tzinfo=dt.UTC)
    )  # Sunday, 20:00: three hours too late
    house.stop(0, NEXT)
    house.deliver()
    visit = house.visit(paid)
    patient = Actor(
        ActorKind.PATIENT, id=visit.patient_id, hospital_id=visit.hospital_id, label="phone"
    )
    with house.database.write(patient) as session:
        made = disruptions.decline(session, disruption_id=house.notice(paid).id)
    assert [refund.amount_fen for refund in made] == [FEE_FEN]
    house.assert_sound()


def test_nobody_is_excused_from_the_cut_off_without_a_disruption(house: House) -> None:
    paid = house.pay(house.book(0, house.sessions[0, 1]))
    with house.database.write(SYSTEM) as session, pytest.raises(DisruptionUnknown):
        scheduling.cancel_disrupted(session, paid, "x")


def test_who_waits_in_the_hall_is_refunded_and_leaves_the_queue(house: House) -> None:
    here = house.pay(house.book(0, house.sessions[0, 0]))
    with house.database.write(SYSTEM) as session:
        ticket = check_in.check_in_patient(
            session, patient_id=house.clinic.patient_ids[0], appointment_id=here
        )
    house.stop(0, MONDAY)
    house.deliver()
    assert house.notice(here).state is DisruptionState.REFUNDED
    assert house.refunded_fen(here) == FEE_FEN
    with house.database.read(SYSTEM) as session:
        assert queues.get_ticket(session, ticket.id).state is TicketState.LEFT
    house.assert_sound()


def test_nothing_of_a_stopped_session_can_be_booked_paid_or_checked_in(house: House) -> None:
    held = house.book(0, house.sessions[0, 0])
    paid = house.pay(house.book(1, house.sessions[0, 0]))
    house.stop(0, MONDAY)
    with house.database.write(SYSTEM) as session, pytest.raises(ScheduleStopped):
        scheduling.mark_checked_in(session, paid)
    with pytest.raises(ScheduleStopped):
        house.book(2, house.sessions[0, 0])
    # The money was under way when the session was stopped: the visit is then a paid one, and is looked after.
    house.pay(held)
    house.deliver()
    assert house.notice(held).state is DisruptionState.OFFERED
    house.assert_sound()


def test_a_session_resumed_keeps_who_still_waits_and_generates_nothing_twice(house: House) -> None:
    waiting = house.pay(house.book(0, house.sessions[0, 1]))
    gone = house.pay(house.book(1, house.sessions[0, 1]))
    stop_id = house.stop(0, NEXT)
    house.deliver()
    with house.database.write(SYSTEM) as session:
        disruptions.decline(session, disruption_id=house.notice(gone).id)
    with house.database.write(SYSTEM) as session:
        assert scheduling.resume_sessions(session, stop_id) == 1
    assert house.notice(waiting).state is DisruptionState.KEPT
    assert house.visit(waiting).state is AppointmentState.BOOKED
    assert house.visit(gone).state is AppointmentState.CANCELLED
    house.deliver()
    house.book(2, house.sessions[0, 1])
    house.assert_sound()


def test_resumed_before_anybody_was_looked_after_nothing_has_happened(house: House) -> None:
    paid = house.pay(house.book(0, house.sessions[0, 1]))
    stop_id = house.stop(0, NEXT)
    with house.database.write(SYSTEM) as session:
        scheduling.resume_sessions(session, stop_id)
    house.deliver()
    assert house.notice(paid).state is DisruptionState.KEPT
    assert house.refunded_fen(paid) == 0
    house.assert_sound()


def test_an_offer_that_is_full_or_no_offer_at_all_is_refused_and_leaves_the_choice_open(
    house: House,
) -> None:
    paid = house.pay(house.book(0, house.sessions[0, 1]))
    house.stop(0, NEXT)
    house.deliver()
    for patient in (1, 2, 3, 4):
        house.book(patient, house.sessions[1, 1])
    notice = house.notice(paid)
    for wanted in (house.sessions[1, 1], house.sessions[0, 1]):
        with house.database.write(SYSTEM) as session, pytest.raises((NotEquivalent, SlotGone)):
            disruptions.accept_equivalent(session, disruption_id=notice.id, schedule_id=wanted)
    assert house.notice(paid).state is DisruptionState.OFFERED
    house.assert_sound()


def test_a_substitute_is_told_of_and_may_be_refused_with_the_money_back(house: House) -> None:
    """The colleague's own session of that morning is stopped first; then she takes over."""
    paid = house.pay(house.book(0, house.sessions[0, 1]))
    content = house.pay(house.book(1, house.sessions[0, 1]))
    third = _add_practitioner(house)
    with house.database.write(SYSTEM) as session:
        scheduling.substitute(
            session, schedule_id=house.sessions[0, 1], practitioner_id=third, reason="原医生外出"
        )
    house.deliver()
    assert house.visit(paid).practitioner_id == third
    assert house.notice(paid).state is DisruptionState.TOLD
    with house.database.write(SYSTEM) as session:
        disruptions.decline(session, disruption_id=house.notice(paid).id)
    with house.database.write(SYSTEM) as session:
        disruptions.keep(session, disruption_id=house.notice(content).id)
    assert house.refunded_fen(paid) == FEE_FEN
    assert house.visit(content).state is AppointmentState.BOOKED
    house.assert_sound()
    # The template still asks for the first practitioner: her session must not come back beside the substitute's.
    with house.database.write(SYSTEM, housekeeping=True) as session:
        made = scheduling.generate_schedules(
            session, hospital_id=house.clinic.hospital_id, first=NEXT, last=NEXT
        )
    assert made == 0


def test_a_patient_who_has_the_substitute_already_is_refunded_unasked(house: House) -> None:
    """A second visit with the same practitioner in one half-day cannot be: here a former session handed on."""
    third, fourth = _add_practitioner(house, "P8"), _add_practitioner(house, "P9")
    double = house.pay(house.book(0, house.sessions[0, 1]))
    house.pay(house.book(0, house.sessions[1, 1]))
    with house.database.write(SYSTEM) as session:
        scheduling.substitute(
            session, schedule_id=house.sessions[1, 1], practitioner_id=third, reason="原医生外出"
        )
        session.flush()
        # The substitute's session goes on to a fourth, but the patient's visit stays the third's.
        session.get_one(Schedule, house.sessions[1, 1]).practitioner_id = fourth
    with house.database.write(SYSTEM) as session:
        scheduling.substitute(
            session, schedule_id=house.sessions[0, 1], practitioner_id=third, reason="原医生外出"
        )
    house.deliver()
    assert house.notice(double).state is DisruptionState.REFUNDED
    assert house.refunded_fen(double) == FEE_FEN


def _add_practitioner(house: House, code: str = "P9") -> Id:
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
