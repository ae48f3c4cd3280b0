"""Run by Alembic: one transaction a revision, on the engine that ``backend.migrations`` gives."""

from __future__ import annotations

from typing import Literal

from alembic import context

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

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        include_object=context.config.attributes.get("include_object"),
        render_item=_render,
    )
    with context.begin_transaction():
        context.run_migrations()
