"""A department whose places of a day a fortnight ahead open at seven, and patients with links to its line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from backend.billing import service as billing
from backend.billing.rules import PriceCategory
from backend.kernel.clock import at_local
from backend.kernel.ids import Id
from backend.kernel.links import RushLink, rush_token
from backend.kernel.uow import Database
from backend.web_parts import Parts
from miniprogram_api import rush, ticket
from miniprogram_api.rush_room import WaitingRoom
from tests.factories.clinic import FEE_FEN, MONDAY, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.factories.webapp import ActorSwitch, make_app

SECRET = "test-secret-" * 4
DAY = MONDAY + dt.timedelta(days=14)
OPENS = at_local(MONDAY, dt.time(7))


@dataclass(frozen=True)
class Morning:
    """The clinic, its day and its sessions."""

    database: Database
    clinic: Clinic
    day: dt.date = DAY
    schedule_ids: list[Id] = field(default_factory=list)

    def link(self, patient: int, secret: str = SECRET) -> str:
        """The address of the patient's page."""
        clinic = self.clinic
        whose = RushLink(
            clinic.hospital_id, clinic.department_id, self.day, clinic.patient_ids[patient]
        )
        return f"/r/{rush_token(secret, whose)}"


def make_morning(
    database: Database, *, patients: int = 8, capacity: int = 3, day: dt.date = DAY
) -> Morning:
    """Two practitioners with ``capacity`` places each on ``day`` (a Monday), and the price of a visit."""
    clinic = make_clinic(database, practitioners=2, patients=patients, capacity=capacity)
    with database.write(SYSTEM) as session:
        billing.set_price(
            session,
            hospital_id=clinic.hospital_id,
            code="REG-CHIEF",
            name="主任医师挂号费",
            unit="次",
            category=PriceCategory.REGISTRATION,
            price_fen=FEE_FEN,
            effective_from=dt.date(2026, 1, 1),
        )
    return Morning(database, clinic, day, open_schedules(database, clinic, day))


def make_rush_app(
    morning: Morning,
    folder: Path,
    *,
    most_inside: int = 200,
    room: Callable[..., WaitingRoom] = WaitingRoom,
) -> Flask:
    """The phone's pages over this morning, with a waiting room as one web process has it."""
    parts = Parts(without_forms=[rush.blueprint])
    parts.extras["rush_room"] = room(morning.database, most_inside=most_inside)
    app = make_app(morning.database, folder, ActorSwitch(), ticket.blueprint, parts=parts)
    app.config["WTF_CSRF_ENABLED"] = True
    return app
