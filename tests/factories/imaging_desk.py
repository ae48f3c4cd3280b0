"""A consulting hour with examination devices beside it: orders to plan, places to plan them on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import Channel, PriceCategory
from backend.clinical import service as clinical
from backend.clinical.queries import get_encounter
from backend.journeys import examinations, settlement
from backend.journeys.examinations import Desk, Proposal
from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.scheduling import examinations as scheduling
from backend.scheduling.rules import Modality
from backend.scheduling.rules.examinations import Examination
from tests.factories.clinic import MONDAY
from tests.factories.clinical import Hour, make_hour
from tests.factories.databases import SYSTEM
from tests.factories.examinations import CT_C, GASTRO, MR, US_ABD
from tests.factories.imaging import add_device, open_days

LABORATORY = Examination(
    "LAB-LFT", "肝功能", Modality.LABORATORY, 5, fasting_hours=8, joint_group="blood"
)
CATALOGUE = (CT_C, GASTRO, MR, US_ABD, LABORATORY)
HEALTHY = {
    "has_pacemaker": False,
    "has_metal": False,
    "has_iodinated_allergy": False,
    "has_gadolinium_allergy": False,
    "has_kidney_risk": False,
    "egfr": 95,
    "is_pregnant": False,
    "has_obstruction": False,
}


@dataclass(frozen=True)
class ImagingDesk:
    """The hour, and one patient's encounter in it."""

    hour: Hour
    encounter_id: Id
    patient_id: Id

    @property
    def database(self) -> Database:
        """The database it is in."""
        return self.hour.database

    @property
    def hospital_id(self) -> Id:
        """The hospital it is in."""
        return self.hour.clinic.hospital_id

    def order(self, *codes: str) -> list[Id]:
        """The doctor orders examinations of the catalogue."""
        with self.database.write(self.hour.doctor()) as session:
            return [
                clinical.place_examination_order(
                    session, encounter_id=self.encounter_id, code=code
                ).id
                for code in codes
            ]

    def answer(self, **answers: bool | int | None) -> None:
        """The patient answers the questions of safety; healthy unless said otherwise."""
        with self.database.write(SYSTEM) as session:
            scheduling.record_screening(
                session,
                hospital_id=self.hospital_id,
                patient_id=self.patient_id,
                answers={**HEALTHY, **answers},
            )

    def open(self, moving_id: Id | None = None) -> Desk:
        """The patient's desk."""
        with self.database.read(SYSTEM) as session:
            return examinations.open_desk(
                session, self.patient_id, hospital_id=self.hospital_id, moving_id=moving_id
            )

    def propose(self, moving_id: Id | None = None) -> Proposal:
        """A plan for what is open."""
        return examinations.propose(self.open(moving_id))

    def book(self, proposal: Proposal, moving_id: Id | None = None) -> int:
        """Book a whole plan."""
        with self.database.write(SYSTEM) as session:
            return examinations.book_plan(
                session,
                patient_id=self.patient_id,
                hospital_id=self.hospital_id,
                chosen=places_of(proposal),
                moving_id=moving_id,
            )

    def bill(self, *, is_paid: bool = True) -> Id:
        """The bill over all that was ordered, paid in cash at the counter."""
        with self.database.write(SYSTEM) as session:
            charges = [
                line.charge_id
                for order in get_encounter(session, self.encounter_id).orders
                for line in bills.list_charges_of(session, clinical.ORDER, order.id)
            ]
            invoice = billing.open_invoice(session, patient_id=self.patient_id, charge_ids=charges)
            if is_paid:
                settlement.pay_cash(
                    session,
                    invoice_id=invoice.id,
                    received_fen=invoice.total_fen,
                    channel=Channel.COUNTER,
                )
            return invoice.id


def places_of(proposal: Proposal) -> dict[str, tuple[Id, ...]]:
    """What the page sends back of a plan."""
    return {one.visit.key: one.option.slot_ids for one in proposal.plan.placed}


def make_imaging_desk(database: Database) -> ImagingDesk:
    """One CT, MR, ultrasound, endoscopy room and blood desk, open for two weeks; somebody sits with the doctor."""
    hour = make_hour(database)
    clinic = hour.clinic
    with database.write(SYSTEM) as session:
        for examination in CATALOGUE:
            clinical.add_examination(
                session,
                hospital_id=clinic.hospital_id,
                examination=examination,
                price_item_code=examination.code,
            )
            if examination is not LABORATORY:
                billing.set_price(
                    session,
                    hospital_id=clinic.hospital_id,
                    code=examination.code,
                    name=examination.name,
                    unit="次",
                    category=PriceCategory.IMAGING,
                    price_fen=30000,
                    effective_from=dt.date(2026, 1, 1),
                )
    both = (HalfDay.AM, HalfDay.PM)
    add_device(database, clinic, Modality.CT, capacity=16, half_days=both)
    add_device(database, clinic, Modality.MR, capacity=8, slot_minutes=30, half_days=both)
    add_device(database, clinic, Modality.ULTRASOUND, capacity=16)
    add_device(database, clinic, Modality.ENDOSCOPY, capacity=8, slot_minutes=30)
    add_device(database, clinic, Modality.LABORATORY, capacity=40, slot_minutes=5)
    open_days(database, clinic, MONDAY, MONDAY + dt.timedelta(days=14))
    encounter_id = hour.begin()
    return ImagingDesk(hour, encounter_id, clinic.patient_ids[0])
