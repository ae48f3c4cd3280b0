"""A clinic, an application with scheduling's pages and one registration fee, and an actor that a test sets."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.scheduling import backoffice
from backend.scheduling.backoffice.entry_form import FEES
from backend.scheduling.ports import Fee
from backend.web_parts import Parts
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.webapp import ActorSwitch, make_app, staff_actor


@pytest.fixture
def clinic(sqlite_database: Database) -> Clinic:
    return make_clinic(sqlite_database)


@pytest.fixture
def switch(clinic: Clinic) -> ActorSwitch:
    """A scheduler of the whole hospital."""
    switch = ActorSwitch()
    switch.actor = staff_actor(
        clinic.hospital_id,
        Permission.SCHEDULING_SCHEDULE_READ,
        Permission.SCHEDULING_SCHEDULE_GENERATE,
        Permission.SCHEDULING_SCHEDULE_MANAGE,
    )
    return switch


def fees(_session: Session, _hospital_id: Id, _on: dt.date) -> list[Fee]:
    return [Fee("REG-CHIEF", "主任医师挂号费", 2500)]


@pytest.fixture
def client(sqlite_database: Database, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    parts = Parts(nav=backoffice.NAV, extras={FEES: fees})
    app = make_app(sqlite_database, tmp_path, switch, backoffice.blueprint, parts=parts)
    return app.test_client()
