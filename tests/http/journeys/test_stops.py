"""The stop-clinic wizard, the notices at the desk, added numbers and substitutes: pages, refusals, other hospitals."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from backend.journeys import backoffice as front_desk
from backend.journeys.backoffice import sessions, stops
from backend.kernel.ids import Id, new_id
from backend.kernel.outbox import Subscriptions
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.organization import service as organization
from backend.scheduling import backoffice as schedules
from backend.scheduling import queries as visits
from backend.scheduling import service as scheduling
from backend.scheduling.errors import LineClosed
from backend.scheduling.models import Appointment
from backend.scheduling.rules import DisruptionState, Modality
from backend.web_parts import Parts
from tests.factories.clinic import MONDAY, make_clinic
from tests.factories.databases import SYSTEM
from tests.factories.imaging import add_device, open_days
from tests.factories.stops import NEXT, House, make_house
from tests.factories.visits import subscribe
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

MANAGE, READ = Permission.SCHEDULING_SCHEDULE_MANAGE, Permission.SCHEDULING_SCHEDULE_READ
ADD, WRITE = Permission.SCHEDULING_SLOT_ADD, Permission.SCHEDULING_APPOINTMENT_WRITE
REFUND, PATIENTS = Permission.BILLING_REFUND_REQUEST, Permission.PATIENTS_PATIENT_READ


@pytest.fixture
def subscriptions() -> Subscriptions:
    return subscribe(Subscriptions())


@pytest.fixture
def house(sqlite_database: Database) -> House:
    return make_house(sqlite_database)


@pytest.fixture
def switch(house: House) -> ActorSwitch:
    switch = ActorSwitch()
    switch.actor = staff_actor(house.clinic.hospital_id, MANAGE, READ, ADD, WRITE, REFUND, PATIENTS)
    return switch


@pytest.fixture
def client(sqlite_database: Database, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    blueprints = (
        front_desk.blueprint, stops.blueprint, sessions.blueprint, schedules.blueprint,
    )  # fmt: skip
    app = make_app(sqlite_database, tmp_path, switch, *blueprints, parts=Parts())
    return app.test_client()


def asked(house: House, **other: str) -> dict[str, str]:
    return {
        "department": str(house.clinic.department_id),
        "practitioner": str(house.clinic.practitioner_ids[0]),
        "first": NEXT.isoformat(),
        "reason": "外出会诊",
        "_key": new_id().hex,
    } | other


def test_the_wizard_shows_whom_it_hits_before_it_acts(client: FlaskClient, house: House) -> None:
    paid = house.pay(house.book(0, house.sessions[0, 1]))
    held = house.book(1, house.sessions[0, 1])
    assert client.get("/backoffice/stops/new").status_code == 200
    preview = client.get("/backoffice/stops/preview", query_string=asked(house))
    assert preview.status_code == 200
    for words in ("患*", "自助机", "已付", "待付", "¥25.00", "停诊并通知 2 人"):
        assert words in preview.text, words
    assert "患者0" not in preview.text
    assert not house.visit(paid).is_lapsed
    with house.database.read(SYSTEM) as session:
        assert not visits.get_schedule(session, house.sessions[0, 1]).is_stopped
    answer = client.post("/backoffice/stops", data=asked(house, seen=f"{paid} {held}"))
    assert answer.status_code == 303
    house.deliver()
    page = client.get(answer.headers["Location"])
    for words in ("等待患者选择", "未付款，已取消", "外出会诊"):
        assert words in page.text, words
    assert "医生0" in client.get("/backoffice/stops").text
    detail = client.get(f"/backoffice/schedules/{house.sessions[0, 1]}")
    assert "停用" in detail.text


def test_who_booked_meanwhile_is_shown_before_anything_is_stopped(
    client: FlaskClient, house: House
) -> None:
    house.book(0, house.sessions[0, 1])
    answer = client.post("/backoffice/stops", data=asked(house, seen=""))
    assert answer.status_code == 409
    assert "情况有变化" in answer.text
    with house.database.read(SYSTEM) as session:
        assert visits.list_stops(session, hospital_id=house.clinic.hospital_id) == []


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"reason": ""}, "请写明停诊原因"),
        ({"first": "2026-11-01"}, "不能从过去的日期"),
        ({"first": ""}, "请选择日期"),
        ({"practitioner": "", "department": ""}, "请选择停诊的医生"),
        ({"practitioner": str(Id(int=7))}, "请选择"),
    ],
)
def test_step_one_comes_back_with_each_fault(
    client: FlaskClient, house: House, other: dict[str, str], words: str
) -> None:
    answer = client.get("/backoffice/stops/preview", query_string=asked(house, **other))
    assert answer.status_code == 422
    assert words in answer.text


def test_who_left_can_still_be_stopped_while_a_session_of_theirs_stands(
    client: FlaskClient, house: House
) -> None:
    """Otherwise the form, come filled in from the session's page, would fall back to the whole department."""
    who = house.clinic.practitioner_ids[0]
    with house.database.write(SYSTEM) as session:
        organization.set_practitioner_active(
            session, who, hospital_id=house.clinic.hospital_id, is_active=False
        )
    url = f"/backoffice/stops/new?schedule={house.sessions[0, 1]}"
    assert f'<option value="{who}" selected>医生0（已离岗）</option>' in client.get(url).text
    house.stop(0, MONDAY, NEXT)
    page = client.get(f"/backoffice/stops/new?department={house.clinic.department_id}").text
    assert "医生1" in page
    assert "医生0" not in page


