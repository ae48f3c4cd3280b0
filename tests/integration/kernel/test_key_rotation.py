"""Keys are rotated on both databases: every sealed column, in batches, killed and resumed, beside readers, writers."""

from __future__ import annotations

import pytest
from sqlalchemy import LargeBinary, select

from backend.billing import service as billing
from backend.billing.models import CardTerminal, Payment
from backend.identity.models import SecondFactor
from backend.identity.rules import Role
from backend.kernel import key_rotation
from backend.kernel.audit import AuditEvent
from backend.kernel.crypto import KeyRing
from backend.kernel.db import Base
from backend.kernel.uow import Database, keys
from backend.patients import service as patients
from backend.patients.models import Patient, PatientIdentifier
from tests.factories.billing import swipe_card
from tests.factories.clinic import make_clinic
from tests.factories.databases import SYSTEM
from tests.factories.people import id_number, make_patient
from tests.factories.staff import give_factor, make_account

OLD, NEW, INDEX = bytes(range(32)), bytes(range(7, 39)), bytes(range(32, 64))
BOTH = {"t1": OLD, "key-2": NEW}
PEOPLE = 5


@pytest.fixture
def filled(database: Database) -> Database:
    """A value of the old key in every sealed column of the schema."""
    clinic = make_clinic(database, patients=0)
    give_factor(database, make_account(database, clinic, "admin", Role.ADMINISTRATOR))
    with database.write(SYSTEM) as session:
        factor = session.scalars(select(SecondFactor)).one()
        factor.pending_sealed = factor.secret_sealed
        for number in range(1, PEOPLE + 1):
            person = make_patient(
                session,
                clinic.hospital_id,
                sequence=number,
                phone=f"1381234000{number}",
                card_number=f"MC{number:06d}",
            )
            session.flush()
            patients.update_contact(
                session,
                patient_id=person.id,
                version=person.version,
                phone=f"1381234000{number}",
                address=f"朝阳区 {number} 号",
            )
        payment_id = swipe_card(session, clinic.hospital_id, person.id, "6299990000000017")
        claim = billing.claim_insurance(
            session,
            invoice_id=session.get_one(Payment, payment_id).invoice_id,
            credential="310000001",
        )
        claim.person_sealed = keys(session).seal("3100", "billing_insurance_claim.person")
        session.add(
            CardTerminal(
                terminal_id="XL000001",
                batch=1,
                last_trace=0,
                mac_key_sealed=keys(session).seal("00" * 16, "billing_card_terminal.mac_key"),
            )
        )
    return database


def with_ring(database: Database, ring: dict[str, bytes]) -> Database:
    database.keys = KeyRing(ring, INDEX)
    return database


def numbers(database: Database) -> dict[str, dict[str, int]]:
    with database.read() as session:
        return {count.name: count.by_key for count in key_rotation.count_by_key(session)}


def opened(database: Database) -> set[str]:
    """Everything sealed, opened for what the registry says it was sealed for."""
    texts = set()
    with database.read() as session:
        for one in key_rotation.sealed_columns():
            for value in session.scalars(select(one.column).where(one.column.is_not(None))):
                texts.add(keys(session).open(value, one.context))
    return texts


def test_the_registry_knows_what_each_column_is_sealed_for_and_misses_none(
    filled: Database,
) -> None:
    """Any value of any table that looks sealed lies in a registered column, and opens for its context."""
    registered = {one.name for one in key_rotation.sealed_columns()}
    prefix = filled.keys.prefix("t1")
    found = set()
    with filled.read() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if not isinstance(column.type, LargeBinary):
                    continue
                values = session.scalars(select(column).where(column.is_not(None))).all()
                if any(value.startswith(prefix) for value in values):
                    found.add(f"{table.name}.{column.name}")
    assert found == registered
    assert {id_number(1), "13812340001", "MC000001", "朝阳区 1 号"} <= opened(filled)


