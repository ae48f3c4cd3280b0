"""The schema's history, by Alembic, configured in code: upgrade an empty or older database to this program's models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

FOLDER = Path(__file__).parent


def make_config(engine: Engine) -> Config:
    """Alembic's configuration over an open engine."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("file_template", "%%(rev)s")
    config.attributes["engine"] = engine
    return config


def write_revision(
    engine: Engine, name: str, include_object: Callable[..., bool] | None = None
) -> None:
    """Write a new revision that leads from the database (at the newest revision) to the models.

    ``name`` is number and subject (``0007_allergies``); ``include_object`` limits it, as Alembic describes.
    """
    config = make_config(engine)
    config.attributes["include_object"] = include_object
    command.revision(config, message=name, autogenerate=True, rev_id=name)


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest revision; does nothing when it is there."""
    command.upgrade(make_config(engine), "head")


def is_current(engine: Engine) -> bool:
    """True when the database stands at the newest revision."""
    newest = ScriptDirectory(str(FOLDER)).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest
