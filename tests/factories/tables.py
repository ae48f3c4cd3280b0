"""Looks through every table of a database for texts, whatever column and type they hide in."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import text

from backend.kernel.db import Base
from backend.kernel.uow import Database


def find_texts(database: Database, needles: Iterable[str]) -> dict[str, set[str]]:
    """Which of ``needles`` stand in clear where: needle → {"table.column"}. Looks inside JSON and bytes too."""
    wanted = set(needles)
    found: dict[str, set[str]] = {}
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(text(f'SELECT * FROM "{table.name}"')).mappings():
                for column, value in row.items():
                    for needle in wanted:
                        if value is not None and _holds(value, needle):
                            found.setdefault(needle, set()).add(f"{table.name}.{column}")
    return found


def count_rows(database: Database, table: str) -> int:
    """How many rows a table has."""
    with database.read() as session:
        return int(session.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one())


def _holds(value: object, needle: str) -> bool:
    if isinstance(value, bytes | memoryview):
        return needle.encode() in bytes(value)
    if isinstance(value, dict | list):
        return needle in json.dumps(value, ensure_ascii=False)
    # SQLite keeps JSON as text in which Chinese characters may be escaped.
    return needle in str(value) or json.dumps(needle)[1:-1] in str(value)
