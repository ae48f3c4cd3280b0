"""Whole visits for tests: a small clinic with prices, queue and catalogues, and people with real papers in it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import PriceCategory
from backend.clinical import service as clinical
from backend.journeys import booking, check_in, disruptions, settlement
from backend.journeys.registration import IdCardFacts, register_from_id_card
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from backend.patients import service as patients
from backend.patients.queries import IdentifierSystem
from backend.queueing import service as queueing
from backend.scheduling import handlers as scheduling_handlers
from tests.factories.clinic import Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.factories.people import id_number

FEE_FEN = 2500
PRICES = (
    ("REG-CHIEF", "主任医师挂号费", PriceCategory.REGISTRATION, FEE_FEN),
    ("DRG-1", "昂丹司琼片", PriceCategory.DRUG, 3850),
    ("LAB-CBC", "血常规", PriceCategory.LABORATORY, 2000),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with papers: what must stay where it belongs."""

    name: str
    number: str
    phone: str
    card: str
    address: str


PEOPLE = tuple(
    Person(
        name, id_number(10 + index), f"1391234000{index}", f"H77700012{index}", f"安定路{index}号院"
    )
    for index, name in enumerate(("欧阳靖雯", "司徒慕白", "夏侯知秋"))
)


@dataclass(frozen=True, slots=True)
class Hospital:
    """The clinic, its queue and schedule, and the registered people in the order of ``PEOPLE``."""

    database: Database
    clinic: Clinic
    schedule_id: Id
    queue_id: Id
    patient_ids: tuple[Id, ...]


def subscribe(subscriptions: Subscriptions) -> Subscriptions:
    """The subscribers a visit needs, without the payment platform."""
    scheduling_handlers.subscribe(subscriptions)
    booking.subscribe(subscriptions)
    disruptions.subscribe(subscriptions)
    settlement.subscribe(subscriptions)
    return subscriptions


def make_visited_hospital(database: Database) -> Hospital:
    """An open clinic morning with the people registered from their ID cards."""
    clinic = make_clinic(database, practitioners=1, patients=0, capacity=6)
    schedule_id = open_schedules(database, clinic)[0]
    with database.write(SYSTEM) as session:
        queue_id = _catalogues(session, clinic)
        ids = tuple(_register(session, clinic, person) for person in PEOPLE)
    return Hospital(database, clinic, schedule_id, queue_id, ids)


def _catalogues(session: Session, clinic: Clinic) -> Id:
    for code, name, category, fen in PRICES:
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
    clinical.add_icd_code(session, code="C50.9", name="乳腺恶性肿瘤")
    clinical.add_drug(
        session, hospital_id=clinic.hospital_id, code="DRG-1", name="昂丹司琼片",
        form="片剂", strength="8 mg", unit="盒", route="口服", dose="8 mg", frequency="每日2次",
    )  # fmt: skip
    clinical.add_laboratory_panel(
        session, hospital_id=clinic.hospital_id, code="CBC", name="血常规",
        price_item_code="LAB-CBC", specimen="全血", container="紫头管", turnaround_minutes=30,
    )  # fmt: skip
    return queueing.add_queue(
        session,
        hospital_id=clinic.hospital_id,
        code="Q1",
        name="乳腺外科",
        prefix="A",
        department_id=clinic.department_id,
        hall_location_id=clinic.room_id,
        room_ids=[clinic.room_id],
    ).id


def _register(session: Session, clinic: Clinic, person: Person) -> Id:
    card = IdCardFacts(
        name=person.name,
        sex=1 if int(person.number[16]) % 2 else 2,
        ethnic_group="01",
        birth_date=dt.date(1960, 5, 4),
        address=person.address,
        number=person.number,
        valid_from=dt.date(2020, 1, 1),
        valid_until=None,
    )
    view, _is_new = register_from_id_card(
        session, hospital_id=clinic.hospital_id, card=card, phone=person.phone
    )
    patients.add_identifier(
        session, patient_id=view.id, system=IdentifierSystem.HOSPITAL_CARD, value=person.card
    )
    return view.id


def visit(hospital: Hospital, person: int) -> None:
    """One whole visit, from booking to the last bill paid in cash; every event is delivered."""
    database, patient_id = hospital.database, hospital.patient_ids[person]
    with database.write(SYSTEM) as session:
        booked = booking.book_visit(
            session, patient_id=patient_id, schedule_id=hospital.schedule_id, channel="kiosk"
        )
    _pay_everything(database, patient_id)
    with database.write(SYSTEM) as session:
        check_in.check_in_patient(
            session, patient_id=patient_id, appointment_id=booked.appointment.id
        )
    with database.write(SYSTEM) as session:
        called = clinical.call_next(
            session,
            queue_id=hospital.queue_id,
            room_id=hospital.clinic.room_id,
            practitioner_id=hospital.clinic.practitioner_ids[0],
        )
        assert called is not None
        encounter = clinical.begin_visit(session, called.id)
        clinical.add_diagnosis(session, encounter_id=encounter.id, code="C50.9")
        clinical.place_drug_order(session, encounter_id=encounter.id, code="DRG-1", quantity=2)
        clinical.place_laboratory_order(session, encounter_id=encounter.id, code="CBC")
        clinical.finish_visit(session, encounter.id)
    _pay_everything(database, patient_id)
    Dispatcher(database).drain()


def _pay_everything(database: Database, patient_id: Id) -> None:
    with database.read(SYSTEM) as session:
        due = bills.list_due(session, patient_id)
    for invoice in due.invoices:
        with database.write(SYSTEM) as session:
            settlement.pay_cash(session, invoice_id=invoice.id, received_fen=invoice.total_fen)
