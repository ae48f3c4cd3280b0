"""The database schema as a whole: tables, audit triggers; used by the migrations and by tests."""

from __future__ import annotations

from sqlalchemy import Engine, text

from backend.kernel.audit import audit_triggers
from backend.kernel.db import Base
from backend.kernel.uow import WRITE


def create_schema(engine: Engine) -> None:
    """Create every table of the models that are imported, and the audit triggers, in an empty database."""
    with engine.execution_options(**{WRITE: True}).begin() as connection:
        Base.metadata.create_all(connection)
        for statement in audit_triggers(connection.dialect.name):
            connection.execute(text(statement))
