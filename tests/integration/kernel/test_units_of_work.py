"""Units of work on both databases: audit demanded, reads cannot write, versions count, seals hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.kernel import audit, idempotency, live
from backend.kernel.errors import Conflict
from backend.kernel.ids import Id
from backend.kernel.uow import AuditMissing, Database
from backend.organization import service
from backend.organization.queries import Hospital, get_hospital
from tests.factories.databases import SYSTEM


@pytest.fixture
def hospital_id(database: Database) -> Id:
    with database.write(SYSTEM) as session:
        return service.add_hospital(session, code="X", name="杏林").id


def test_a_change_without_an_audit_row_is_refused_and_rolled_back(
    database: Database, hospital_id: Id
) -> None:
    with pytest.raises(AuditMissing), database.write(SYSTEM) as session:
        get_hospital(session, hospital_id).name = "改了"
    with database.read() as session:
        assert get_hospital(session, hospital_id).name == "杏林"


def test_a_read_cannot_write(database: Database, hospital_id: Id) -> None:
    with pytest.raises(DBAPIError), database.read() as session:
        session.execute(text("UPDATE organization_hospital SET name = 'x'"))


def test_versions_count_changes(database: Database, hospital_id: Id) -> None:
    with database.write(SYSTEM) as session:
        hospital = session.get_one(Hospital, hospital_id)
        hospital.name = "新"
        audit.record(session, "test.rename", entity="hospital", entity_id=hospital_id)
    with database.read() as session:
        assert get_hospital(session, hospital_id).version == 2


def test_the_same_key_acts_once_and_another_request_under_it_is_refused(
    database: Database,
) -> None:
    with database.write(SYSTEM) as session:
        first = idempotency.once(session, "test", "key", {"a": 1}, lambda: {"n": 1})
    with database.write(SYSTEM) as session:
        again = idempotency.once(session, "test", "key", {"a": 1}, lambda: {"n": 2})
    assert first == again == {"n": 1}
    with pytest.raises(Conflict), database.write(SYSTEM) as session:
        idempotency.once(session, "test", "key", {"a": 2}, lambda: {"n": 3})


def test_streams_are_numbered_without_holes(database: Database) -> None:
    with database.write(SYSTEM) as session:
        live.append(session, "hall:1", {"call": "A001"})
    with pytest.raises(RuntimeError), database.write(SYSTEM) as session:
        live.append(session, "hall:1", {"call": "rolled back"})
        raise RuntimeError
    with database.write(SYSTEM) as session:
        assert live.append(session, "hall:1", {"call": "A002"}) == 2
    with database.read() as session:
        missed = live.missed_since(session, "hall:1", 1)
        assert [message["payload"] for message in missed] == [{"call": "A002"}]


def test_sealed_audit_rows_verify_and_cannot_be_changed(
    database: Database, hospital_id: Id, tmp_path: Path
) -> None:
    heads = tmp_path / "heads"
    assert audit.seal(database, heads) == 1
    with database.read() as session:
        report = audit.verify(session, heads)
    assert report.is_sound
    assert report.counts["sealed audit rows"] == 1
    for statement in (
        "UPDATE kernel_audit_event SET action = 'x'",
        "UPDATE kernel_audit_event SET seal_no = 7",
        "DELETE FROM kernel_audit_event",
    ):
        with pytest.raises(DBAPIError), database.write(housekeeping=True) as session:
            session.execute(text(statement))
