"""A web application with the front desk over a clinic that is ready for a visit."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.journeys import backoffice
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.front_desk import VisitWorld, make_visit_world
from tests.factories.webapp import ActorSwitch, make_app, staff_actor


@pytest.fixture
def world(sqlite_database: Database) -> VisitWorld:
    return make_visit_world(sqlite_database)


@pytest.fixture
def switch(world: VisitWorld) -> ActorSwitch:
    """A registrar."""
    switch = ActorSwitch()
    switch.actor = staff_actor(world.clinic.hospital_id, *ROLE_PERMISSIONS[Role.REGISTRAR])
    return switch


@pytest.fixture
def client(world: VisitWorld, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    app = make_app(
        world.database, tmp_path, switch, backoffice.blueprint, parts=Parts(nav=backoffice.NAV)
    )
    return app.test_client()
