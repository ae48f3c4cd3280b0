"""Locks, taken late and in sorted order, and only through here.

On SQLite a write already holds the one write lock, so there a row that the unit of work has read is as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Integer, Select, func, inspect, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.util import identity_key
from sqlalchemy.sql.functions import FunctionElement

from backend.kernel.ids import Id

Row = TypeVar("Row", bound=DeclarativeBase)
_OWN = "own_rows"


def lock_rows(
    session: Session, model: type[Row], ids: Iterable[Id], *, key_stays: bool = False
) -> list[Row]:
    """The rows with these ids, locked for this transaction in id order and read afresh.

    Rows that wait to be inserted by this unit of work are nobody else's yet: if all are such, nothing is asked.
    ``key_stays``: only what is not part of a key will change, so that others may go on adding rows that refer to these
    (FOR NO KEY UPDATE). Needed where who adds such a row holds what we lock next: we would wait for each other.
    """
    wanted = sorted(set(ids))
    if unwritten := _unwritten(session, model, wanted):
        return unwritten
    if session.get_bind().dialect.name == "sqlite":
        known = [_known(session, model, row_id) for row_id in wanted]
        found = [row for row in known if row is not None]
        if len(found) == len(wanted):
            return found
    key: Any = model.id  # type: ignore[attr-defined]
    statement = (
        select(model)
        .where(key.in_(wanted))
        .order_by(key)
        .with_for_update(key_share=key_stays)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(statement))


def note_own_row(session: Session, row: DeclarativeBase) -> None:
    """This unit of work has inserted ``row`` by a statement of Core: until it ends nobody else can change it."""
    session.info.setdefault(_OWN, set()).add(identity_key(instance=row))


def own_row(session: Session, model: type[Row], row_id: Id) -> Row | None:
    """The row if ``note_own_row`` said that this unit of work made it: as good as locked, and not read again."""
    if identity_key(model, row_id) not in session.info.get(_OWN, ()):
        return None
    return _known(session, model, row_id)


def _unwritten(session: Session, model: type[Row], ids: Sequence[Id]) -> list[Row]:
    """The pending rows with these ids in their order; none unless all of them are pending."""
    pending = {row.id: row for row in session.new if type(row) is model}  # type: ignore[attr-defined]
    found = [pending[row_id] for row_id in ids if row_id in pending]
    return found if len(found) == len(ids) else []


def _known(session: Session, model: type[Row], row_id: Id) -> Row | None:
    """The row if this unit of work has read or written it already."""
    row: Row | None = session.identity_map.get(identity_key(model, row_id))
    if row is None or inspect(row).expired or row in session.deleted:
        return None
    return row


def lock_row(session: Session, model: type[Row], row_id: Id) -> Row | None:
    """One row, locked and read afresh; None when there is none."""
    rows = lock_rows(session, model, [row_id])
    return rows[0] if rows else None


def claim(session: Session, statement: Select[Row]) -> Sequence[Row]:
    """Rows of ``statement`` nobody else holds (FOR UPDATE SKIP LOCKED); the caller must change them."""
    skipping = statement.with_for_update(skip_locked=True)
    return session.scalars(skipping.execution_options(populate_existing=True)).all()


def lock_name(session: Session, name: str, *, wait: bool = True) -> bool:
    """Hold ``name`` until the transaction ends. With ``wait=False`` False says that another holds it."""
    if session.get_bind().dialect.name == "sqlite":
        return True
    key = name_key(name)
    if wait:
        session.execute(select(func.pg_advisory_xact_lock(key)))
        return True
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(key))))


def name_key(name: str) -> int:
    """The number (64 bits, signed) that stands for ``name`` among the database's advisory locks."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


class taking_turn(FunctionElement[int]):  # noqa: N801 - reads like func.name
    """A column that takes the lock of ``name_key`` until the transaction ends, inside a larger SELECT.

    The statement sees the rows as they were when it began, before it had the lock: who decides by them must check
    them again in the statement that writes.
    """

    name = "taking_turn"
    type = Integer()
    inherit_cache = True


@compiles(taking_turn)
def _no_turn(element: taking_turn, compiler: Any, **options: Any) -> str:
    return f"abs({compiler.process(element.clauses, **options)})"


@compiles(taking_turn, "postgresql")
def _turn(element: taking_turn, compiler: Any, **options: Any) -> str:
    taken = compiler.process(element.clauses, **options)
    return f"(pg_advisory_xact_lock({taken}) IS NULL)::int"
