"""The demo hospital on a Monday morning on which every page has something to show, for looking at all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing import tasks as billing_tasks
from backend.bootstrap import Program, build_program
from backend.clinical import queries as records
from backend.clinical import service as clinical
from backend.demo import loader, people
from backend.devices import queries as devices
from backend.identity import queries as identity
from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.journeys import booking, check_in, settlement
from backend.kernel import links
from backend.kernel.clock import FixedClock, HalfDay, business_date
from backend.kernel.ids import Id
from backend.kernel.outbox import DeliveryState, OutboxDelivery, OutboxEvent
from backend.kernel.permissions import Actor
from backend.kernel.schema import create_schema
from backend.kernel.uow import now
from backend.patients import queries as patients
from backend.patients.queries import IdentifierSystem
from backend.queueing import queries as queues
from backend.scheduling import queries as visits
from backend.scheduling import service as scheduling
from backend.scheduling.rules import Channel, StopScope
from backend.scheduling.views import ScheduleView
from backend.settings import Environment, Settings
from tests.factories.channel_bills import ScriptedBills
from tests.factories.databases import MONDAY_MORNING, SYSTEM
from tests.factories.webapp import staff_actor

#: The long, rare and foreign names of the demo come first; a month of so few is enough to fill the pages.
PATIENTS = 60
#: A doctor with an account who sits on Monday mornings.
DOCTOR, DOCTOR_NAME = "doctor.thoracic", "莫一凡"
EXAMINATIONS = ("IMG-CT-CHEST", "IMG-CT-HEAD")


@dataclass(frozen=True)
class DemoMorning:
    """The program, and what stands for each parameter of its routes.

    ``examples`` go by the parameter's name, or by ``blueprint_parameter`` where one name means two things.
    """

    program: Program
    examples: Mapping[str, object]


def make_demo_morning(folder: Path) -> DemoMorning:
    """Load the demo with few patients, and let this morning happen."""
    settings = Settings(env=Environment.DEMO, data_dir=folder, log_level="ERROR")
    program = build_program(settings, FixedClock(MONDAY_MORNING))
    create_schema(program.database.engine)
    day = business_date(MONDAY_MORNING)
    loader.load(program.database, day, lambda *_: None, count=PATIENTS)
    return _Morning(program, day).happen()


class _Morning:
    """What happens, step by step, each in a unit of work of whoever does it."""

    def __init__(self, program: Program, day: dt.date) -> None:
        self.program, self.database, self.day = program, program.database, day
        with self.database.read(SYSTEM) as session:
            found = loader.find_hospital_id(session)
            assert found is not None
            self.hospital_id: Id = found
            self.crowd = [
                self._patient(session, one.card_number) for one in people.patients(day, PATIENTS)
            ]
            self.clinic = next(
                one
                for one in self._sessions(session, day)
                if one.half_day is HalfDay.AM and one.practitioner_name == DOCTOR_NAME
            )
            self.registrar = self._staff(session, "registrar", Role.REGISTRAR)
            self.doctor = self._staff(session, DOCTOR, Role.DOCTOR)

    def happen(self) -> DemoMorning:
        """All of it; the ids that came of it."""
        early, here, away, more = (self.crowd[a:b] for a, b in ((0, 2), (2, 9), (9, 14), (14, -1)))
        shift_id = self._close_a_shift(early)
        tickets = {patient_id: self._arrive(patient_id, self.clinic) for patient_id in here}
        seen_id, invoice_id = self._order_and_finish(self._see_next())
        self._pay(invoice_id)
        encounter_id = self._see_next()
        payment_id, claim_id = self._begin_payments(seen_id)
        self._prepay(seen_id)
        stop_id = self._stop_a_clinic(away)
        self._stand_in_line(more)
        self._bury_a_delivery()
        run_id = self._reconcile()
        secret, department_id = self.program.secrets.secret_key, self.clinic.department_id
        rush = links.RushLink(
            self.hospital_id, department_id, self.day + dt.timedelta(days=7), seen_id
        )
        with self.database.read(SYSTEM) as session:
            hall_id = queues.queue_of_department(session, department_id).hall_location_id
            kiosk_id = devices.list_kiosks(session, self.hospital_id)[0].id
            item_id = bills.search_prices(session, self.hospital_id, on=self.day)[0].item_id
        return DemoMorning(
            self.program,
            {
                "account_id": self.registrar.id,
                "ahead": self.day + dt.timedelta(days=1),
                "claim_id": claim_id,
                "day": self.day - dt.timedelta(days=1),
                "department_id": department_id,
                "encounter_id": encounter_id,
                "invoice_id": invoice_id,
                "item_id": item_id,
                "key": links.screen_key(secret, hall_id),
                "kiosk_id": kiosk_id,
                "patient_id": seen_id,
                "payment_id": payment_id,
                "person_id": self.clinic.practitioner_id,
                "place_id": self.clinic.location_id,
                "run_id": run_id,
                "rush_token": links.rush_token(secret, rush),
                "schedule_id": self.clinic.schedule_id,
                "shift_id": shift_id,
                "stop_id": stop_id,
                "ticket_token": links.ticket_token(secret, tickets[here[-1]], self.day),
                "ticket_id": tickets[seen_id],
            },
        )

    def _patient(self, session: Session, card_number: str) -> Id:
        system = IdentifierSystem.HOSPITAL_CARD
        return patients.find_by_identifier(
            session, hospital_id=self.hospital_id, system=system, value=card_number
        ).id

    def _staff(self, session: Session, username: str, role: Role) -> Actor:
        account = identity.find_credentials(session, username)
        assert account is not None
        return staff_actor(
            self.hospital_id,
            *ROLE_PERMISSIONS[role],
            account_id=account.account_id,
            practitioner_id=self.clinic.practitioner_id if role is Role.DOCTOR else None,
        )

    def _sessions(self, session: Session, day: dt.date) -> list[ScheduleView]:
        return visits.list_bookable(session, hospital_id=self.hospital_id, day=day)

    def _book(self, patient_id: Id, schedule_id: Id) -> booking.BookedVisit:
        with self.database.write(SYSTEM) as session:
            return booking.book_visit(
                session, patient_id=patient_id, schedule_id=schedule_id, channel=Channel.COUNTER
            )

    def _pay(self, invoice_id: Id) -> None:
        """The registrar takes what is due, in cash."""
        with self.database.write(self.registrar) as session:
            due_fen = bills.get_invoice(session, invoice_id).due_fen
            settlement.pay_cash(session, invoice_id=invoice_id, received_fen=due_fen)

    def _arrive(self, patient_id: Id, clinic: ScheduleView) -> Id:
        """Booked, paid, checked in; the ticket."""
        visit = self._book(patient_id, clinic.schedule_id)
        self._pay(visit.invoice.id)
        with self.database.write(SYSTEM) as session:
            return check_in.check_in_patient(
                session, patient_id=patient_id, appointment_id=visit.appointment.id
            ).id

    def _close_a_shift(self, patient_ids: list[Id]) -> Id:
        """The early shift took two fees, counted nothing and says why."""
        afternoon = self._another(HalfDay.PM)
        for patient_id in patient_ids:
            self._pay(self._book(patient_id, afternoon.schedule_id).invoice.id)
        with self.database.write(self.registrar) as session:
            return billing.close_shift(
                session, pieces={}, reason="现金留在备用金里", handed_to="鄢丽丽", seen=2
            ).id

    def _another(self, half_day: HalfDay, days: int = 0) -> ScheduleView:
        """A session with room, of somebody else."""
        with self.database.read(SYSTEM) as session:
            return next(
                one
                for one in self._sessions(session, self.day + dt.timedelta(days=days))
                if one.half_day is half_day
                and one.free_count > 5
                and one.practitioner_id != self.clinic.practitioner_id
            )

    def _see_next(self) -> Id:
        """The next patient sits down; the encounter."""
        with self.database.write(self.doctor) as session:
            queue = queues.queue_of_department(session, self.clinic.department_id)
            called = clinical.call_next(
                session,
                queue_id=queue.id,
                room_id=queues.list_rooms(session, queue.id)[0].id,
                practitioner_id=self._practitioner_id(),
            )
            assert called is not None
            return clinical.begin_visit(session, called.id).id

    def _practitioner_id(self) -> Id:
        assert self.clinic.practitioner_id is not None
        return self.clinic.practitioner_id

    def _order_and_finish(self, encounter_id: Id) -> tuple[Id, Id]:
        """A diagnosis, a drug, a panel, two examinations; the patient and the bill."""
        with self.database.write(self.doctor) as session:
            clinical.add_diagnosis(session, encounter_id=encounter_id, code="C34.1")
            clinical.place_drug_order(
                session, encounter_id=encounter_id, code="DRG-C001", quantity=2
            )
            clinical.place_laboratory_order(session, encounter_id=encounter_id, code="CBC")
            for code in EXAMINATIONS:
                clinical.place_examination_order(session, encounter_id=encounter_id, code=code)
            clinical.finish_visit(session, encounter_id)
            encounter = records.get_encounter(session, encounter_id)
        assert encounter.invoice_id is not None
        return encounter.patient_id, encounter.invoice_id

    def _begin_payments(self, patient_id: Id) -> tuple[Id, Id]:
        """A code on the screen for one visit, the insurance asked about the next; nothing yet for a third."""
        shown, asked, _third = (
            self._book(patient_id, self._another(HalfDay.PM, days).schedule_id).invoice
            for days in range(3)
        )
        with self.database.write(self.registrar) as session:
            payment = billing.start_qr_payment(
                session, invoice_id=shown.id, amount_fen=shown.total_fen
            )
            billing.store_code(session, payment.id, "weixin://wxpay/bizpayurl?pr=1")
            claim = billing.claim_insurance(
                session, invoice_id=asked.id, credential="31000000112345678"
            )
            return payment.id, claim.id

    def _prepay(self, patient_id: Id) -> None:
        """An account with money on it, and a second top-up that is not paid yet."""
        with self.database.write(self.registrar) as session:
            account_id = billing.open_account(
                session, hospital_id=self.hospital_id, patient_id=patient_id
            ).id
            session.flush()
            paid_id = billing.start_top_up(session, account_id=account_id, amount_fen=50_000).id
        self._pay(paid_id)
        with self.database.write(self.registrar) as session:
            billing.start_top_up(session, account_id=account_id, amount_fen=20_000)

    def _stop_a_clinic(self, patient_ids: list[Id]) -> Id:
        """A session of tomorrow with people in it is stopped."""
        clinic = self._another(HalfDay.AM, days=1)
        for patient_id in patient_ids:
            self._pay(self._book(patient_id, clinic.schedule_id).invoice.id)
        day = clinic.business_date
        scope = StopScope(day, day, clinic.practitioner_id, None)
        with self.database.write(SYSTEM) as session:
            return scheduling.stop_sessions(
                session, hospital_id=self.hospital_id, scope=scope, reason="外出会诊"
            ).id

    def _stand_in_line(self, patient_ids: list[Id]) -> None:
        """The smallest session of the day after tomorrow is full, and three more want to see the doctor."""
        with self.database.read(SYSTEM) as session:
            sessions = self._sessions(session, self.day + dt.timedelta(days=2))
        smallest = min(sessions, key=lambda one: one.free_count)
        whole, more = patient_ids[: smallest.free_count], patient_ids[smallest.free_count :][:3]
        for patient_id in whole:
            self._book(patient_id, smallest.schedule_id)
        with self.database.write(SYSTEM) as session:
            for patient_id in more:
                scheduling.join_line(
                    session,
                    patient_id=patient_id,
                    schedule_id=smallest.schedule_id,
                    channel=Channel.COUNTER,
                )

    def _bury_a_delivery(self) -> None:
        """An event nobody could be told of."""
        with self.database.write(SYSTEM, housekeeping=True) as session:
            event = OutboxEvent(
                name="billing.payment_succeeded",
                version=1,
                payload={},
                occurred_at=now(session) - dt.timedelta(days=3),
                request_id="",
            )
            session.add(event)
            session.flush()
            session.add(
                OutboxDelivery(
                    event_id=event.id,
                    subscriber="billing.payment_succeeded>settlement",
                    state=DeliveryState.DEAD,
                    due_at=now(session),
                    attempts=10,
                    last_error="PriceUnknown",
                )
            )

    def _reconcile(self) -> Id:
        """Saturday's bill of the channel is empty: every payment of ours is a difference, with its case."""
        day = self.day - dt.timedelta(days=2)
        return billing_tasks.reconcile(
            self.database, ScriptedBills(), day, settlement.record_trade_status
        )
