"""A hall screen in a real browser, over a clinic where calls really happen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from backend.kernel import links
from backend.kernel.clock import SystemClock
from backend.kernel.uow import Database
from backend.web_parts import Parts
from queue_display import pages
from tests.factories.databases import make_empty_database
from tests.factories.queues import Hall, make_hall
from tests.factories.serving import serving
from tests.factories.webapp import ActorSwitch, make_app

SECRET = "test-secret-" * 4


@dataclass
class Screen:
    """A hall, the application that serves its screen, and the screen's address."""

    hall: Hall
    app: Flask
    url: str


def screen_app(database: Database, data_dir: Path) -> Flask:
    """The application with the screens and their streams."""
    parts = Parts(stream_guards={"hall": partial(links.may_follow, SECRET)})
    return make_app(database, data_dir, ActorSwitch(), pages.blueprint, parts=parts)


@pytest.fixture
def real_time_database(tmp_path: Path) -> Iterator[Database]:
    """A database on the machine's own clock, because the browser has no other."""
    database = make_empty_database(f"sqlite:///{tmp_path / 'screens.db'}", SystemClock())
    yield database
    database.engine.dispose()


@pytest.fixture
def screen(real_time_database: Database, tmp_path: Path) -> Iterator[Screen]:
    """A running screen of a hall with six people who may come."""
    hall = make_hall(real_time_database)
    app = screen_app(real_time_database, tmp_path)
    with serving(app) as served:
        yield Screen(hall, app, links.screen_url(served.url, SECRET, hall.hall_id))
