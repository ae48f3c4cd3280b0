"""The waiting lists in the back office: who waits and why, joining at the front desk, taking somebody out."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.journeys import backoffice as front_desk
from backend.journeys.backoffice import waiting
from backend.kernel.ids import new_id
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.scheduling import queries
from tests.factories.waiting import FullSession, make_full_session
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

PAGE = "/backoffice/waiting"
READ = Permission.SCHEDULING_SCHEDULE_READ
WRITE = Permission.SCHEDULING_APPOINTMENT_WRITE


@pytest.fixture
def full(sqlite_database: Database) -> FullSession:
    made = make_full_session(sqlite_database)
    made.book(0)
    made.book(1)
    return made


@pytest.fixture
def switch(full: FullSession) -> ActorSwitch:
    found = ActorSwitch()
    found.actor = staff_actor(
        full.clinic.hospital_id, READ, WRITE, Permission.PATIENTS_PATIENT_READ
    )
    return found


@pytest.fixture
def client(full: FullSession, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    app = make_app(full.database, tmp_path, switch, front_desk.blueprint, waiting.blueprint)
    return app.test_client()


def wait_at_the_desk(client: FlaskClient, full: FullSession, patient: int) -> int:
    patient_id = full.clinic.patient_ids[patient]
    return client.post(
        f"/backoffice/front-desk/patients/{patient_id}/waiting",
        data={"schedule_id": str(full.schedule_id)},
    ).status_code


def test_nobody_waits(client: FlaskClient) -> None:
    assert "现在没有人候补" in client.get(PAGE).text


def test_who_waits_and_why_with_masked_names(client: FlaskClient, full: FullSession) -> None:
    assert [wait_at_the_desk(client, full, patient) for patient in (2, 3)] == [303, 303]
    text = client.get(PAGE).text
    for words in ("2 人等待", "患*2", "排在第一位，等有人退号", "前面还有 1 人"):
        assert words in text
    assert "患者2" not in text
    with full.database.read(staff_actor(full.clinic.hospital_id)) as session:
        (mine,) = queries.list_appointments(session, patient_id=full.clinic.patient_ids[0])
    full.give_up(mine.id)
    text = client.get(PAGE).text
    assert "还剩 30 分钟" in text
    assert "1 人等待" in text


def test_taking_somebody_out_passes_the_offer_on(client: FlaskClient, full: FullSession) -> None:
    first, second = full.join(2), full.join(3)
    assert client.post(f"{PAGE}/{first}/leave").status_code == 303
    assert full.states(first, second) == ["withdrawn", "waiting"]
    assert client.post(f"{PAGE}/{new_id()}/leave").status_code == 404


def test_the_desk_is_told_why_not(client: FlaskClient, full: FullSession) -> None:
    assert wait_at_the_desk(client, full, 0) == 409
    assert wait_at_the_desk(client, full, 2) == 303
    assert wait_at_the_desk(client, full, 2) == 409


def test_roles_and_other_hospitals(
    client: FlaskClient, full: FullSession, switch: ActorSwitch
) -> None:
    entry = full.join(2)
    switch.actor = staff_actor(full.clinic.hospital_id, READ)
    assert client.get(PAGE).status_code == 200
    assert "退出候补" not in client.get(PAGE).text
    assert client.post(f"{PAGE}/{entry}/leave").status_code == 403
    switch.actor = staff_actor(full.clinic.hospital_id)
    assert client.get(PAGE).status_code == 403
    switch.actor = staff_actor(new_id(), READ, WRITE)
    assert "患*2" not in client.get(PAGE).text
    assert client.post(f"{PAGE}/{entry}/leave").status_code == 404
