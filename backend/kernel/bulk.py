"""Many rows at once: COPY on PostgreSQL, batches of inserts on SQLite; memory stays constant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import DeclarativeBase, Session

BATCH = 1000


def copy_rows(
    session: Session,
    model: type[DeclarativeBase],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> int:
    """Insert ``rows`` (values in the order of ``columns``) in this transaction; how many there were.

    ``rows`` is read as it is written, so it may be a generator over a file. Defaults of the model are not
    applied: every column without a database default must be given.
    """
    count = 0
    if session.get_bind().dialect.name == "sqlite":
        remaining = iter(rows)
        while batch := list(islice(remaining, BATCH)):
            session.execute(insert(model), [dict(zip(columns, row, strict=True)) for row in batch])
            count += len(batch)
        return count
    table = model.__tablename__
    driver: Any = session.connection().connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
