"""A clinic with scheduling's own subscribers, on both databases."""

from __future__ import annotations

import pytest

from backend.kernel.ids import Id
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from backend.scheduling import handlers
from tests.factories.clinic import Clinic, make_clinic, open_schedules


@pytest.fixture
def subscriptions() -> Subscriptions:
    found = Subscriptions()
    handlers.subscribe(found)
    return found


@pytest.fixture
def clinic(database: Database) -> Clinic:
    return make_clinic(database)


@pytest.fixture
def schedule_id(database: Database, clinic: Clinic) -> Id:
    return open_schedules(database, clinic)[0]
