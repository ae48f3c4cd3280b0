"""Re-encryption of every sealed column from older keys of the ring to the newest, while the system runs.

The registry is the models themselves: a column made by ``kernel.db.sealed_column`` names what it is sealed for, and
``sealed_columns`` finds them all. How far a rotation is stands in the values (each begins with its key's id), so one
that was killed goes on where it was, and one that is run again finds nothing to do.

A value is replaced only while it is still the one that was read: what the system writes meanwhile always wins, no row
is locked for longer than one batch, and no ``version`` moves under an open form. The blind index has a key of its
own and is not touched (docs/adr/0020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Row, Table, func, literal, select, update
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.crypto import KeyRing, SealBroken
from backend.kernel.db import SEALED_FOR, Base
from backend.kernel.permissions import Actor
from backend.kernel.uow import Database, keys

#: A batch is one transaction, which holds what it has replaced until it ends: a fraction of a second for so many.
BATCH = 100
#: At most so many broken values are named; the rest are only counted.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One column of sealed values, the table's only primary key, and the context its values are sealed for."""

    table: Table
    column: Column[bytes]
    key: Column[Any]
    context: str

    @property
    def name(self) -> str:
        """``table.column``."""
        return f"{self.table.name}.{self.column.name}"


@dataclass(slots=True)
class ColumnCount:
    """How many values of a column begin as each key's do; only opening them tells which of those are broken."""

    name: str
    total: int
    by_key: dict[str, int]

    @property
    def unknown(self) -> int:
        """Values of no key of the ring."""
        return self.total - sum(self.by_key.values())


@dataclass(slots=True)
class Rotation:
    """What a run did: values re-encrypted by column, those somebody else changed first, and those nobody can open."""

    moved: dict[str, int] = field(default_factory=dict)
    overtaken: int = 0
    broken_count: int = 0
    broken: list[str] = field(default_factory=list)


def sealed_columns() -> list[SealedColumn]:
    """Every sealed column of the schema, by name. ValueError for one in a table without a single primary key."""
    found = []
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            context = column.info.get(SEALED_FOR)
            if context is None:
                continue
            key = list(table.primary_key.columns)
            if len(key) != 1:
                raise ValueError(f"{table.name} needs one primary key to be re-encrypted")
            found.append(SealedColumn(table, column, key[0], context))
    return sorted(found, key=lambda one: one.name)


def count_by_key(session: Session) -> list[ColumnCount]:
    """For every sealed column: its values, and how many each key of the ring has sealed; one query a column."""
    ring = keys(session)
    counts = []
    for one in sealed_columns():
        sums = [
            func.count().filter(_begins(one.column, ring.prefix(key_id))) for key_id in ring.key_ids
        ]
        row = session.execute(
            select(func.count(), *sums).select_from(one.table).where(one.column.is_not(None))
        ).one()
        numbers = dict(zip(ring.key_ids, (int(number) for number in row[1:]), strict=True))
        counts.append(ColumnCount(one.name, int(row[0]), numbers))
    return counts


def rotate(
    database: Database,
    actor: Actor,
    *,
    batch: int = BATCH,
    progress: Callable[[str, int], None] = lambda _name, _number: None,
) -> Rotation:
    """Re-encrypt everything not sealed by the newest key, ``batch`` rows a transaction.

    ``progress(column, rows)`` is told after each commit. Values that no key opens are left as they are and named.
    """
    done = Rotation()
    for one in sealed_columns():
        after: Any = None
        while True:
            with database.write(actor) as session:
                rows = _next_rows(session, one, after, batch)
                if not rows:
                    break
                moved = _reseal(session, one, rows, done)
                if moved:
                    audit.record(
                        session,
                        "kernel.rotate_keys",
                        entity="column",
                        entity_id=one.name[:64],
                        key=database.keys.sealing_id,
                        rows=moved,
                    )
            after = rows[-1][0]
            done.moved[one.name] = done.moved.get(one.name, 0) + moved
            progress(one.name, len(rows))
    return done


def _next_rows(
    session: Session, one: SealedColumn, after: Any, batch: int
) -> list[Row[Any, bytes]]:
    """The next rows by primary key whose value another key sealed."""
    newest = keys(session).prefix(keys(session).sealing_id)
    statement = (
        select(one.key, one.column)
        .where(one.column.is_not(None), ~_begins(one.column, newest))
        .order_by(one.key)
        .limit(batch)
    )
    if after is not None:
        statement = statement.where(one.key > after)
    return list(session.execute(statement))


def _reseal(
    session: Session, one: SealedColumn, rows: list[Row[Any, bytes]], done: Rotation
) -> int:
    """Replace each value that is still the one read; how many were."""
    ring, moved = keys(session), 0
    for key, old in rows:
        new = _resealed(ring, one, key, old, done)
        if new is None:
            continue
        changed = session.execute(
            update(one.table).where(one.key == key, one.column == old).values({one.column: new})
        )
        if changed.rowcount:  # type: ignore[attr-defined]
            moved += 1
        else:
            done.overtaken += 1
    return moved


def _resealed(
    ring: KeyRing, one: SealedColumn, key: Any, old: bytes, done: Rotation
) -> bytes | None:
    try:
        return ring.seal(ring.open(old, one.context), one.context)
    except SealBroken as error:
        done.broken_count += 1
        if len(done.broken) < MOST_NAMED:
            done.broken.append(f"{one.name}, row {key}: {error}")
        return None


def _begins(column: Column[bytes], prefix: bytes) -> Any:
    return func.substr(column, 1, len(prefix)) == literal(prefix)


def unused_keys(counts: list[ColumnCount], ring: KeyRing) -> Iterator[str]:
    """Older keys of the ring that no value uses: they can be taken out of it."""
    for key_id in ring.key_ids:
        if key_id != ring.sealing_id and not any(count.by_key[key_id] for count in counts):
            yield key_id
