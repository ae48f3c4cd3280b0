"""The fleet page: who sees what, codes shown once, revoking and taking it back, prints settled by eye."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.app import create_app
from backend.devices import queries
from backend.devices import service as devices
from backend.devices.rules import PrintState
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.organization import service as organization
from backend.web_parts import collect_parts
from tests.factories.billing import ScriptedGateway
from tests.factories.databases import SYSTEM
from tests.factories.kiosks import API, Door, Kiosk, make_door
from tests.factories.webapp import ActorSwitch, make_program, staff_actor

PAGE = "/backoffice/kiosks"
HTMX = {"HX-Request": "true"}
CODE = re.compile(r'class="xl-code-value"[^>]*>([A-Z0-9-]+)<')


@pytest.fixture
def door(sqlite_database: Database, gateway: ScriptedGateway, tmp_path: Path) -> Door:
    """The pages run on one database; what they call is tried on both elsewhere."""
    return make_door(sqlite_database, gateway, tmp_path)


@pytest.fixture
def switch(door: Door) -> ActorSwitch:
    """A device operator."""
    switch = ActorSwitch()
    switch.actor = staff_actor(
        door.clinic.hospital_id, Permission.DEVICES_KIOSK_READ, Permission.DEVICES_KIOSK_MANAGE
    )
    return switch


@pytest.fixture
def client(door: Door, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    """A browser of theirs."""
    program = make_program(door.database, tmp_path)
    parts = collect_parts(program)
    parts.actor_loaders.insert(0, ("/backoffice", switch))
    app = create_app(program, parts)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    return app.test_client()


def _doubtful_print(door: Door, kiosk: Kiosk) -> str:
    kiosk.hospital_card()
    visit = door.paid_visit(kiosk)
    ticket = kiosk.ok("POST", "/check-ins", {"appointment_id": visit["appointment_id"]})["ticket"]
    body = {"kind": "ticket", "ticket_id": ticket["ticket_id"]}
    order = kiosk.ok("POST", "/prints", body, key="print")
    kiosk.ok("POST", f"/prints/{order['print_id']}/result", {"outcome": "ambiguous", "code": "jam"})
    found: str = order["print_id"]
    return found


def test_states_of_the_fleet(
    door: Door, kiosk: Kiosk, client: FlaskClient, clock: FixedClock
) -> None:
    assert "离线" in client.get(PAGE).get_data(as_text=True)
    kiosk.ok("POST", "/heartbeat", {"devices": {"printer": {"state": "paper_out", "paper": "out"}}})
    page = client.get(PAGE).get_data(as_text=True)
    assert "1 / 1 台在线" in page
    assert "打印机 缺纸" in page
    clock.advance(dt.timedelta(seconds=16))
    fragment = client.get(PAGE, headers=HTMX).get_data(as_text=True)
    assert "<html" not in fragment
    assert "0 / 1 台在线" in fragment
    assert "缺纸" not in fragment


def test_the_page_takes_few_statements_however_many_kiosks(door: Door, client: FlaskClient) -> None:
    client.get(PAGE)
    for number in range(6):
        door.kiosk(f"K{number}")
    with door.counted() as statements:
        client.get(PAGE, headers=HTMX)
    assert len(statements) == 5, statements


def test_a_new_kiosk_and_its_code_shown_once(door: Door, client: FlaskClient) -> None:
    form = {"code": "k-9", "name": "九号机", "location_id": str(door.clinic.room_id)}
    answer = client.post(f"{PAGE}/new", data=form)
    page = answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    match = CODE.search(page)
    assert match
    with door.database.read(SYSTEM) as session:
        (kiosk,) = queries.list_kiosks(session, door.clinic.hospital_id)
    assert kiosk.code == "K-9"
    for path in (PAGE, f"{PAGE}/{kiosk.id}"):
        assert match[1] not in client.get(path).get_data(as_text=True)
    enrolled = client.post(f"{API}/enrol", json={"code": match[1]})
    assert enrolled.status_code == 201
    taken = client.post(f"{PAGE}/new", data=form)
    assert taken.status_code == 422
    assert "这个编号已有自助机在用" in taken.get_data(as_text=True)
    assert "九号机" in taken.get_data(as_text=True)


def test_what_is_wrong_is_said_in_the_form(door: Door, client: FlaskClient) -> None:
    answer = client.post(f"{PAGE}/new", data={"code": "坏", "name": " ", "location_id": ""})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for words in ("请用字母、数字和短横线", "请填写名称", "请选择位置"):
        assert words in page
    elsewhere = {"code": "K1", "name": "x", "location_id": str(new_id())}
    assert client.post(f"{PAGE}/new", data=elsewhere).status_code == 404


def test_no_kiosk_is_put_into_a_place_out_of_use(door: Door, client: FlaskClient) -> None:
    room_id = door.clinic.room_id
    assert f'value="{room_id}"' in client.get(f"{PAGE}/new").text
    with door.database.write(SYSTEM) as session:
        organization.set_place_active(
            session, room_id, hospital_id=door.clinic.hospital_id, is_active=False
        )
    assert f'value="{room_id}"' not in client.get(f"{PAGE}/new").text
    form = {"code": "K-9", "name": "九号机", "location_id": str(room_id)}
    assert client.post(f"{PAGE}/new", data=form).status_code == 404


def test_revoking_enrolling_again_and_taking_it_back(
    door: Door, kiosk: Kiosk, client: FlaskClient
) -> None:
    one = f"{PAGE}/{kiosk.id}"
    assert client.post(f"{one}/revoke").status_code == 303
    assert kiosk.send("POST", "/heartbeat", {}).status_code == 401
    assert "恢复使用" in client.get(one).get_data(as_text=True)
    assert client.post(f"{one}/reinstate").status_code == 303
    assert kiosk.send("POST", "/heartbeat", {}).status_code == 200
    match = CODE.search(client.post(f"{one}/code").get_data(as_text=True))
    assert match
    assert kiosk.send("POST", "/heartbeat", {}).status_code == 200
    client.post(f"{one}/revoke")
    assert client.post(f"{API}/enrol", json={"code": match[1]}).status_code == 422


def test_a_kiosk_never_enrolled_cannot_be_reinstated(door: Door, client: FlaskClient) -> None:
    with door.database.write(SYSTEM) as session:
        row, _code = devices.add_kiosk(
            session,
            hospital_id=door.clinic.hospital_id,
            code="K08",
            name="八号机",
            location_id=door.clinic.room_id,
        )
    assert "待登记" in client.get(f"{PAGE}/{row.id}").get_data(as_text=True)
    client.post(f"{PAGE}/{row.id}/revoke")
    assert client.post(f"{PAGE}/{row.id}/reinstate").status_code == 409


def test_doubtful_prints_are_settled_by_who_looked(
    door: Door, kiosk: Kiosk, client: FlaskClient
) -> None:
    print_id = _doubtful_print(door, kiosk)
    page = client.get(PAGE).get_data(as_text=True)
    assert "待核对的打印（1）" in page.replace("\n", "")
    assert "A001" in page
    assert "卡纸" in page
    resolve = f"{PAGE}/prints/{print_id}/resolve"
    assert client.post(resolve, data={"outcome": "perhaps"}).status_code == 422
    assert client.post(resolve, data={"outcome": "printed"}).status_code == 303
    assert "待核对的打印" not in client.get(PAGE).get_data(as_text=True)
    assert client.post(resolve, data={"outcome": "printed"}).status_code == 303
    assert client.post(resolve, data={"outcome": "failed"}).status_code == 409
    with door.database.read(SYSTEM) as session:
        (job,) = queries.list_prints_of_kiosk(session, kiosk.id)
    assert job.state is PrintState.PRINTED
    assert "已打印" in client.get(f"{PAGE}/{kiosk.id}", headers=HTMX).get_data(as_text=True)


def test_who_may_only_look_is_offered_nothing_else(
    door: Door, kiosk: Kiosk, client: FlaskClient, switch: ActorSwitch
) -> None:
    print_id = _doubtful_print(door, kiosk)
    switch.actor = staff_actor(door.clinic.hospital_id, Permission.DEVICES_KIOSK_READ)
    page = client.get(PAGE).get_data(as_text=True)
    assert "新增自助机" not in page
    assert "已出纸" not in page
    assert "停用" not in client.get(f"{PAGE}/{kiosk.id}").get_data(as_text=True)
    for path in ("new", f"{kiosk.id}/code", f"{kiosk.id}/revoke", f"prints/{print_id}/resolve"):
        assert client.post(f"{PAGE}/{path}").status_code == 403
    switch.actor = staff_actor(door.clinic.hospital_id)
    assert client.get(PAGE).status_code == 403


def test_another_hospitals_fleet_is_not_there(
    door: Door, kiosk: Kiosk, client: FlaskClient, switch: ActorSwitch
) -> None:
    print_id = _doubtful_print(door, kiosk)
    with door.database.write(SYSTEM) as session:
        other: Id = organization.add_hospital(session, code="H2", name="别的医院").id
    switch.actor = staff_actor(
        other, Permission.DEVICES_KIOSK_READ, Permission.DEVICES_KIOSK_MANAGE
    )
    assert "还没有自助机" in client.get(PAGE).get_data(as_text=True)
    assert client.get(f"{PAGE}/{kiosk.id}").status_code == 404
    for path in (
        f"{kiosk.id}/code",
        f"{kiosk.id}/revoke",
        f"{kiosk.id}/reinstate",
        f"prints/{print_id}/resolve",
    ):
        answer = client.post(f"{PAGE}/{path}", data={"outcome": "printed"})
        assert answer.status_code == 404, path
    theirs = {"code": "K1", "name": "x", "location_id": str(door.clinic.room_id)}
    assert client.post(f"{PAGE}/new", data=theirs).status_code == 404
