"""Visits without a fee: news of their bill that comes after they were given back is no trouble."""

from __future__ import annotations

from backend.billing import service as billing
from backend.billing.rules import PriceCategory
from backend.contracts.billing import InvoicePaid
from backend.journeys import refunds, settlement
from backend.kernel.uow import Database
from backend.scheduling import queries as appointments
from backend.scheduling.rules import AppointmentState
from tests.factories.clinic import MONDAY
from tests.factories.databases import SYSTEM
from tests.factories.front_desk import make_visit_world


def test_a_late_word_of_a_free_bill_changes_nothing(sqlite_database: Database) -> None:
    world = make_visit_world(sqlite_database)
    with world.database.write(SYSTEM) as session:
        billing.set_price(
            session,
            hospital_id=world.clinic.hospital_id,
            code="REG-CHIEF",
            name="主任医师挂号费",
            unit="次",
            category=PriceCategory.REGISTRATION,
            price_fen=0,
            effective_from=MONDAY,
        )
    visit = world.book()
    assert visit.appointment.state is AppointmentState.BOOKED
    with world.database.write(SYSTEM) as session:
        refunds.refund_visit(session, appointment_id=visit.appointment.id, reason="改日")
    paid = InvoicePaid(world.clinic.hospital_id, world.patient_id, visit.invoice.id, None, 0)
    with world.database.write(SYSTEM) as session:
        settlement.confirm_after_payment(session, paid)
    with world.database.read(SYSTEM) as session:
        state = appointments.get_appointment(session, visit.appointment.id).state
    assert state is AppointmentState.CANCELLED
