"""Fixtures of the workstation's routes: a consulting hour and a doctor's browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.clinical import backoffice
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.clinical import Hour, make_hour
from tests.factories.webapp import ActorSwitch, make_app


@pytest.fixture
def hour(sqlite_database: Database) -> Hour:
    """A consulting hour; nobody has come yet."""
    return make_hour(sqlite_database)


@pytest.fixture
def switch(hour: Hour) -> ActorSwitch:
    """The first doctor."""
    switch = ActorSwitch()
    switch.actor = hour.doctor()
    return switch


@pytest.fixture
def client(hour: Hour, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    """A doctor's browser."""
    parts = Parts(nav=backoffice.NAV)
    app = make_app(hour.database, tmp_path, switch, backoffice.blueprint, parts=parts)
    return app.test_client()
