"""Fixtures of billing's integration tests: the money world on both databases, a scripted platform."""

from __future__ import annotations

import pytest

from backend.billing import handlers
from backend.billing.rules import Tender
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from tests.factories.billing import MoneyWorld, ScriptedGateway, make_world


@pytest.fixture
def gateway() -> ScriptedGateway:
    """The platform, empty."""
    return ScriptedGateway()


@pytest.fixture
def subscriptions(gateway: ScriptedGateway) -> Subscriptions:
    """Billing's own subscribers, over the scripted platform."""
    subscriptions = Subscriptions()
    handlers.subscribe(subscriptions, {Tender.WECHAT_NATIVE: gateway})
    return subscriptions


@pytest.fixture
def world(database: Database) -> MoneyWorld:
    """A hospital with prices and a patient, on SQLite and on PostgreSQL."""
    return make_world(database)


@pytest.fixture
def dispatcher(world: MoneyWorld) -> Dispatcher:
    """Delivers in the test's own thread."""
    return Dispatcher(world.database)
