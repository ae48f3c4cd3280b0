"""A consulting hour for tests: a hall with a queue, prices, catalogues, and people who came for their appointments."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backend.billing import service as billing
from backend.billing.rules import PriceCategory
from backend.clinical import service as clinical
from backend.journeys import booking, check_in, settlement
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor, Permission
from backend.kernel.uow import Database
from tests.factories.clinic import FEE_FEN, Clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.factories.queues import Hall, make_hall
from tests.factories.webapp import staff_actor

DOCTOR = (
    Permission.CLINICAL_ENCOUNTER_READ,
    Permission.CLINICAL_ENCOUNTER_WRITE,
    Permission.PATIENTS_PATIENT_READ,
    Permission.QUEUEING_TICKET_CALL,
    Permission.QUEUEING_TICKET_READ,
)
DIAGNOSES = (
    ("C34.9", "肺恶性肿瘤"),
    ("C50.4", "乳房上外象限恶性肿瘤"),
    ("C50.9", "乳房恶性肿瘤"),
    ("D24.x", "乳房良性肿瘤"),
    ("R11.x", "恶心和呕吐"),
)
DRUGS = (
    ("DRG-1", "昂丹司琼片", "片剂", "8 mg", "盒", "口服", "8 mg", "每日2次", 3850),
    ("DRG-2", "他莫昔芬片", "片剂", "10 mg", "盒", "口服", "10 mg", "每日2次", 2400),
    ("DRG-3", "青霉素V钾片", "片剂", "0.25 g", "盒", "口服", "0.5 g", "每日4次", 1280),
)
PANELS = (
    ("CBC", "血常规", "LAB-CBC", "全血", "紫头管", 2000),
    ("CA153", "糖类抗原CA15-3", "LAB-CA153", "血清", "黄头管", 9000),
    ("LFT", "肝功能", "LAB-LFT", "血清", "黄头管", 6800),
)


@dataclass(frozen=True)
class Hour:
    """A consulting hour: who waits, what can be ordered, who the doctors are as actors."""

    hall: Hall
    schedule_ids: tuple[Id, ...]

    @property
    def database(self) -> Database:
        """The database it is in."""
        return self.hall.database

    @property
    def clinic(self) -> Clinic:
        """The clinic around it."""
        return self.hall.clinic

    def doctor(self, number: int = 0) -> Actor:
        """The doctor of that number at work."""
        return staff_actor(
            self.clinic.hospital_id, *DOCTOR, practitioner_id=self.clinic.practitioner_ids[number]
        )

    def arrive(self, patient: int = 0, doctor: int = 0) -> Id:
        """The patient books with the doctor, pays in cash and checks in; the ticket's id."""
        with self.database.write(SYSTEM) as session:
            visit = booking.book_visit(
                session,
                patient_id=self.clinic.patient_ids[patient],
                schedule_id=self.schedule_ids[doctor],
                channel="counter",
            )
            settlement.pay_cash(session, invoice_id=visit.invoice.id, received_fen=FEE_FEN)
        with self.database.write(SYSTEM) as session:
            return check_in.check_in_patient(
                session,
                patient_id=self.clinic.patient_ids[patient],
                appointment_id=visit.appointment.id,
            ).id

    def begin(self, patient: int = 0, doctor: int = 0) -> Id:
        """The patient arrives, is called (being the next) and sits down; the encounter's id."""
        ticket_id = self.arrive(patient, doctor)
        assert self.hall.call(doctor) is not None
        with self.database.write(self.doctor(doctor)) as session:
            return clinical.begin_visit(session, ticket_id).id


def make_hour(database: Database, *, patients: int = 6, doctors: int = 2) -> Hour:
    """Doctors with open schedules, one queue, prices and catalogues; nobody has come yet."""
    hall = make_hall(database, patients=patients, doctors=doctors)
    schedule_ids = open_schedules(database, hall.clinic)
    hospital_id = hall.clinic.hospital_id
    prices = [("REG-CHIEF", "主任医师挂号费", PriceCategory.REGISTRATION, FEE_FEN)]
    prices += [(drug[0], drug[1], PriceCategory.DRUG, drug[-1]) for drug in DRUGS]
    prices += [(panel[2], panel[1], PriceCategory.LABORATORY, panel[-1]) for panel in PANELS]
    with database.write(SYSTEM) as session:
        for code, name, category, fen in prices:
            billing.set_price(
                session,
                hospital_id=hospital_id,
                code=code,
                name=name,
                unit="次",
                category=category,
                price_fen=fen,
                effective_from=dt.date(2026, 1, 1),
            )
        for code, name in DIAGNOSES:
            clinical.add_icd_code(session, code=code, name=name)
        for code, name, form, strength, unit, route, dose, frequency, _ in DRUGS:
            clinical.add_drug(
                session, hospital_id=hospital_id, code=code, name=name, form=form,
                strength=strength, unit=unit, route=route, dose=dose, frequency=frequency,
            )  # fmt: skip
        for code, name, price_item_code, specimen, container, _ in PANELS:
            clinical.add_laboratory_panel(
                session, hospital_id=hospital_id, code=code, name=name, specimen=specimen,
                price_item_code=price_item_code, container=container, turnaround_minutes=30,
            )  # fmt: skip
    return Hour(hall, tuple(schedule_ids))
