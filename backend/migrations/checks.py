"""Changes CHECK constraints in place, on both databases, for revisions that let an enumeration grow.

SQLite has no ALTER for a CHECK. Its manual's way, for changes that need no row rewritten, is to edit the
stored text of the table: no copy of the table, and foreign keys that point at it are never in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable

from alembic import op


def allow_values(table: str, name: str, column: str, values: Iterable[str]) -> None:
    """Replace the CHECK ``ck_<table>_<name>`` by ``column IN (values)``; every old value must be among them.

    LookupError when the table has no such constraint.
    """
    listed = ", ".join(f"'{value}'" for value in values)
    replace_check(table, name, f"{column} IN ({listed})")


def replace_check(table: str, name: str, condition: str) -> None:
    """Replace the condition of ``ck_<table>_<name>``; rows that are there must fulfil it already."""
    constraint = f"ck_{table}_{name}"
    if op.get_bind().dialect.name == "sqlite":
        _edit_stored_text(table, constraint, condition)
        return
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({condition})")


def add_enum_column(
    table: str, column: str, name: str, values: Iterable[str], *, default: str | None
) -> None:
    """Add a text column with its CHECK; ``default`` is what rows that are there get, None leaves it nullable."""
    listed = ", ".join(f"'{value}'" for value in values)
    filled = "" if default is None else f" DEFAULT '{default}' NOT NULL"
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN {column} VARCHAR(24){filled}"
        f" CONSTRAINT ck_{table}_{name} CHECK ({column} IN ({listed}))"
    )


def _edit_stored_text(table: str, constraint: str, condition: str) -> None:
    bind = op.get_bind()
    text = bind.exec_driver_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)
    ).scalar_one()
    start = text.find(f"CONSTRAINT {constraint} CHECK (")
    if start < 0:
        raise LookupError(f"{table} has no constraint {constraint}")
    opening = text.index("(", start)
    closing = _matching(text, opening)
    changed = f"{text[: opening + 1]}{condition}{text[closing:]}"
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema=ON")
    bind.exec_driver_sql(
        "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (changed, table)
    )
    bind.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema=RESET")


def _matching(text: str, opening: int) -> int:
    """Where the parenthesis that opens at ``opening`` closes, text in quotes left out."""
    depth, is_quoted = 0, False
    for place in range(opening, len(text)):
        sign = text[place]
        if sign == "'":
            is_quoted = not is_quoted
        elif not is_quoted and sign in "()":
            depth += 1 if sign == "(" else -1
            if depth == 0:
                return place
    raise ValueError("a parenthesis does not close")
