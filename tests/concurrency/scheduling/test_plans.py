"""Many patients want the same plan at once: one gets all of it, nobody half of it, every slot is accounted for."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from backend.kernel.ids import Id, new_id
from backend.kernel.uow import Database
from backend.scheduling import examinations
from backend.scheduling.errors import PlanOutdated
from backend.scheduling.models import Appointment
from backend.scheduling.queries.examinations import build_problem, devices_by_id
from backend.scheduling.rules import Channel, Modality
from backend.scheduling.rules.examinations import Ordered
from backend.scheduling.rules.planning import Availability, make_plan
from backend.scheduling.verify import verify_slots
from tests.factories.clinic import MONDAY, Clinic, make_clinic
from tests.factories.databases import SYSTEM
from tests.factories.examinations import FIT, MR, US_URO
from tests.factories.imaging import add_device, open_days

PATIENTS = 12
DEADLINE = 60.0
DAY = dt.timedelta(days=1)


def test_one_patient_gets_the_whole_plan_and_nobody_half_of_it(postgres_database: Database) -> None:
    database = postgres_database
    clinic = make_clinic(database, practitioners=1, patients=PATIENTS)
    add_device(database, clinic, Modality.MR, capacity=4, slot_minutes=15)
    add_device(database, clinic, Modality.ULTRASOUND, capacity=4, slot_minutes=15)
    database.clock.set(database.clock.now().replace(hour=22) - DAY)  # type: ignore[attr-defined]
    open_days(database, clinic, MONDAY, MONDAY)
    barrier = threading.Barrier(PATIENTS)

    def act(patient_id: Id) -> str:
        orders = (Ordered(str(new_id()), MR), Ordered(str(new_id()), US_URO))
        chosen = plan(database, clinic, patient_id, orders)
        barrier.wait(DEADLINE)
        try:
            with database.write(SYSTEM) as session:
                examinations.lock_examinations(session, patient_id)
                problem, _refused = build_problem(
                    session, hospital_id=clinic.hospital_id, patient_id=patient_id, patient=FIT,
                    ordered=orders, availability=Availability(MONDAY, MONDAY), booked=(),
                    devices=devices_by_id(session, hospital_id=clinic.hospital_id),
                )  # fmt: skip
                examinations.book_examinations(
                    session, hospital_id=clinic.hospital_id, patient_id=patient_id,
                    problem=problem, chosen=chosen, channel=Channel.COUNTER,
                )  # fmt: skip
        except PlanOutdated as outdated:
            return outdated.error_code
        return "ok"

    with ThreadPoolExecutor(PATIENTS) as threads:
        outcomes = Counter(threads.map(act, clinic.patient_ids, timeout=DEADLINE))
    assert outcomes == {"ok": 1, "plan_outdated": PATIENTS - 1}
    with database.read(SYSTEM) as session:
        places = session.execute(
            select(Appointment.patient_id, func.count()).group_by(Appointment.patient_id)
        ).all()
        assert [count for _patient, count in places] == [
            3
        ]  # two for the magnet, one for the ultrasound
        assert verify_slots(session).problems == []


def plan(
    database: Database, clinic: Clinic, patient_id: Id, orders: tuple[Ordered, ...]
) -> dict[str, tuple[Id, ...]]:
    """The plan everybody is offered: the same places, because nobody has booked yet."""
    with database.read(SYSTEM) as session:
        problem, _refused = build_problem(
            session, hospital_id=clinic.hospital_id, patient_id=patient_id, patient=FIT,
            ordered=orders, availability=Availability(MONDAY, MONDAY), booked=(),
            devices=devices_by_id(session, hospital_id=clinic.hospital_id),
        )  # fmt: skip
    made = make_plan(problem, with_solver=False)
    assert len(made.placed) == 2
    return {one.visit.key: one.option.slot_ids for one in made.placed}
