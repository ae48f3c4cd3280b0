"""After whole visits no table holds a number, phone, card or address in clear, and names stand in one place."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from backend.kernel import audit
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from tests.factories.billing import ScriptedGateway
from tests.factories.databases import SYSTEM
from tests.factories.kiosks import Kiosk, make_door, subscribe_all
from tests.factories.tables import count_rows, find_texts
from tests.factories.visits import PEOPLE, Person, make_visited_hospital, visit

NOT_GIVEN = "13900000000"
NAMES_LIVE_IN = {"patients_patient.name"}
#: Tables a visit fills with what was said about the patient.
TALKING = ("kernel_audit_event", "kernel_live_message", "kernel_outbox_event")


@pytest.fixture
def gateway() -> ScriptedGateway:
    return ScriptedGateway()


@pytest.fixture
def subscriptions(gateway: ScriptedGateway) -> Subscriptions:
    return subscribe_all(Subscriptions(), gateway)


def secrets_of(person: Person) -> list[str]:
    return [person.number, person.phone, person.card, person.address]


def assert_kept_private(database: Database, *people: Person) -> None:
    found = find_texts(database, [word for p in people for word in (*secrets_of(p), p.name)])
    assert {p.name: found.pop(p.name) for p in people} == {p.name: NAMES_LIVE_IN for p in people}
    assert found == {}


def test_visits_through_the_services(database: Database) -> None:
    hospital = make_visited_hospital(database)
    for person in range(len(PEOPLE)):
        visit(hospital, person)
    for table in TALKING:
        assert count_rows(database, table) > 0, table
    assert_kept_private(database, *PEOPLE)


def test_a_visit_at_the_kiosk(database: Database, gateway: ScriptedGateway, tmp_path: Path) -> None:
    person = PEOPLE[0]
    door = make_door(database, gateway, tmp_path)
    kiosk = door.kiosk()
    kiosk.identify({"kind": "id_card", "card": id_card(person)})
    appointment = door.paid_visit(kiosk)
    body = {"appointment_id": appointment["appointment_id"]}
    ticket = kiosk.ok("POST", "/check-ins", body)["ticket"]
    print_ticket(kiosk, ticket["ticket_id"])
    kiosk.ok("GET", "/home")
    for table in (*TALKING, "kernel_idempotency_answer"):
        assert count_rows(database, table) > 0, table
    person = dataclasses.replace(person, phone=NOT_GIVEN, card=NOT_GIVEN)
    assert_kept_private(door.database, person)


def print_ticket(kiosk: Kiosk, ticket_id: str) -> None:
    body = {"kind": "ticket", "ticket_id": ticket_id, "reprint": False}
    job = kiosk.ok("POST", "/prints", body, key="print-1")
    result = {"outcome": "printed", "code": "", "detail": ""}
    kiosk.ok("POST", f"/prints/{job['print_id']}/result", result)


def id_card(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "sex": 1 if int(person.number[16]) % 2 else 2,
        "ethnic_group": "01",
        "birth_date": "1960-05-04",
        "address": person.address,
        "number": person.number,
        "authority": "北京市公安局",
        "valid_from": "2020-01-01",
        "valid_until": None,
    }


def test_the_search_itself_finds_what_is_in_clear(database: Database) -> None:
    """The control: a name and a number put where they do not belong are found there, in JSON and in text."""
    with database.write(SYSTEM) as session:
        audit.record(
            session, "test.leak", entity="x", entity_id="13912340001", who={"n": ["欧阳靖雯"]}
        )
    assert find_texts(database, ["欧阳靖雯", "13912340001"]) == {
        "欧阳靖雯": {"kernel_audit_event.detail"},
        "13912340001": {"kernel_audit_event.entity_id"},
    }
