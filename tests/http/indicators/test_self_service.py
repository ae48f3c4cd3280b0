"""The page of self-service: its figures, its ranges, who may see it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.billing import service
from backend.indicators import backoffice
from backend.kernel.clock import FixedClock
from backend.kernel.ids import new_id
from backend.kernel.permissions import Actor, ActorKind, Permission
from backend.kernel.uow import Database
from backend.organization.service import add_hospital
from backend.patients import service as patients
from backend.web_parts import Parts
from tests.factories.billing import MoneyWorld, make_world
from tests.factories.databases import SYSTEM
from tests.factories.statements import Statements
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

PAGE = "/backoffice/indicators"


@pytest.fixture
def world(sqlite_database: Database) -> MoneyWorld:
    return make_world(sqlite_database)


@pytest.fixture
def switch(world: MoneyWorld) -> ActorSwitch:
    switch = ActorSwitch()
    switch.actor = staff_actor(world.hospital_id, Permission.INDICATORS_SHARE_READ)
    return switch


@pytest.fixture
def client(world: MoneyWorld, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    parts = Parts(nav=backoffice.NAV)
    app = make_app(world.database, tmp_path, switch, backoffice.blueprint, parts=parts)
    return app.test_client()


def pay(world: MoneyWorld, kind: ActorKind) -> None:
    who = Actor(kind, id=new_id(), hospital_id=world.hospital_id, label="X")
    invoice_id = world.bill("LAB-CBC")
    with world.database.write(who) as session:
        service.pay_cash(session, invoice_id=invoice_id, received_fen=2000)


def test_nothing_yet_says_so(client: FlaskClient) -> None:
    page = client.get(PAGE).text
    assert "这段时间还没有挂号和缴费" in page
    assert "—" in page


def test_the_share_of_payments_and_prints(
    client: FlaskClient, world: MoneyWorld, clock: FixedClock
) -> None:
    for kind in (*[ActorKind.DEVICE] * 2, ActorKind.PATIENT, ActorKind.STAFF, ActorKind.SYSTEM):
        pay(world, kind)
    clerk = staff_actor(world.hospital_id)
    with world.database.write(clerk) as session:
        patients.note_reading(session, patient_id=world.patient_id, what="invoice")
        patients.note_reading(session, patient_id=world.patient_id, what="patient")
    assert "75.0%" not in client.get(PAGE).text
    clock.advance(dt.timedelta(days=1))
    page = client.get(PAGE).text
    for words in ("75.0%", "共 4 笔", "自助机 2", "窗口 1", "共 1 笔", "0.0%"):
        assert words in page
    assert "data-chart=" in page
    clock.advance(dt.timedelta(days=8))
    assert "75.0%" not in client.get(f"{PAGE}?days=7").text
    assert "75.0%" in client.get(f"{PAGE}?days=30").text


def test_others_and_other_hospitals_see_none_of_it(
    client: FlaskClient, world: MoneyWorld, switch: ActorSwitch, clock: FixedClock
) -> None:
    pay(world, ActorKind.DEVICE)
    clock.advance(dt.timedelta(days=1))
    assert client.get(f"{PAGE}?days=31").status_code == 422
    with world.database.write(SYSTEM) as session:
        other = add_hospital(session, code="H2", name="另一家医院").id
    switch.actor = staff_actor(other, Permission.INDICATORS_SHARE_READ)
    assert "这段时间还没有挂号和缴费" in client.get(PAGE).text
    switch.actor = staff_actor(world.hospital_id, Permission.BILLING_PRICE_READ)
    assert client.get(PAGE).status_code == 403


def test_five_statements(client: FlaskClient, world: MoneyWorld) -> None:
    with Statements(world.database) as statements:
        client.get(PAGE)
    assert statements.count == 5