def test_a_stop_is_resumed_whole(client: FlaskClient, house: House) -> None:
    stop_id = house.stop(0, NEXT)
    answer = client.post(f"/backoffice/stops/{stop_id}/resume", data={})
    assert answer.status_code == 303
    assert "已恢复 1 个班次" in client.get(answer.headers["Location"]).text
    assert client.post(f"/backoffice/stops/{stop_id}/resume", data={}).status_code == 409


def test_the_desk_moves_or_refunds_for_the_patient(client: FlaskClient, house: House) -> None:
    moved = house.pay(house.book(0, house.sessions[0, 1]))
    back = house.pay(house.book(1, house.sessions[0, 1]))
    house.stop(0, NEXT)
    house.deliver()
    desk = "/backoffice/front-desk/patients"
    first, second = house.clinic.patient_ids[:2]
    page = client.get(f"{desk}/{first}/notices")
    assert "改到这里" in page.text
    assert "外出会诊" in page.text
    notice = house.notice(moved)
    url = f"{desk}/{first}/notices/{notice.id}"
    # Another patient's notice does not exist.
    assert client.post(f"{desk}/{second}/notices/{notice.id}/decline").status_code == 404
    assert client.post(f"{url}/accept", data={}).status_code == 422
    data = {"schedule_id": str(house.sessions[1, 1])}
    assert client.post(f"{url}/accept", data=data).status_code == 303
    assert house.notice(moved).state is DisruptionState.MOVED
    assert client.post(f"{url}/decline").status_code == 409
    url = f"{desk}/{second}/notices/{house.notice(back).id}"
    assert client.post(f"{url}/decline").status_code == 303
    assert house.refunded_fen(back) > 0


def test_a_number_is_added_for_a_named_patient(client: FlaskClient, house: House) -> None:
    schedule_id = house.sessions[0, 1]
    url = f"/backoffice/sessions/{schedule_id}/add"
    assert "加号原因" in client.get(url).text
    assert "患*" in client.get("/backoffice/sessions/patients?q=患者").text
    data = {
        "patient_id": str(house.clinic.patient_ids[0]),
        "reason": "外地复诊",
        "_key": new_id().hex,
    }
    assert client.post(url, data=data | {"reason": ""}).status_code == 422
    assert client.post(url, data={"reason": "外地复诊"}).status_code == 422
    answer = client.post(url, data=data)
    assert answer.status_code == 303
    assert "已加 5 号" in client.get(answer.headers["Location"]).text
    with house.database.read(SYSTEM) as session:
        made = session.scalars(select(Appointment)).one()
    assert (made.number, made.invoice_id is not None) == (5, True)
    house.assert_sound()


