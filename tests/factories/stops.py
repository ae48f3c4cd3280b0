"""A house with two practitioners and two Mondays open, and patients who have booked, for stop-clinic tests."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import PriceCategory
from backend.journeys import booking, settlement
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.queueing import service as queueing
from backend.scheduling import queries as visits
from backend.scheduling import service as scheduling
from backend.scheduling.rules import StopScope
from backend.scheduling.verify import verify_slots
from backend.scheduling.views import AppointmentView, DisruptionView
from tests.factories.clinic import FEE_FEN, MONDAY, Clinic, make_clinic
from tests.factories.databases import SYSTEM

NEXT = MONDAY + dt.timedelta(days=7)


@dataclass(frozen=True)
class House:
    """The clinic; its sessions by (practitioner, Monday): 0 = 23 November, 1 = 30 November."""

    database: Database
    clinic: Clinic
    sessions: dict[tuple[int, int], Id]

    def book(self, patient: int, schedule_id: Id) -> Id:
        """Hold a place with its bill; the appointment."""
        with self.database.write(SYSTEM) as session:
            booked = booking.book_visit(
                session,
                patient_id=self.clinic.patient_ids[patient],
                schedule_id=schedule_id,
                channel="kiosk",
            )
        return booked.appointment.id

    def pay(self, appointment_id: Id) -> Id:
        """Pay its bill in cash; the appointment again."""
        invoice_id = self.visit(appointment_id).invoice_id
        assert invoice_id is not None
        with self.database.write(SYSTEM) as session:
            due = bills.get_invoice(session, invoice_id).total_fen
            settlement.pay_cash(session, invoice_id=invoice_id, received_fen=due)
        return appointment_id

    def stop(self, practitioner: int | None, first: dt.date, last: dt.date | None = None) -> Id:
        """Stop a practitioner (None: the department), without delivering events; the notice."""
        scope = StopScope(
            first,
            last or first,
            self.clinic.practitioner_ids[practitioner] if practitioner is not None else None,
            self.clinic.department_id if practitioner is None else None,
        )
        with self.database.write(SYSTEM) as session:
            return scheduling.stop_sessions(
                session, hospital_id=self.clinic.hospital_id, scope=scope, reason="外出会诊"
            ).id

    def deliver(self) -> None:
        """Deliver every event that is due."""
        Dispatcher(self.database).drain()

    def visit(self, appointment_id: Id) -> AppointmentView:
        """The visit as it is."""
        with self.database.read(SYSTEM) as session:
            return visits.get_appointment(session, appointment_id)

    def notice(self, appointment_id: Id) -> DisruptionView:
        """The visit's only disruption."""
        with self.database.read(SYSTEM) as session:
            found = visits.list_disruptions(
                session, patient_id=visits.get_appointment(session, appointment_id).patient_id
            )
        (one,) = [view for view in found if view.visit.id == appointment_id]
        return one

    def refunded_fen(self, appointment_id: Id) -> int:
        """What went back of its bill."""
        invoice_id = self.visit(appointment_id).invoice_id
        assert invoice_id is not None
        with self.database.read(SYSTEM) as session:
            return sum(refund.amount_fen for refund in bills.list_refunds(session, invoice_id))

    def assert_sound(self) -> None:
        """`slots verify` finds nothing."""
        with self.database.read(SYSTEM) as session:
            assert verify_slots(session).problems == []


def make_house(database: Database, *, patients: int = 6, capacity: int = 4) -> House:
    """Two practitioners on Monday mornings, 23 and 30 November open, a price and a queue."""
    clinic = make_clinic(database, practitioners=2, patients=patients, capacity=capacity)
    with database.write(SYSTEM) as session:
        billing.set_price(
            session,
            hospital_id=clinic.hospital_id,
            code="REG-CHIEF",
            name="主任医师挂号费",
            unit="次",
            category=PriceCategory.REGISTRATION,
            price_fen=FEE_FEN,
            effective_from=dt.date(2026, 1, 1),
        )
        queueing.add_queue(
            session,
            hospital_id=clinic.hospital_id,
            code="Q1",
            name="乳腺外科",
            prefix="A",
            department_id=clinic.department_id,
            hall_location_id=clinic.room_id,
            room_ids=[clinic.room_id],
        )
        scheduling.generate_schedules(
            session, hospital_id=clinic.hospital_id, first=MONDAY, last=NEXT
        )
    with database.read(SYSTEM) as session:
        views = visits.list_schedules(
            session, hospital_id=clinic.hospital_id, first=MONDAY, last=NEXT
        )
    people = {person: index for index, person in enumerate(clinic.practitioner_ids)}
    sessions = {
        (people[view.practitioner_id], (view.business_date - MONDAY).days // 7): view.schedule_id
        for view in views
        if view.practitioner_id is not None
    }
    return House(database, clinic, sessions)
