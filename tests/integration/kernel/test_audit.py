"""The audit chain on both databases: sealed in order and in batches, and every way to bend it is seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from backend.kernel import audit
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.uow import Database
from backend.kernel.verify import VerifyReport
from tests.factories.databases import SYSTEM


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "heads.log"


def write(database: Database, number: int) -> None:
    for index in range(number):
        with database.write(SYSTEM) as session:
            audit.record(session, "test.act", entity="thing", entity_id=str(index), n=index)


def verify(database: Database, heads: Path) -> VerifyReport:
    with database.read() as session:
        return audit.verify(session, heads)


def drop_guards(database: Database) -> None:
    sqlite = ("kernel_audit_no_delete", "kernel_audit_seal_once")
    postgresql = ("kernel_audit_guard", "kernel_audit_no_truncate")
    where = "" if database.is_sqlite else " ON kernel_audit_event"
    with database.write(housekeeping=True) as session:
        for name in sqlite if database.is_sqlite else postgresql:
            session.execute(text(f"DROP TRIGGER {name}{where}"))


def bend(database: Database, *statements: str) -> None:
    drop_guards(database)
    with database.write(housekeeping=True) as session:
        for statement in statements:
            session.execute(text(statement))


def rows(database: Database) -> list[AuditEvent]:
    with database.read() as session:
        return list(session.scalars(select(AuditEvent).order_by(AuditEvent.id)))


def test_a_reason_in_free_words_is_kept_without_numbers(database: Database) -> None:
    with database.write(SYSTEM) as session:
        reason = "患者13812345678要求退费"
        audit.record(session, "test.act", entity="thing", entity_id="1", reason=reason)
    assert rows(database)[0].detail == {"reason": "患者***要求退费"}


def test_rows_are_sealed_in_order_across_batches(
    database: Database, heads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "BATCH", 3)
    write(database, 7)
    assert audit.seal(database, heads) == 7
    assert [row.seal_no for row in rows(database)] == [1, 2, 3, 4, 5, 6, 7]
    assert [line.split()[0] for line in heads.read_text().splitlines()] == ["3", "6", "7"]
    report = verify(database, heads)
    assert report.problems == []
    assert report.counts == {"sealed audit rows": 7, "unsealed audit rows": 0}


def test_sealing_again_changes_nothing_and_goes_on_where_it_ended(
    database: Database, heads: Path
) -> None:
    write(database, 2)
    audit.seal(database, heads)
    first = heads.read_text()
    assert audit.seal(database, heads) == 0
    assert heads.read_text() == first
    write(database, 1)
    assert audit.seal(database, heads) == 1
    assert verify(database, heads).problems == []


def test_nothing_to_seal_writes_no_head(database: Database, heads: Path) -> None:
    assert audit.seal(database, heads) == 0
    assert not heads.exists()


def test_the_unsealed_tail_is_reported_with_its_age(
    database: Database, heads: Path, clock: FixedClock
) -> None:
    write(database, 1)
    audit.seal(database, heads)
    write(database, 3)
    clock.advance(dt.timedelta(minutes=5))
    report = verify(database, heads)
    assert report.is_sound
    assert report.counts["unsealed audit rows"] == 3
    assert report.notes == ["oldest unsealed row is 0:05:00 old"]


@pytest.mark.parametrize(
    "change",
    [
        "action = 'test.other'",
        "entity_id = '99'",
        "actor_label = 'nobody'",
        "request_id = 'x'",
        "detail = '{\"n\": 77}'",
        "at = '2026-11-23 00:30:01'",
        "patient_id = '01937a3e8f1b7c3d9a4e138123412340'",
    ],
)
def test_any_edited_column_names_its_row(database: Database, heads: Path, change: str) -> None:
    write(database, 4)
    audit.seal(database, heads)
    row = rows(database)[2]
    bend(database, f"UPDATE kernel_audit_event SET {change} WHERE id = {row.id}")
    assert verify(database, heads).problems == [f"audit row {row.id} (seal number 3) was changed"]


def test_a_deleted_row_is_named_and_only_it(database: Database, heads: Path) -> None:
    write(database, 4)
    audit.seal(database, heads)
    after = rows(database)[2]
    bend(database, "DELETE FROM kernel_audit_event WHERE seal_no = 2")
    report = verify(database, heads)
    assert report.problems == ["audit row with seal number 2 is missing"]
    assert report.notes == [f"audit row {after.id} follows the gap, so its own hash proves nothing"]


def test_a_deleted_stretch_is_named(database: Database, heads: Path) -> None:
    write(database, 5)
    audit.seal(database, heads)
    bend(database, "DELETE FROM kernel_audit_event WHERE seal_no IN (1, 2, 3)")
    assert verify(database, heads).problems == ["audit row with seal number 1 to 3 is missing"]


def test_rows_missing_from_the_end_are_found_by_the_head_outside(
    database: Database, heads: Path
) -> None:
    write(database, 4)
    audit.seal(database, heads)
    bend(database, "DELETE FROM kernel_audit_event WHERE seal_no > 2")
    told = "audit rows with seal numbers 3 to 4 are missing from the end"
    assert verify(database, heads).problems == [told]
    audit.seal(database, heads)
    assert verify(database, heads).problems == [told]


def test_an_emptied_table_is_not_a_fresh_one(database: Database, heads: Path) -> None:
    write(database, 2)
    audit.seal(database, heads)
    bend(database, "DELETE FROM kernel_audit_event")
    assert not verify(database, heads).is_sound


def test_a_chain_made_anew_differs_from_the_head_outside(database: Database, heads: Path) -> None:
    """Somebody who rewrites every hash after an edit is betrayed by the file, also after the sealer ran again."""
    write(database, 4)
    audit.seal(database, heads)
    drop_guards(database)
    rewrite(database, lambda row: setattr(row, "entity_id", "forged"))
    assert verify(database, heads).problems == ["seal number 4 differs from the head kept outside"]
    audit.seal(database, heads)
    write(database, 1)
    audit.seal(database, heads)
    assert verify(database, heads).problems == ["seal number 4 differs from the head kept outside"]


def rewrite(database: Database, change: Callable[[AuditEvent], Any]) -> None:
    """Change the first row and chain everything again."""
    with database.write(housekeeping=True) as session:
        chain = list(session.scalars(select(AuditEvent).order_by(AuditEvent.seal_no)))
        change(chain[0])
        head = audit.GENESIS
        for row in chain:
            head = row.digest(head)
            row.seal_hash = head


def test_a_line_torn_off_by_a_crash_is_healed_by_the_next_run(
    database: Database, heads: Path
) -> None:
    write(database, 2)
    audit.seal(database, heads)
    whole = heads.read_text()
    heads.write_text(whole[:30])
    assert verify(database, heads).is_sound
    audit.seal(database, heads)
    assert heads.read_text() == f"{whole[:30]}\n{whole}"
    assert verify(database, heads).is_sound


def test_the_one_time_seal_is_the_only_change_the_database_allows(
    database: Database, heads: Path
) -> None:
    write(database, 2)
    audit.seal(database, heads)
    write(database, 1)
    for statement in (
        "UPDATE kernel_audit_event SET entity_id = 'x' WHERE seal_no IS NULL",
        "UPDATE kernel_audit_event SET seal_no = 9, action = 'x' WHERE seal_no IS NULL",
        "UPDATE kernel_audit_event SET seal_no = NULL, seal_hash = NULL",
        "UPDATE kernel_audit_event SET seal_hash = seal_hash WHERE seal_no = 1",
        "DELETE FROM kernel_audit_event WHERE seal_no IS NULL",
    ):
        with pytest.raises(DBAPIError), database.write(housekeeping=True) as session:
            session.execute(text(statement))
    assert len(rows(database)) == 3


def test_two_rows_never_share_a_place_in_the_chain(database: Database, heads: Path) -> None:
    write(database, 2)
    with pytest.raises(DBAPIError), database.write(housekeeping=True) as session:
        session.execute(text("UPDATE kernel_audit_event SET seal_no = 1"))


def test_truncating_is_refused_too(postgres_database: Database) -> None:
    write(postgres_database, 1)
    with pytest.raises(DBAPIError), postgres_database.write(housekeeping=True) as session:
        session.execute(text("TRUNCATE kernel_audit_event"))
