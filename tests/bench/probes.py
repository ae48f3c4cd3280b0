"""What a request asked of the database: its statements, counted, and the plans PostgreSQL makes for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event, text

#: A sequential scan below this many rows is the right plan.
SMALL_TABLE = 10_000


@dataclass
class Statements:
    """The statements sent while watching, with their parameters."""

    sent: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many queries; savepoints and settings of the session are none."""
        return len(self.sent)


@contextmanager
def watching(engine: Engine) -> Iterator[Statements]:
    """Collect what is sent to ``engine`` during the block."""
    seen = Statements()

    def note(
        _connection: object, _cursor: object, statement: str, parameters: Any, *_: object
    ) -> None:
        if statement.lstrip()[:6].upper() in ("SELECT", "INSERT", "UPDATE", "DELETE") or (
            statement.lstrip()[:4].upper() == "WITH"
        ):
            seen.sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


class Planner:
    """Explains statements and finds scans of whole large tables."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with engine.connect() as connection:
            rows = connection.execute(
                text("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'")
            )
            self._sizes = {name: int(size) for name, size in rows}

    def large_scans(self, statements: Statements) -> list[str]:
        """``table (rows): condition`` for each sequential scan over a large table."""
        found: list[str] = []
        with self._engine.connect() as connection:
            for statement, parameters in statements.sent:
                plan = connection.exec_driver_sql(
                    f"EXPLAIN (FORMAT JSON) {statement}", parameters or ()
                ).scalar_one()
                for node in _nodes(plan[0]["Plan"]):
                    table = str(node.get("Relation Name", ""))
                    rows = self._sizes.get(table, 0)
                    if node["Node Type"].endswith("Seq Scan") and rows > SMALL_TABLE:
                        found.append(f"{table} ({rows:,}): {node.get('Filter', 'no condition')}")
            connection.rollback()
        return found


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)
