"""A consulting hour on both databases."""

from __future__ import annotations

import pytest

from backend.kernel.uow import Database
from tests.factories.clinical import Hour, make_hour


@pytest.fixture
def hour(database: Database) -> Hour:
    """A consulting hour; nobody has come yet."""
    return make_hour(database, patients=3)
