"""The reads of every visit find their rows by index, whatever lies in the tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from backend.billing import queries
from backend.kernel.ids import new_id
from tests.factories.billing import MoneyWorld
from tests.factories.databases import SYSTEM

PATIENT = new_id()
READS: dict[str, Callable[[Session], object]] = {
    "charges_of": lambda session: queries.list_charges_of(session, "order", PATIENT),
    "due": lambda session: queries.list_due(session, PATIENT),
    "invoices": lambda session: queries.list_invoices(session, PATIENT),
    "payments": lambda session: queries.list_payments(session, PATIENT),
    "settling": lambda session: queries.list_settling_payments(session, PATIENT),
    "refunds": lambda session: queries.list_refunds(session, PATIENT),
    "cases": queries.list_open_cases,
}


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_read_scans_a_table(world: MoneyWorld, name: str) -> None:
    seen: list[tuple[str, object]] = []

    def note(
        _conn: object, _cursor: object, statement: str, parameters: object, *_: object
    ) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    engine = world.database.engine
    event.listen(engine, "before_cursor_execute", note)
    with world.database.read(SYSTEM) as session:
        READS[name](session)
    event.remove(engine, "before_cursor_execute", note)
    assert 1 <= len(seen) <= 3
    with engine.connect() as connection:
        for statement, parameters in seen:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
            steps = [row[-1] for row in plan]
            assert not [step for step in steps if step.startswith("SCAN")], (statement, steps)