def test_everything_moves_to_the_newest_key_and_still_opens(filled: Database) -> None:
    before = opened(filled)
    with_ring(filled, BOTH)
    steps: list[tuple[str, int]] = []
    done = key_rotation.rotate(
        filled, SYSTEM, batch=2, progress=lambda name, rows: steps.append((name, rows))
    )
    assert done.moved["patients_patient.id_number_sealed"] == PEOPLE
    assert (done.overtaken, done.broken_count) == (0, 0)
    assert [rows for name, rows in steps if name == "patients_patient.phone_sealed"] == [2, 2, 1]
    for by_key in numbers(filled).values():
        assert by_key["t1"] == 0
        assert by_key["key-2"] > 0
    assert opened(filled) == before
    with_ring(filled, {"key-2": NEW})  # the old key is taken out
    assert opened(filled) == before
    with filled.read() as session:
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "kernel.rotate_keys")
        ).all()
        assert sum(row.detail["rows"] for row in rows) == sum(done.moved.values())
        assert not any("138" in str(row.detail) for row in rows)


def test_a_second_run_finds_nothing(filled: Database) -> None:
    with_ring(filled, BOTH)
    key_rotation.rotate(filled, SYSTEM)
    assert key_rotation.rotate(filled, SYSTEM).moved == {}


def test_killed_half_way_it_is_read_by_both_keys_and_goes_on(filled: Database) -> None:
    before = opened(filled)
    with_ring(filled, BOTH)

    def die(_name: str, _rows: int) -> None:
        raise KeyboardInterrupt

    for _ in range(7):  # past the columns of one value
        with pytest.raises(KeyboardInterrupt):
            key_rotation.rotate(filled, SYSTEM, batch=2, progress=die)
    mixed = numbers(filled)
    assert any(by["t1"] and by["key-2"] for by in mixed.values())
    assert opened(filled) == before
    rest = key_rotation.rotate(filled, SYSTEM, batch=2)
    total = sum(by["t1"] for by in mixed.values())
    assert sum(rest.moved.values()) == total
    assert opened(filled) == before


def test_the_blind_index_is_as_it_was_and_people_are_found(filled: Database) -> None:
    with filled.read() as session:
        before = set(session.scalars(select(PatientIdentifier.value_index)))
    with_ring(filled, BOTH)
    key_rotation.rotate(filled, SYSTEM)
    with filled.read() as session:
        assert set(session.scalars(select(PatientIdentifier.value_index))) == before
        index = keys(session).blind_index("13812340003", "patients_patient.phone")
        assert session.scalars(select(Patient.id).where(Patient.phone_index == index)).one()


def test_no_form_grows_stale_and_no_version_moves(filled: Database) -> None:
    with filled.read() as session:
        before = list(session.scalars(select(Patient.version).order_by(Patient.id)))
    with_ring(filled, BOTH)
    key_rotation.rotate(filled, SYSTEM)
    with filled.read() as session:
        assert list(session.scalars(select(Patient.version).order_by(Patient.id))) == before


def test_a_broken_value_is_named_left_alone_and_stops_nothing(filled: Database) -> None:
    with filled.write(SYSTEM, housekeeping=True) as session:
        broken = session.scalars(select(Patient).order_by(Patient.id)).first()
        assert broken is not None
        broken.phone_sealed = b"sealed"
        broken_id = broken.id
    with_ring(filled, BOTH)
    done = key_rotation.rotate(filled, SYSTEM, batch=1)
    assert done.broken_count == 1
    assert str(broken_id) in done.broken[0]
    assert done.moved["patients_patient.phone_sealed"] == PEOPLE - 1
    with filled.read() as session:
        counts = {count.name: count for count in key_rotation.count_by_key(session)}
        assert counts["patients_patient.phone_sealed"].unknown == 1


def test_a_key_is_named_as_unused_only_when_no_value_has_it(filled: Database) -> None:
    with_ring(filled, {"t0": bytes(32), **BOTH})
    with filled.read() as session:
        counts = key_rotation.count_by_key(session)
        assert list(key_rotation.unused_keys(counts, filled.keys)) == ["t0"]
    key_rotation.rotate(filled, SYSTEM)
    with filled.read() as session:
        counts = key_rotation.count_by_key(session)
        assert list(key_rotation.unused_keys(counts, filled.keys)) == ["t0", "t1"]


def test_ids_of_keys_that_begin_alike_are_told_apart(filled: Database) -> None:
    """``t1`` and ``t10``: the id's length stands before it."""
    with_ring(filled, {"t1": OLD, "t10": NEW})
    key_rotation.rotate(filled, SYSTEM)
    assert {by["t1"] for by in numbers(filled).values()} == {0}
