"""A clinic that is ready for a visit: schedules of Monday, prices, a queue, two registered people."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backend.billing import service as billing
from backend.billing.ports import TradeState, TradeStatus
from backend.billing.rules import PriceCategory
from backend.journeys import booking, check_in, settlement
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor
from backend.kernel.uow import Database
from backend.queueing import service as queueing
from tests.factories.clinic import FEE_FEN, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.factories.people import make_patient

CARD = "C20260001"
PHONE = "13800001111"


@dataclass(frozen=True)
class VisitWorld:
    """The ids of it, and the steps of a visit."""

    database: Database
    clinic: Clinic
    schedule_ids: tuple[Id, ...]
    queue_id: Id
    patient_id: Id
    other_id: Id

    def book(self, patient_id: Id | None = None, schedule: int = 0) -> booking.BookedVisit:
        """A held place and its bill."""
        with self.database.write(SYSTEM) as session:
            return booking.book_visit(
                session,
                patient_id=patient_id or self.patient_id,
                schedule_id=self.schedule_ids[schedule],
                channel="counter",
            )

    def booked(self, patient_id: Id | None = None, schedule: int = 0) -> booking.BookedVisit:
        """A place paid in cash."""
        visit = self.book(patient_id, schedule)
        with self.database.write(SYSTEM) as session:
            settlement.pay_cash(session, invoice_id=visit.invoice.id, received_fen=FEE_FEN)
        return visit

    def check_in(self, visit: booking.BookedVisit) -> Id:
        """The ticket of a paid place."""
        with self.database.write(SYSTEM) as session:
            return check_in.check_in_patient(
                session,
                patient_id=visit.appointment.patient_id,
                appointment_id=visit.appointment.id,
            ).id

    def report_paid(self, out_trade_no: str, amount_fen: int = FEE_FEN) -> None:
        """The platform says that the QR code was paid."""
        with self.database.write(SYSTEM) as session:
            settlement.record_trade_status(
                session,
                TradeStatus(
                    out_trade_no=out_trade_no,
                    state=TradeState.SUCCESS,
                    amount_fen=amount_fen,
                    transaction_id="4200000001",
                    paid_at=self.database.clock.now(),
                ),
            )


def make_visit_world(database: Database, *, code: str = "H1", actor: Actor = SYSTEM) -> VisitWorld:
    """Two doctors with four places each on Monday morning at ¥25."""
    clinic = make_clinic(database, practitioners=2, patients=0, code=code)
    schedules = open_schedules(database, clinic)
    with database.write(actor) as session:
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
        first = make_patient(session, clinic.hospital_id, phone=PHONE, card_number=CARD)
        other = make_patient(session, clinic.hospital_id, sequence=2, name="李秀英")
        return VisitWorld(database, clinic, tuple(schedules), queue.id, first.id, other.id)
