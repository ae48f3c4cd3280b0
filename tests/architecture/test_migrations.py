"""The migrations lead to exactly the models' schema on both databases, and an upgraded database can be used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, Enum, inspect, text
from sqlalchemy.exc import DBAPIError

from backend import migrations
from backend.bootstrap import import_models
from backend.kernel.db import Base
from backend.kernel.uow import WRITE, make_engine


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    import_models()
    if request.param == "sqlite":
        made = make_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    else:
        made = make_engine(request.getfixturevalue("postgres_url"))
    yield made
    made.dispose()


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def test_migrations_end_at_the_models(engine: Engine) -> None:
    assert not migrations.is_current(engine)
    migrations.upgrade(engine)
    assert migrations.is_current(engine)
    assert differences(engine) == []
    migrations.upgrade(engine)  # a second time changes nothing


def test_a_migrated_database_guards_its_audit_log(engine: Engine) -> None:
    migrations.upgrade(engine)
    assert "kernel_audit_event" in inspect(engine).get_table_names()
    writable = engine.execution_options(**{WRITE: True})
    with writable.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO kernel_audit_event (at, actor_kind, actor_label, action, entity,"
                " entity_id, detail, request_id) VALUES ('2026-11-23 00:00:00', 'system', 't', 'a',"
                " 'e', '1', '{}', '')"
            )
        )
    with pytest.raises(DBAPIError), writable.begin() as connection:
        connection.execute(text("DELETE FROM kernel_audit_event"))


def allowed_values(engine: Engine) -> dict[str, set[str]]:
    """Every CHECK of an enumeration in the database: its name and the words it allows."""
    found: dict[str, set[str]] = {}
    for table in inspect(engine).get_table_names():
        for check in inspect(engine).get_check_constraints(table):
            words = set(re.findall(r"'([a-z0-9_]+)'", check["sqltext"]))
            if words and check["name"]:
                found[check["name"]] = words
    return found


def test_migrated_checks_allow_what_the_enumerations_have(engine: Engine) -> None:
    migrations.upgrade(engine)
    found = allowed_values(engine)
    enumerations = 0
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Enum):
                enumerations += 1
                name = f"ck_{table.name}_{column.type.name}"
                assert found.get(name) == set(column.type.enums), name
    assert enumerations > 10
