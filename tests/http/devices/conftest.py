"""The door of a hospital on both databases, and kiosks at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from tests.factories.billing import ScriptedGateway
from tests.factories.kiosks import Door, Kiosk, make_door, subscribe_all


@pytest.fixture
def gateway() -> ScriptedGateway:
    """The payment platform."""
    return ScriptedGateway()


@pytest.fixture
def subscriptions(gateway: ScriptedGateway) -> Subscriptions:
    """The subscribers of the running program."""
    return subscribe_all(Subscriptions(), gateway)


@pytest.fixture
def door(database: Database, gateway: ScriptedGateway, tmp_path: Path) -> Door:
    """The door, on both databases."""
    return make_door(database, gateway, tmp_path)


@pytest.fixture
def kiosk(door: Door) -> Kiosk:
    """The first kiosk, enrolled."""
    return door.kiosk()


@pytest.fixture
def present(kiosk: Kiosk) -> Kiosk:
    """The first kiosk with a known patient before it."""
    kiosk.hospital_card()
    return kiosk
