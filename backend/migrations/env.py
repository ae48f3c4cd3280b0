"""Run by Alembic: one transaction a revision, on the engine that ``backend.migrations`` gives."""

from __future__ import annotations

from alembic import context

from backend.bootstrap import import_models
from backend.kernel.db import Base
from backend.kernel.uow import WRITE

import_models()
engine = context.config.attributes["engine"].execution_options(**{WRITE: True})

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
