"""Why can this patient not book? The fragment says every rule's word; strangers' patients are nobody's business."""

from __future__ import annotations

from flask.testing import FlaskClient

from backend.kernel.ids import Id, new_id
from backend.scheduling import service
from backend.scheduling.queries import list_schedules
from tests.factories.clinic import MONDAY
from tests.factories.databases import SYSTEM
from tests.factories.front_desk import VisitWorld

HTMX = {"HX-Request": "true"}


def address(patient_id: Id, schedule_id: Id) -> str:
    return f"/backoffice/front-desk/patients/{patient_id}/sessions/{schedule_id}/why"


def first_schedule(world: VisitWorld) -> Id:
    with world.database.read(SYSTEM) as session:
        return list_schedules(
            session, hospital_id=world.clinic.hospital_id, first=MONDAY, last=MONDAY
        )[0].schedule_id


def test_nothing_in_the_way_is_said_so(client: FlaskClient, world: VisitWorld) -> None:
    page = client.get(address(world.patient_id, first_schedule(world)), headers=HTMX)
    assert page.status_code == 200
    assert page.text.count("可以挂") == 3
    assert "不符合" not in page.text
    assert "<html" not in page.text


def test_the_rule_in_the_way_says_what_to_do(client: FlaskClient, world: VisitWorld) -> None:
    schedule_id = first_schedule(world)
    with world.database.write(SYSTEM) as session:
        service.hold_slot(
            session, patient_id=world.patient_id, schedule_id=schedule_id, channel="kiosk"
        )
    page = client.get(address(world.patient_id, schedule_id), headers=HTMX)
    assert page.text.count("不能挂") == 3
    assert "您在这位医生的这个半天已经有号了" in page.text
    assert "先退掉再重新挂号" in page.text


def test_unknown_patients_and_sessions_are_not_found(
    client: FlaskClient, world: VisitWorld
) -> None:
    known = first_schedule(world)
    assert client.get(address(new_id(), known)).status_code == 404
    assert client.get(address(world.patient_id, new_id())).status_code == 404
