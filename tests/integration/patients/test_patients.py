"""The patient index on both databases: one record a document, exact and prefix search, nothing in clear."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from sqlalchemy import event, inspect, text

from backend.kernel.errors import Forbidden, StaleVersion
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.patients import queries, service
from backend.patients.errors import CardUnknown, IdentifierTaken, IdentityDiffers, IdNumberInvalid
from backend.patients.models import IdentifierStatus, IdentifierSystem, PatientIdentifier
from tests.factories.databases import SYSTEM
from tests.factories.people import id_number, make_hospital, make_patient
from tests.factories.webapp import staff_actor

PHONE = "13812341234"
CARD = "XL00012345"


@pytest.fixture
def hospital_id(database: Database) -> Id:
    with database.write(SYSTEM) as session:
        return make_hospital(session)


def test_the_same_document_is_the_same_patient(database: Database, hospital_id: Id) -> None:
    with database.write(SYSTEM) as session:
        first = make_patient(session, hospital_id)
    with database.write(SYSTEM) as session:
        again = make_patient(session, hospital_id)
        assert again.id == first.id
    with pytest.raises(IdentityDiffers), database.write(SYSTEM) as session:
        make_patient(session, hospital_id, name="李四")


def test_two_desks_at_once_make_one_record(database: Database, hospital_id: Id) -> None:
    gate, made = threading.Barrier(4), []

    def register() -> None:
        gate.wait()
        with database.write(SYSTEM) as session:
            made.append(make_patient(session, hospital_id).id)

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1


def test_found_by_card_number_phone_name_and_initials(database: Database, hospital_id: Id) -> None:
    with database.write(SYSTEM) as session:
        patient = make_patient(session, hospital_id, phone=PHONE, card_number=CARD)
        make_patient(session, hospital_id, sequence=2, name="李四")
        other = make_hospital(session, "H2")
    for words in (CARD, PHONE, id_number(1), "王建", "wjg", "wangjian"):
        with database.read(SYSTEM) as session:
            found = queries.search_patients(session, hospital_id=hospital_id, text=words)
            assert [view.id for view in found] == [patient.id], words
            assert queries.search_patients(session, hospital_id=other, text=words) == []
    view = found[0]
    assert (view.name_masked, view.phone_masked) == ("王*国", "138****1234")
    assert (view.card_masked, view.age) == ("****2345", 66)


def test_a_search_takes_three_queries_at_most(database: Database, hospital_id: Id) -> None:
    with database.write(SYSTEM) as session:
        for sequence in range(1, 30):
            make_patient(session, hospital_id, sequence=sequence, name="王建国")
    statements: list[str] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda *args: statements.append(args[2]) if args[2].startswith("SELECT") else None,
    )
    for words in ("王", PHONE, "wjg"):
        statements.clear()
        with database.read(SYSTEM) as session:
            queries.search_patients(session, hospital_id=hospital_id, text=words)
        assert len(statements) <= 3, statements


def test_a_lost_card_opens_nothing_and_may_be_given_again(
    database: Database, hospital_id: Id
) -> None:
    with database.write(SYSTEM) as session:
        patient = make_patient(session, hospital_id, card_number=CARD)
        other = make_patient(session, hospital_id, sequence=2, name="李四")
    with pytest.raises(IdentifierTaken), database.write(SYSTEM) as session:
        service.add_identifier(
            session, patient_id=other.id, system=IdentifierSystem.HOSPITAL_CARD, value=CARD
        )
    with database.write(SYSTEM) as session:
        identifier = session.query(PatientIdentifier).one()
        service.invalidate_identifier(
            session, identifier_id=identifier.id, status=IdentifierStatus.LOST
        )
    with pytest.raises(CardUnknown), database.read(SYSTEM) as session:
        queries.find_by_identifier(
            session, hospital_id=hospital_id, system=IdentifierSystem.HOSPITAL_CARD, value=CARD
        )
    with database.write(SYSTEM) as session:
        service.add_identifier(
            session, patient_id=other.id, system=IdentifierSystem.HOSPITAL_CARD, value=CARD
        )
    assert patient.id != other.id


def test_wrong_numbers_are_refused_and_nothing_is_written(
    database: Database, hospital_id: Id
) -> None:
    with pytest.raises(IdNumberInvalid), database.write(SYSTEM) as session:
        service.register_patient(
            session, hospital_id=hospital_id, name="王建国", sex=1,
            birth_date=dt.date(1949, 12, 31), id_kind="01", id_number="110105194912310020",
        )  # fmt: skip


def test_a_stale_form_is_refused(database: Database, hospital_id: Id) -> None:
    with database.write(SYSTEM) as session:
        patient = make_patient(session, hospital_id)
    with database.write(SYSTEM) as session:
        service.update_contact(
            session, patient_id=patient.id, version=1, phone=PHONE, address="北京"
        )
    with pytest.raises(StaleVersion), database.write(SYSTEM) as session:
        service.update_contact(session, patient_id=patient.id, version=1, phone=None, address=None)


def test_revealing_needs_a_permission_and_is_remembered(
    database: Database, hospital_id: Id
) -> None:
    with database.write(SYSTEM) as session:
        patient = make_patient(session, hospital_id, phone=PHONE)
    reader = staff_actor(hospital_id, Permission.PATIENTS_PATIENT_READ)
    revealer = staff_actor(hospital_id, Permission.PATIENTS_PATIENT_REVEAL)
    with pytest.raises(Forbidden), database.write(reader) as session:
        service.reveal_patient(session, patient_id=patient.id, field=service.Field.PHONE)
    with database.write(revealer) as session:
        whole = service.reveal_patient(session, patient_id=patient.id, field=service.Field.PHONE)
    assert whole == PHONE
    with database.read() as session:
        actions = session.scalars(text("SELECT action FROM kernel_audit_event")).all()
    assert "patients.reveal_patient" in actions


def test_no_table_holds_a_number_in_clear(database: Database, hospital_id: Id) -> None:
    with database.write(SYSTEM) as session:
        make_patient(session, hospital_id, phone=PHONE, card_number=CARD)
    with database.read() as session:
        for table in inspect(database.engine).get_table_names():
            dump = repr(session.execute(text(f"SELECT * FROM {table}")).all())
            for secret in (PHONE, CARD, id_number(1)):
                assert secret not in dump, table
