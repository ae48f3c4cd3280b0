"""The editors of places and people over HTTP: forms, stale forms, undo, refusals."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.organization.backoffice import blueprint
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

ROOMS, STAFF = "/backoffice/rooms", "/backoffice/staff"
MAY = (
    Permission.ORGANIZATION_LOCATION_READ,
    Permission.ORGANIZATION_LOCATION_WRITE,
    Permission.ORGANIZATION_STAFF_READ,
    Permission.ORGANIZATION_STAFF_WRITE,
)


@pytest.fixture
def clinic(sqlite_database: Database) -> Clinic:
    return make_clinic(sqlite_database)


@pytest.fixture
def switch(clinic: Clinic) -> ActorSwitch:
    made = ActorSwitch()
    made.actor = staff_actor(clinic.hospital_id, *MAY)
    return made


@pytest.fixture
def client(sqlite_database: Database, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    return make_app(sqlite_database, tmp_path, switch, blueprint).test_client()


def version(client: FlaskClient, address: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', client.get(address).text)
    assert found is not None
    return found[1]


def test_a_room_is_made_in_a_floor_and_moved(client: FlaskClient) -> None:
    floor = client.post(ROOMS, data={"code": "F3", "name": "三层", "kind": "floor"}).location
    floor_id = floor.rpartition("/")[2]
    assert f'value="{floor_id}" selected' in client.get(f"{ROOMS}/new?parent={floor_id}").text
    form = {"code": "F3-01", "name": "三〇一诊室", "kind": "room", "parent": floor_id}
    room = client.post(ROOMS, data=form).location
    assert client.post(ROOMS, data=form).status_code == 409
    assert "三层" in client.get(ROOMS).text
    opened = version(client, room)
    assert (
        client.post(
            room, data={"version": opened, "name": "三〇一（新）", "parent": ""}
        ).status_code
        == 303
    )
    stale = client.post(room, data={"version": opened, "name": "三〇一（旧）", "parent": floor_id})
    assert stale.status_code == 409
    assert "别人已经修改过" in stale.text
    assert "三〇一（新）" in stale.text
    assert 'value="三〇一（旧）"' in stale.text
    wrong = client.post(ROOMS, data={"code": "?", "name": "", "kind": "attic"})
    assert wrong.status_code == 422


def test_a_room_goes_out_of_use_and_comes_back_by_undo(client: FlaskClient, clinic: Clinic) -> None:
    room = f"{ROOMS}/{clinic.room_id}"
    assert client.post(f"{room}/close").status_code == 303
    page = client.get(room).text
    assert "已停用" in page
    assert f'action="{room}/open"' in page
    assert "撤销" in page
    assert "已停用" in client.get(ROOMS).text
    client.post(f"{room}/open")
    assert "已停用" not in client.get(ROOMS).text


def test_a_person_is_added_edited_leaves_and_returns(client: FlaskClient, clinic: Clinic) -> None:
    form = {
        "code": "n7", "name": "司马明", "sex": "1", "title": "护师",
        "department": str(clinic.department_id), "specialty": "",
    }  # fmt: skip
    wrong = client.post(STAFF, data={**form, "sex": "", "department": "x"})
    assert wrong.status_code == 422
    assert "请选择性别" in wrong.text
    assert "请选择科室" in wrong.text
    assert 'value="司马明"' in wrong.text
    person = client.post(STAFF, data=form).location
    opened = version(client, person)
    new = {**form, "version": opened, "title": "主管护师"}
    assert client.post(person, data=new).status_code == 303
    assert client.post(person, data=new).status_code == 409
    assert "主管护师" in client.get(f"{STAFF}?q=N7").text
    assert client.post(f"{person}/leave").status_code == 303
    assert f'action="{person}/return"' in client.get(person).text
    assert "司马明" not in client.get(f"{STAFF}?q=N7").text
    assert "司马明" in client.get(f"{STAFF}?q=N7&state=left").text
    client.post(f"{person}/return")
    assert "司马明" in client.get(f"{STAFF}?q=N7").text


def test_only_those_who_may_and_only_their_own(
    client: FlaskClient, switch: ActorSwitch, clinic: Clinic, sqlite_database: Database
) -> None:
    addresses = (f"{ROOMS}/{clinic.room_id}", f"{STAFF}/{clinic.practitioner_ids[0]}")
    switch.actor = staff_actor(
        clinic.hospital_id,
        Permission.ORGANIZATION_LOCATION_READ,
        Permission.ORGANIZATION_STAFF_READ,
    )
    for address in addresses:
        assert client.get(address).status_code == 403
        assert client.post(address).status_code == 403
        assert address not in client.get(address.rpartition("/")[0]).text
    assert client.post(ROOMS).status_code == 403
    assert client.post(STAFF).status_code == 403
    other = make_clinic(sqlite_database, code="H2")
    switch.actor = staff_actor(other.hospital_id, *MAY)
    for address in addresses:
        assert client.get(address).status_code == 404
    assert client.post(f"{addresses[0]}/close").status_code == 404
    assert client.post(f"{addresses[1]}/leave").status_code == 404
