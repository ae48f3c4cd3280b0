"""The stop-clinic wizard with one device: chosen, shown with others of its kind, stopped, and where to plan anew."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.journeys import backoffice as front_desk
from backend.journeys.backoffice import examinations, stops
from backend.kernel.clock import local
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.ids import new_id
from backend.kernel.outbox import Subscriptions
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.scheduling import backoffice as schedules
from backend.scheduling import queries as visits
from backend.scheduling.queries.examinations import list_booked_examinations
from backend.scheduling.rules import Modality, StopScope
from backend.scheduling.views import BookedExaminationView
from backend.web_parts import Parts
from tests.factories.clinic import MONDAY, make_clinic
from tests.factories.databases import SYSTEM
from tests.factories.imaging import add_device, open_days
from tests.factories.imaging_desk import ImagingDesk, make_imaging_desk
from tests.factories.visits import subscribe
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

WIZARD = "/backoffice/stops"
SCHEDULER = (Permission.SCHEDULING_SCHEDULE_MANAGE, Permission.SCHEDULING_SCHEDULE_READ)
PLANNER = Permission.SCHEDULING_EXAMINATION_BOOK


@pytest.fixture
def subscriptions() -> Subscriptions:
    return subscribe(Subscriptions())


@pytest.fixture
def desk(sqlite_database: Database) -> ImagingDesk:
    """Two CTs; somebody is to have a CT."""
    desk = make_imaging_desk(sqlite_database)
    add_device(sqlite_database, desk.hour.clinic, Modality.CT, code="CT-2", capacity=16)
    open_days(sqlite_database, desk.hour.clinic, MONDAY, MONDAY + dt.timedelta(days=14))
    desk.order("CT-C")
    desk.answer()
    assert desk.book(desk.propose()) == 1
    return desk


@pytest.fixture
def switch(desk: ImagingDesk) -> ActorSwitch:
    switch = ActorSwitch()
    registrar = (Permission.SCHEDULING_APPOINTMENT_WRITE, Permission.PATIENTS_PATIENT_READ)
    switch.actor = staff_actor(desk.hospital_id, *SCHEDULER, *registrar, PLANNER)
    return switch


@pytest.fixture
def client(desk: ImagingDesk, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    blueprints = (
        front_desk.blueprint, examinations.blueprint, stops.blueprint, schedules.blueprint,
    )  # fmt: skip
    app = make_app(desk.database, tmp_path, switch, *blueprints, parts=Parts())
    return app.test_client()


@pytest.fixture
def ct(desk: ImagingDesk) -> BookedExaminationView:
    """The examination on the device that will break."""
    with desk.database.read(SYSTEM) as session:
        (found,) = list_booked_examinations(
            session, patient_id=desk.patient_id, hospital_id=desk.hospital_id
        )
    return found


def asked(desk: ImagingDesk, ct: BookedExaminationView, **other: str) -> dict[str, str]:
    return {
        "department": str(desk.hour.clinic.department_id),
        "device": str(ct.device.id),
        "first": local(ct.starts_at).date().isoformat(),
        "reason": "CT 故障",
        "_key": new_id().hex,
    } | other


def test_a_devices_session_leads_to_a_stop_of_that_device_alone(
    desk: ImagingDesk, client: FlaskClient, ct: BookedExaminationView
) -> None:
    """Filled in without the device the form would have stopped the whole department."""
    day = local(ct.starts_at).date()
    with desk.database.read(SYSTEM) as session:
        views = visits.list_schedules(session, hospital_id=desk.hospital_id, first=day, last=day)
    session_id = next(one.schedule_id for one in views if one.device_id == ct.device.id)
    page = client.get(f"{WIZARD}/new?schedule={session_id}").text
    assert f'<option value="{ct.device.id}" selected>' in page


def test_the_wizard_stops_one_device_and_says_where_its_examinations_can_go(
    desk: ImagingDesk, client: FlaskClient, switch: ActorSwitch, ct: BookedExaminationView
) -> None:
    preview = client.get(f"{WIZARD}/preview", query_string=asked(desk, ct)).text
    for words in ("整项检查取消，医嘱保留，改约", "同类设备的空号", "停诊并通知 1 人", "随医嘱"):
        assert words in preview, words
    assert '<th scope="col">医生</th>' not in preview
    assert f'name="device" value="{ct.device.id}"' in preview
    day = local(ct.starts_at).date()
    with desk.database.read(SYSTEM) as session:
        places = visits.preview_stop(
            session,
            hospital_id=desk.hospital_id,
            scope=StopScope(day, day, device_id=ct.device.id),
        ).visits
    seen = " ".join(str(one.visit.id) for one in places)
    answer = client.post(WIZARD, data=asked(desk, ct, seen=seen))
    assert answer.status_code == 303
    Dispatcher(desk.database).drain()
    planning = f"/backoffice/examinations/patients/{desk.patient_id}"
    page = client.get(answer.headers["Location"]).text
    assert "检查已取消，待改约" in page
    assert planning in page
    assert ct.device.name in client.get(WIZARD).text
    notices = client.get(f"/backoffice/front-desk/patients/{desk.patient_id}/notices").text
    assert "整项检查已取消，医嘱和已付的费用不变" in notices
    assert planning in notices
    switch.actor = staff_actor(desk.hospital_id, *SCHEDULER)
    assert planning not in client.get(answer.headers["Location"]).text


def test_a_device_is_one_of_the_department_that_is_chosen(
    desk: ImagingDesk, client: FlaskClient, ct: BookedExaminationView
) -> None:
    other = make_clinic(desk.database, code="H2")
    foreign = str(add_device(desk.database, other, Modality.CT))
    for wrong in ({"device": foreign}, {"department": ""}, {"device": str(new_id())}):
        answer = client.get(f"{WIZARD}/preview", query_string=asked(desk, ct, **wrong))
        assert answer.status_code == 422
        assert "请选择" in answer.text
    both = {"practitioner": str(desk.hour.clinic.practitioner_ids[0])}
    answer = client.get(f"{WIZARD}/preview", query_string=asked(desk, ct, **both))
    assert answer.status_code == 422
    assert "医生和设备请分开停" in answer.text
