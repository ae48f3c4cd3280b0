"""How a reading unit of work ends."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, event, select, text

from backend.kernel.dispatcher import HEARTBEAT, Heartbeat
from backend.kernel.uow import Database
from tests.factories.databases import MONDAY_MORNING, SYSTEM


@pytest.fixture
def ends(database: Database) -> list[str]:
    """How each transaction of the database ended."""
    found: list[str] = []
    event.listen(database.engine, "rollback", lambda _connection: found.append("rollback"))
    event.listen(database.engine, "commit", lambda _connection: found.append("commit"))
    return found


def test_it_commits_because_a_rollback_costs_all_prepared_statements(
    database: Database, ends: list[str]
) -> None:
    with database.read(SYSTEM) as session:
        session.execute(text("SELECT 1"))
    assert ends == ["commit"]


def test_after_an_error_it_rolls_back(database: Database, ends: list[str]) -> None:
    with pytest.raises(LookupError), database.read(SYSTEM) as session:
        session.execute(text("SELECT 1"))
        raise LookupError
    assert ends == ["rollback"]


def test_what_was_read_stays_readable_and_a_changed_row_is_never_written(
    database: Database, ends: list[str]
) -> None:
    with database.write(SYSTEM, housekeeping=True) as session:
        session.add(Heartbeat(name=HEARTBEAT, beat_at=MONDAY_MORNING))
    with database.read(SYSTEM) as session:
        beat = session.get_one(Heartbeat, HEARTBEAT)
        beat.beat_at = MONDAY_MORNING.replace(year=2020)
    assert beat.name == HEARTBEAT
    with database.read(SYSTEM) as session:
        assert session.get_one(Heartbeat, HEARTBEAT).beat_at == MONDAY_MORNING
    assert ends == ["commit"] * 3


BEAT = select(Heartbeat.name, Heartbeat.beat_at).where(Heartbeat.name == bindparam("name"))


def test_a_look_up_is_one_statement_and_keeps_no_transaction(database: Database) -> None:
    assert database.look_up(BEAT, {"name": HEARTBEAT}) is None
    with database.write(SYSTEM, housekeeping=True) as session:
        session.add(Heartbeat(name=HEARTBEAT, beat_at=MONDAY_MORNING))
    found = database.look_up(BEAT, {"name": HEARTBEAT})
    assert found is not None
    assert tuple(found) == (HEARTBEAT, MONDAY_MORNING)
    with database.write(SYSTEM, housekeeping=True) as session:
        session.get_one(Heartbeat, HEARTBEAT).beat_at = MONDAY_MORNING.replace(year=2020)
    changed = database.look_up(BEAT, {"name": HEARTBEAT})
    assert changed is not None
    assert changed.beat_at.year == 2020


def test_look_ups_are_prepared_once_a_connection(postgres_database: Database) -> None:
    for _ in range(12):
        postgres_database.look_up(BEAT, {"name": HEARTBEAT})
    with postgres_database.read(SYSTEM) as session:
        prepared = text(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%beat_at%'"
        )
        assert session.scalar(prepared) == 1
