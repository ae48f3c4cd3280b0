"""Run by Alembic: one transaction a revision, on the engine that ``backend.migrations`` gives."""

from __future__ import annotations

from typing import Literal

from alembic import context
from sqlalchemy import Connection

from backend.bootstrap import import_models
from backend.kernel.db import Base, UtcDateTime
from backend.kernel.uow import WRITE

import_models()


def _render(kind: str, item: object, _autogen: object) -> str | Literal[False]:
    """Column types of our own appear in revisions as the plain types they stand for."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


engine = context.config.attributes["engine"].execution_options(**{WRITE: True})


def _sqlite_keys_off(connection: Connection) -> None:
    """SQLite changes a column by building its table anew, which other tables' foreign keys would forbid.

    What SQLite's own documentation asks for: keys off before the transaction begins, checked before it ends.
    """
    raw = connection.connection.driver_connection
    if raw is not None:
        raw.execute("PRAGMA foreign_keys=OFF").close()


def _check_sqlite_keys(connection: Connection) -> None:
    """Raise when a revision left a row that points at nothing."""
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise RuntimeError(f"broken foreign keys after the migration: {broken[:5]}")


with engine.connect() as connection:
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        _sqlite_keys_off(connection)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=is_sqlite,
        compare_type=True,
        include_object=context.config.attributes.get("include_object"),
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()
        if is_sqlite:
            _check_sqlite_keys(connection)
    if is_sqlite:
        connection.invalidate()  # the next user of this pool gets a connection with its keys on
