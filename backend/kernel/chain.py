"""Claim one row and write all that follows from it, in one round trip where the database can.

For the few paths that must be quick. PostgreSQL runs the whole chain as one statement of data-modifying CTEs;
elsewhere the same steps run one after another inside the unit of work, which holds the write lock there.
A chain is built once, at import: SQLAlchemy then compiles it once, and PostgreSQL plans it once a connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Insert,
    Row,
    Select,
    Table,
    Update,
    bindparam,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.kernel.uow import note_change

#: The columns of the claimed row, as expressions: of the CTE, or parameters where the steps are apart.
Columns = Mapping[str, ColumnElement[Any]]
Values = Callable[[Columns], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class InsertStep:
    """Insert one row of ``table``; ``values`` gives its columns from those of the claimed row."""

    table: Table
    values: Values


@dataclass(frozen=True, slots=True)
class UpdateStep:
    """Set ``values`` on the row of ``table`` whose id is the claimed row's column ``key``."""

    table: Table
    key: str
    values: Values


class Chain:
    """``claim`` (a SELECT of at most one row, locked), then the ``steps``.

    The first step must be an insert, the last defence: when a unique index refuses it, nothing of the chain is
    written and the unit of work stays good. What steps need beyond the claimed row are bound parameters of the run.
    """

    def __init__(
        self, claim: Select[Any], first: InsertStep, rest: Sequence[InsertStep | UpdateStep]
    ) -> None:
        self._claim = claim
        self._whole = _as_one_statement(claim, first, rest)
        self._names = [f"claimed_{column.key}" for column in claim.selected_columns]
        apart = {
            str(column.key): bindparam(f"claimed_{column.key}", type_=column.type)
            for column in claim.selected_columns
        }
        self._first = sqlite.insert(first.table).values(**first.values(apart))
        self._first = self._first.on_conflict_do_nothing()
        self._rest = [_alone(step, apart) for step in rest]

    def run(self, session: Session, values: dict[str, Any]) -> tuple[Row[Any] | None, bool]:
        """The claimed row, None when there is none to claim; and whether the chain was written."""
        session.flush()
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            row = connection.execute(self._whole, values).one_or_none()
            written = row is not None and row.written > 0
        else:
            row = connection.execute(self._claim, values).one_or_none()
            written = row is not None and self._write_apart(session, row, values)
        if written:
            note_change(session)
        return row, written

    def _write_apart(self, session: Session, row: Row[Any], values: dict[str, Any]) -> bool:
        connection = session.connection()
        known = values | dict(zip(self._names, row, strict=True))
        if not connection.execute(self._first, known).rowcount:
            return False
        for statement in self._rest:
            connection.execute(statement, known)
        return True


def _alone(step: InsertStep | UpdateStep, claimed: Columns) -> Insert | Update:
    if isinstance(step, InsertStep):
        return insert(step.table).values(**step.values(claimed)).inline()
    return (
        update(step.table)
        .where(step.table.c.id == claimed[step.key])
        .values(**step.values(claimed))
    )


def _as_one_statement(
    claim: Select[Any], first: InsertStep, rest: Sequence[InsertStep | UpdateStep]
) -> Select[Any]:
    """WITH claimed, taken, done, step … SELECT: steps read ``done``, empty when the first insert was refused."""
    claimed = claim.cte("claimed")
    taken = (
        _insert_from(first, claimed)
        .on_conflict_do_nothing()
        .returning(first.table.c.id)
        .cte("taken")
    )
    done = select(claimed).select_from(claimed.join(taken, true())).cte("done")
    steps = [
        _step_from(step, done).returning(step.table.c.id).cte(f"step_{number}")
        for number, step in enumerate(rest, start=1)
    ]
    written = select(func.count()).select_from(taken).scalar_subquery()
    return select(claimed, written.label("written")).add_cte(*steps)


def _step_from(step: InsertStep | UpdateStep, done: FromClause) -> Any:
    if isinstance(step, InsertStep):
        return _insert_from(step, done)
    return (
        update(step.table)
        .where(step.table.c.id == done.c[step.key])
        .values(**step.values(dict(done.c.items())))
    )


def _insert_from(step: InsertStep, source: FromClause) -> postgresql.Insert:
    values = {
        name: value if isinstance(value, ColumnElement) else literal(value, step.table.c[name].type)
        for name, value in step.values(dict(source.c.items())).items()
    }
    chosen = select(*values.values()).select_from(source)
    statement = postgresql.insert(step.table)
    return statement.from_select(list(values), chosen, include_defaults=False)
