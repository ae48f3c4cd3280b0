"""Counting what a database is asked, for tests that pages and reads stay within a fixed number of queries."""

from __future__ import annotations

from typing import Self

from sqlalchemy import event

from backend.kernel.uow import Database


class Statements:
    """Counts the SELECTs of a database while it is open."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self.count = 0

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._see)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._see)

    def _see(self, _conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        self.count += statement.lstrip().upper().startswith("SELECT")