def test_a_session_is_handed_over(client: FlaskClient, house: House) -> None:
    with house.database.write(SYSTEM) as session:
        third = organization.add_practitioner(
            session,
            hospital_id=house.clinic.hospital_id,
            code="P9",
            name="欧阳代诊",
            sex=1,
            title="主任医师",
            department_id=house.clinic.department_id,
        ).id
    url = f"/backoffice/sessions/{house.sessions[0, 1]}/substitute"
    form = client.get(url)
    assert "欧阳代诊" in form.text
    assert "医生1" not in form.text  # sits in a session of her own
    assert client.post(url, data={"reason": "外出"}).status_code == 422
    for is_here in (False, True):
        with house.database.write(SYSTEM) as session:
            organization.set_practitioner_active(
                session, third, hospital_id=house.clinic.hospital_id, is_active=is_here
            )
        assert ("欧阳代诊" in client.get(url).text) is is_here
        answer = client.post(url, data={"reason": "外出", "practitioner": str(third)})
        assert answer.status_code == (303 if is_here else 422)
    assert "欧阳代诊" in client.get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    ("method", "path", "granted"),
    [
        ("GET", "/backoffice/stops", READ),
        ("GET", "/backoffice/stops/new", READ),
        ("GET", "/backoffice/stops/preview", READ),
        ("POST", "/backoffice/stops", READ),
        ("POST", f"/backoffice/stops/{Id(int=7)}/resume", READ),
        ("GET", f"/backoffice/sessions/{Id(int=7)}/add", MANAGE),
        ("POST", f"/backoffice/sessions/{Id(int=7)}/add", MANAGE),
        ("GET", "/backoffice/sessions/patients", MANAGE),
        ("POST", f"/backoffice/sessions/{Id(int=7)}/substitute", ADD),
        ("POST", f"/backoffice/front-desk/patients/{Id(int=7)}/notices/{Id(int=7)}/accept", REFUND),
        ("POST", f"/backoffice/front-desk/patients/{Id(int=7)}/notices/{Id(int=7)}/decline", WRITE),
    ],
)
def test_other_roles_are_refused(
    client: FlaskClient,
    switch: ActorSwitch,
    house: House,
    method: str,
    path: str,
    granted: Permission,
) -> None:
    switch.actor = staff_actor(house.clinic.hospital_id, granted)
    assert client.open(path, method=method).status_code == 403


def test_another_hospitals_stops_and_sessions_do_not_exist(
    client: FlaskClient, switch: ActorSwitch, house: House
) -> None:
    stop_id = house.stop(0, NEXT)
    other = make_clinic(house.database, code="H2", patients=0)
    switch.actor = staff_actor(other.hospital_id, MANAGE, READ, ADD)
    assert client.get(f"/backoffice/stops/{stop_id}").status_code == 404
    assert client.post(f"/backoffice/stops/{stop_id}/resume").status_code == 404
    assert client.get(f"/backoffice/sessions/{house.sessions[0, 1]}/add").status_code == 404
    assert client.get(f"/backoffice/stops/{new_id()}").status_code == 404
    strange = client.post("/backoffice/stops", data=asked(house) | {"seen": ""})
    assert strange.status_code == 422
    assert dt.date(2026, 11, 30) == NEXT


def test_a_devices_session_offers_no_act_that_cannot_work(
    client: FlaskClient, house: House
) -> None:
    add_device(house.database, house.clinic, Modality.CT)
    open_days(house.database, house.clinic, NEXT, NEXT)
    with house.database.read(SYSTEM) as session:
        views = visits.list_schedules(
            session, hospital_id=house.clinic.hospital_id, first=NEXT, last=NEXT
        )
    (device,) = [view.schedule_id for view in views if view.device_id is not None]
    doctors = client.get(f"/backoffice/schedules/{house.sessions[0, 1]}").text
    devices = client.get(f"/backoffice/schedules/{device}").text
    for act in ("add", "substitute"):
        assert f"/{house.sessions[0, 1]}/{act}" in doctors
        assert f"/{device}/{act}" not in devices
    answer = client.post(
        f"/backoffice/sessions/{device}/add",
        data={"patient_id": str(house.clinic.patient_ids[0]), "reason": "急", "_key": new_id().hex},
    )
    assert answer.status_code == 422
    assert "检查设备不能加号" in answer.text
    with pytest.raises(LineClosed), house.database.write(SYSTEM) as session:
        scheduling.join_line(
            session,
            patient_id=house.clinic.patient_ids[0],
            schedule_id=device,
            channel="counter",
        )
