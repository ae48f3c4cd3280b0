"""One patient's visit through the services of every domain, on both databases."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing import verify as ledger
from backend.billing.ports import TradeState, TradeStatus
from backend.billing.rules import InvoiceState, PaymentState, PriceCategory
from backend.billing.views import PaymentView
from backend.clinical import queries as records
from backend.clinical import service as clinical
from backend.journeys import booking, check_in, refunds, settlement
from backend.journeys.visit_status import Stage, get_visit_status
from backend.kernel.clock import FixedClock
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.kernel.permissions import Actor, ActorKind, Permission
from backend.kernel.uow import Database
from backend.organization.queries import list_practitioners
from backend.patients.models import Patient
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.queueing.rules import TicketState, class_for_age
from backend.scheduling import handlers as scheduling_handlers
from backend.scheduling import queries as appointments
from backend.scheduling import verify as slots
from backend.scheduling.rules import AppointmentState
from tests.factories.clinic import Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM

FEE = 2500


@dataclass
class World:
    """A clinic with prices, a queue and catalogues."""

    database: Database
    clinic: Clinic
    schedule_id: Id
    queue_id: Id

    @property
    def patient_id(self) -> Id:
        return self.clinic.patient_ids[0]

    def book(self, patient: int = 0) -> booking.BookedVisit:
        with self.database.write(SYSTEM) as session:
            return booking.book_visit(
                session,
                patient_id=self.clinic.patient_ids[patient],
                schedule_id=self.schedule_id,
                channel="kiosk",
            )

    def start_qr(self, invoice_id: Id, amount_fen: int = FEE) -> PaymentView:
        with self.database.write(SYSTEM) as session:
            payment = billing.start_qr_payment(
                session, invoice_id=invoice_id, amount_fen=amount_fen
            )
            return bills.payment_view(payment)

    def pay(self, payment: PaymentView) -> None:
        with self.database.write(SYSTEM) as session:
            settlement.record_trade_status(
                session,
                TradeStatus(
                    out_trade_no=payment.out_trade_no or "",
                    state=TradeState.SUCCESS,
                    amount_fen=payment.amount_fen,
                    transaction_id="4200000001",
                    paid_at=self.database.clock.now(),
                ),
            )

    def appointment(self, appointment_id: Id) -> appointments.AppointmentView:
        with self.database.read(SYSTEM) as session:
            return appointments.get_appointment(session, appointment_id)

    def stages(self) -> list[Stage]:
        with self.database.read(SYSTEM) as session:
            return [s.stage for s in get_visit_status(session, patient_id=self.patient_id)]

    def verify(self) -> None:
        with self.database.read(SYSTEM) as session:
            assert ledger.verify_ledger(session).problems == []
            assert slots.verify_slots(session).problems == []


@pytest.fixture
def subscriptions() -> Subscriptions:
    found = Subscriptions()
    scheduling_handlers.subscribe(found)
    booking.subscribe(found)
    settlement.subscribe(found)
    return found


@pytest.fixture
def world(database: Database) -> World:
    clinic = make_clinic(
        database, practitioners=1, patients=3, capacity=2
    )  # of two places one is over at 08:30
    schedule_id = open_schedules(database, clinic)[0]
    with database.write(SYSTEM) as session:
        for code, name, category, fen in (
            ("REG-CHIEF", "主任医师挂号费", PriceCategory.REGISTRATION, FEE),
            ("DRG-1", "昂丹司琼片", PriceCategory.DRUG, 3850),
            ("LAB-CBC", "血常规", PriceCategory.LABORATORY, 2000),
        ):
            billing.set_price(
                session,
                hospital_id=clinic.hospital_id,
                code=code,
                name=name,
                unit="次",
                category=category,
                price_fen=fen,
                effective_from=dt.date(2026, 1, 1),
            )
        queue = queueing.add_queue(
            session,
            hospital_id=clinic.hospital_id,
            code="Q1",
            name="乳腺外科",
            prefix="A",
            department_id=clinic.department_id,
            hall_location_id=clinic.room_id,
            room_ids=[clinic.room_id],
        )
        clinical.add_icd_code(session, code="C50.9", name="乳腺恶性肿瘤")
        clinical.add_drug(
            session, hospital_id=clinic.hospital_id, code="DRG-1", name="昂丹司琼片",
            form="片剂", strength="8 mg", unit="盒", route="口服", dose="8 mg", frequency="每日2次",
        )  # fmt: skip
        clinical.add_laboratory_panel(
            session, hospital_id=clinic.hospital_id, code="CBC", name="血常规",
            price_item_code="LAB-CBC", specimen="全血", container="紫头管", turnaround_minutes=30,
        )  # fmt: skip
    return World(database, clinic, schedule_id, queue.id)


def test_from_booking_to_done(world: World) -> None:
    visit = world.book()
    assert visit.invoice.total_fen == FEE
    assert visit.appointment.state is AppointmentState.HELD
    world.pay(world.start_qr(visit.invoice.id))
    assert world.appointment(visit.appointment.id).state is AppointmentState.BOOKED

    with world.database.write(SYSTEM) as session:
        ticket = check_in.check_in_patient(
            session, patient_id=world.patient_id, appointment_id=visit.appointment.id
        )
        again = check_in.check_in_patient(
            session, patient_id=world.patient_id, appointment_id=visit.appointment.id
        )
    assert (ticket.number, ticket.ahead, again.id) == ("A001", 0, ticket.id)

    with world.database.write(SYSTEM) as session:
        doctor = list_practitioners(session, hospital_id=world.clinic.hospital_id)[0]
        called = queueing.call_next(
            session,
            queue_id=world.queue_id,
            room_id=world.clinic.room_id,
            practitioner_id=doctor.id,
        )
        assert called is not None
        assert called.id == ticket.id
        queueing.start_serving(session, ticket.id)
        encounter = clinical.start_encounter(
            session,
            hospital_id=world.clinic.hospital_id,
            patient_id=world.patient_id,
            practitioner_id=doctor.id,
            department_id=world.clinic.department_id,
            appointment_id=visit.appointment.id,
            ticket_id=ticket.id,
        )
        clinical.add_diagnosis(session, encounter_id=encounter.id, code="C50.9")
        clinical.place_drug_order(session, encounter_id=encounter.id, code="DRG-1", quantity=2)
        clinical.place_laboratory_order(session, encounter_id=encounter.id, code="CBC")
        clinical.finish_encounter(session, encounter.id)
        queueing.finish_ticket(session, ticket.id)

    with world.database.read(SYSTEM) as session:
        record = records.get_encounter(session, encounter.id)
        due = bills.list_due(session, world.patient_id)
        assert queues.get_ticket(session, ticket.id).state is TicketState.DONE
    assert record.total_fen == due.total_fen == 2 * 3850 + 2000
    assert world.stages() == [Stage.TO_SETTLE]
    world.pay(world.start_qr(due.invoices[0].id, due.total_fen))
    assert world.stages() == [Stage.DONE]
    with world.database.read(SYSTEM) as session:
        assert bills.list_due(session, world.patient_id).total_fen == 0
    world.verify()


def test_a_lapsed_hold_takes_its_bill_with_it(world: World, clock: FixedClock) -> None:
    visit = world.book()
    clock.advance(dt.timedelta(minutes=16))
    Dispatcher(world.database).drain()
    with world.database.read(SYSTEM) as session:
        assert bills.get_invoice(session, visit.invoice.id).state is InvoiceState.VOID
    assert world.appointment(visit.appointment.id).state is AppointmentState.EXPIRED
    world.verify()


def test_money_for_a_place_that_is_gone_goes_back(world: World, clock: FixedClock) -> None:
    visit = world.book()
    payment = world.start_qr(visit.invoice.id)
    clock.advance(dt.timedelta(minutes=16))
    other = world.book(patient=1)
    world.pay(payment)
    with world.database.read(SYSTEM) as session:
        outcome = settlement.payment_outcome(session, payment.id)
        refunds_made = bills.list_refunds(session, visit.invoice.id)
    assert world.appointment(visit.appointment.id).state is AppointmentState.EXPIRED
    assert world.appointment(other.appointment.id).state is AppointmentState.HELD
    assert [refund.amount_fen for refund in refunds_made] == [FEE]
    assert outcome.is_visit_lost or outcome.payment.is_given_back
    world.pay(payment)
    with world.database.read(SYSTEM) as session:
        assert len(bills.list_refunds(session, visit.invoice.id)) == 1
    world.verify()


def test_money_after_the_hold_takes_the_place_again_when_it_is_free(
    world: World, clock: FixedClock
) -> None:
    visit = world.book()
    payment = world.start_qr(visit.invoice.id)
    clock.advance(dt.timedelta(minutes=16))
    world.pay(payment)
    assert world.appointment(visit.appointment.id).state is AppointmentState.BOOKED
    world.verify()


def test_cancelling_gives_the_fee_back_to_its_tender(world: World) -> None:
    visit = world.book()
    with world.database.write(SYSTEM) as session:
        settlement.pay_cash(session, invoice_id=visit.invoice.id, received_fen=3000)
    assert world.appointment(visit.appointment.id).state is AppointmentState.BOOKED
    cashier = Actor(ActorKind.STAFF, label="E001", grants=dict.fromkeys(Permission))
    with world.database.write(cashier) as session:
        cancelled = refunds.refund_visit(
            session, appointment_id=visit.appointment.id, reason="患者改期"
        )
    assert cancelled.refund is not None
    assert cancelled.refund.amount_fen == FEE
    with world.database.read(SYSTEM) as session:
        assert bills.get_invoice(session, visit.invoice.id).state is InvoiceState.REFUNDED
        assert bills.list_payments(session, visit.invoice.id)[0].state is PaymentState.SUCCEEDED
    world.verify()


def test_cash_of_a_visit_cancelled_from_afar_waits_at_the_counter(world: World) -> None:
    visit = world.book()
    with world.database.write(SYSTEM) as session:
        settlement.pay_cash(session, invoice_id=visit.invoice.id, received_fen=3000)
    with world.database.write(SYSTEM) as session:
        cancelled = refunds.refund_visit(
            session, appointment_id=visit.appointment.id, reason="患者改期"
        )
    assert cancelled.refund is not None
    with world.database.read(SYSTEM) as session:
        assert [case.amount_fen for case in bills.list_open_cases(session)] == [FEE]
    with world.database.write(SYSTEM) as session:
        billing.hand_over_cash(session, cancelled.refund.id)
    with world.database.read(SYSTEM) as session:
        assert bills.list_open_cases(session) == []
        assert bills.get_invoice(session, visit.invoice.id).state is InvoiceState.REFUNDED
    world.verify()


def test_giving_up_before_paying_ends_place_and_bill(world: World) -> None:
    visit = world.book()
    with world.database.write(SYSTEM) as session:
        booking.give_up_hold(session, appointment_id=visit.appointment.id)
    with world.database.read(SYSTEM) as session:
        assert bills.get_invoice(session, visit.invoice.id).state is InvoiceState.VOID
    assert world.book(patient=1).appointment.slot_id == visit.appointment.slot_id
    world.verify()


def test_the_eighty_year_old_goes_first(world: World) -> None:
    with world.database.write(SYSTEM) as session:
        old = session.get_one(Patient, world.clinic.patient_ids[1])
        old.birth_date = dt.date(1940, 1, 1)
        for patient_id in world.clinic.patient_ids[:2]:
            person = session.get_one(Patient, patient_id)
            age_class = class_for_age(2026 - person.birth_date.year)
            queueing.check_in(
                session,
                queue_id=world.queue_id,
                patient_id=patient_id,
                ticket_class=age_class,
            )
    with world.database.read(SYSTEM) as session:
        waiting = queues.waiting_list(session, world.queue_id)
    assert [ticket.number for ticket in waiting] == ["A002", "A001"]
    assert waiting[0].why == "高龄等优先"
