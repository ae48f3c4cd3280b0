"""The figures of the start page: whose they are, and that nobody sees figures of others."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.billing.rules import CaseKind
from backend.billing.services.cases import open_case
from backend.identity.rules import Role, RoleGrant, grants_of
from backend.journeys import today
from backend.kernel.ids import Id
from backend.kernel.permissions import Actor, ActorKind
from backend.kernel.uow import Database
from backend.organization.service import add_hospital
from backend.scheduling import service as scheduling
from tests.factories.clinic import Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM


def someone(clinic: Clinic, grant: RoleGrant, practitioner_id: Id | None = None) -> Actor:
    return Actor(
        ActorKind.STAFF,
        hospital_id=clinic.hospital_id,
        grants=grants_of([grant]),
        practitioner_id=practitioner_id or clinic.practitioner_ids[0],
    )


def figures(session: Session, actor: Actor) -> dict[str, str]:
    found = [fact for give in today.FACTS if (fact := give(session, actor))]
    return {fact.words: fact.figure for fact in found}


def test_money_cases_are_the_own_hospitals_and_nobodys(database: Database) -> None:
    clinic = make_clinic(database)
    with database.write(SYSTEM) as session:
        other = add_hospital(session, code="H9", name="另一家医院").id
        for number, hospital_id in enumerate((clinic.hospital_id, other, None)):
            open_case(
                session,
                CaseKind.UNKNOWN_ORDER,
                reference=f"case-{number}",
                hospital_id=hospital_id,
                amount_fen=2500,
            )
    with database.read(SYSTEM) as session:
        assert figures(session, someone(clinic, RoleGrant(Role.CASHIER)))["款项疑问"] == "2"


def test_each_sees_the_figures_of_their_own_work(database: Database) -> None:
    clinic = make_clinic(database, capacity=4)
    schedules = open_schedules(database, clinic)
    with database.write(SYSTEM) as session:
        scheduling.hold_slot(
            session,
            patient_id=clinic.patient_ids[0],
            schedule_id=schedules[0],
            channel="counter",
        )
    doctor = RoleGrant(Role.DOCTOR, clinic.department_id)
    with database.read(SYSTEM) as session:
        first = figures(session, someone(clinic, doctor))
        second = figures(session, someone(clinic, doctor, clinic.practitioner_ids[1]))
        assert (first["我今天的预约"], second["我今天的预约"]) == ("1", "0")
        assert first["正在候诊"] == "0"
        assert figures(session, someone(clinic, RoleGrant(Role.CASHIER))) == {
            "今日余号": "5",
            "款项疑问": "0",
        }
        assert figures(session, someone(clinic, RoleGrant(Role.AUDITOR))) == {}
