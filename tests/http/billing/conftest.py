"""Fixtures of billing's pages: the application over a database with a price list."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.billing.backoffice import money_cases, prices
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.billing import MoneyWorld, make_world
from tests.factories.webapp import ActorSwitch, make_app, staff_actor


@pytest.fixture
def world(sqlite_database: Database) -> MoneyWorld:
    """A hospital with prices."""
    return make_world(sqlite_database)


@pytest.fixture
def switch(world: MoneyWorld) -> ActorSwitch:
    """A member of staff who may read prices."""
    switch = ActorSwitch()
    switch.actor = staff_actor(world.hospital_id, Permission.BILLING_PRICE_READ)
    return switch


@pytest.fixture
def client(world: MoneyWorld, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    """A browser of theirs."""
    parts = Parts(nav=prices.NAV + money_cases.NAV)
    app = make_app(
        world.database, tmp_path, switch, prices.blueprint, money_cases.blueprint, parts=parts
    )
    return app.test_client()
