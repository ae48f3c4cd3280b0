"""A value that the system writes while it is being re-encrypted is kept; an unconditional write would lose it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.kernel import key_rotation
from backend.kernel.crypto import KeyRing
from backend.kernel.key_rotation import Rotation, SealedColumn
from backend.kernel.uow import Database, keys
from backend.patients import service as patients
from backend.patients.models import Patient
from tests.factories.databases import SYSTEM
from tests.factories.people import make_hospital, make_patient

BEFORE, AFTER = "13812340001", "13987654321"
RING = KeyRing({"t1": bytes(range(32)), "t2": bytes(range(1, 33))}, bytes(range(32, 64)))
PHONE = "patients_patient.phone"


@pytest.fixture
def database(postgres_database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """One patient, whose phone somebody changes between the rotation's look at it and its write."""
    with postgres_database.write(SYSTEM) as session:
        patient_id = make_patient(session, make_hospital(session), phone=BEFORE).id
    postgres_database.keys = RING
    real = key_rotation._resealed

    def meanwhile(
        ring: KeyRing, one: SealedColumn, key: Any, old: bytes, done: Rotation
    ) -> bytes | None:
        if one.name == "patients_patient.phone_sealed":
            with postgres_database.write(SYSTEM) as session:
                patients.update_contact(
                    session, patient_id=patient_id, version=1, phone=AFTER, address=None
                )
        return real(ring, one, key, old, done)

    monkeypatch.setattr(key_rotation, "_resealed", meanwhile)
    return postgres_database


def phone(database: Database) -> str:
    with database.read() as session:
        sealed = session.scalars(select(Patient.phone_sealed)).one()
        assert sealed is not None
        return keys(session).open(sealed, PHONE)


def test_what_the_system_writes_meanwhile_wins(database: Database) -> None:
    done = key_rotation.rotate(database, SYSTEM)
    assert done.overtaken == 1
    assert phone(database) == AFTER
    with database.read() as session:
        counts = {count.name: count.by_key for count in key_rotation.count_by_key(session)}
    assert counts["patients_patient.phone_sealed"] == {"t1": 0, "t2": 1}


def test_without_the_condition_it_would_be_lost(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""

    def unconditional(session: Session, one: SealedColumn, rows: list[Any], done: Rotation) -> int:
        for key, old in rows:
            new = key_rotation._resealed(keys(session), one, key, old, done)
            session.execute(update(one.table).where(one.key == key).values({one.column: new}))
        return len(rows)

    monkeypatch.setattr(key_rotation, "_reseal", unconditional)
    key_rotation.rotate(database, SYSTEM)
    assert phone(database) == BEFORE
