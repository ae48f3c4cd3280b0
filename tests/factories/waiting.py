"""A full session with a waiting list, and the acts around it; each is a unit of work of its own."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import PriceCategory
from backend.journeys import booking, settlement, waiting
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from backend.scheduling import handlers, queries, service
from backend.scheduling.rules import Channel, WaitingEnd
from backend.scheduling.verify import verify_slots
from backend.scheduling.views import WaitingView
from tests.factories.clinic import FEE_FEN, MONDAY, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM


def subscribe(subscriptions: Subscriptions) -> Subscriptions:
    """Timers, bills and what follows a payment."""
    handlers.subscribe(subscriptions)
    booking.subscribe(subscriptions)
    settlement.subscribe(subscriptions)
    waiting.subscribe(subscriptions)
    return subscriptions


@dataclass(frozen=True)
class FullSession:
    """A clinic's one session of a Monday morning a week ahead; patients are called by their index."""

    database: Database
    clinic: Clinic
    schedule_id: Id

    def book(self, patient: int) -> Id:
        """Hold a place and open its bill; the appointment."""
        with self.database.write(SYSTEM) as session:
            return booking.book_visit(
                session,
                patient_id=self.clinic.patient_ids[patient],
                schedule_id=self.schedule_id,
                channel=Channel.WECHAT,
            ).appointment.id

    def pay(self, appointment_id: Id) -> None:
        """Pay the visit's bill in cash."""
        with self.database.write(SYSTEM) as session:
            invoice_id = queries.get_appointment(session, appointment_id).invoice_id
            assert invoice_id is not None
            due = bills.get_invoice(session, invoice_id).due_fen
            settlement.pay_cash(session, invoice_id=invoice_id, received_fen=due)

    def cancel(self, appointment_id: Id) -> None:
        """The desk cancels, whatever the money."""
        with self.database.write(SYSTEM) as session:
            service.cancel_appointment(session, appointment_id, "改日")

    def give_up(self, appointment_id: Id) -> None:
        """The patient gives an unpaid hold back."""
        with self.database.write(SYSTEM) as session:
            booking.give_up_hold(session, appointment_id=appointment_id)

    def join(self, patient: int) -> Id:
        """Stand in line; the entry."""
        with self.database.write(SYSTEM) as session:
            return service.join_line(
                session,
                patient_id=self.clinic.patient_ids[patient],
                schedule_id=self.schedule_id,
                channel=Channel.WECHAT,
            ).id

    def leave(self, entry_id: Id) -> None:
        """Leave the line."""
        with self.database.write(SYSTEM) as session:
            waiting.leave_line(session, entry_id, WaitingEnd.GAVE_UP)

    def entry(self, entry_id: Id) -> WaitingView:
        """The entry now."""
        with self.database.read(SYSTEM) as session:
            return queries.get_waiting(session, entry_id)

    def states(self, *entries: Id) -> list[str]:
        """Where the entries stand."""
        return [self.entry(entry).state.value for entry in entries]

    def offer_of(self, entry_id: Id) -> Id:
        """The hold of the entry's offer."""
        found = self.entry(entry_id).appointment_id
        assert found is not None
        return found

    def deliver(self) -> None:
        """Everything that is due happens: timers, bills."""
        Dispatcher(self.database).drain()

    def problems(self) -> list[str]:
        """What `slots verify` finds."""
        with self.database.read(SYSTEM) as session:
            return verify_slots(session).problems


def make_full_session(
    database: Database, *, patients: int = 8, capacity: int = 2, day: dt.date | None = None
) -> FullSession:
    """A session whose every place is held by the first patients, with the price of a visit."""
    clinic = make_clinic(database, practitioners=1, patients=patients, capacity=capacity)
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
    day = day or MONDAY + dt.timedelta(days=7)
    return FullSession(database, clinic, open_schedules(database, clinic, day)[0])
