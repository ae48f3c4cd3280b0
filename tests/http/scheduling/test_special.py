"""Opening a session beside the weekly template: the form, its faults, and who may."""

from __future__ import annotations

import datetime as dt

import pytest
from flask.testing import FlaskClient

from backend.kernel.ids import new_id
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.scheduling import queries, service
from backend.scheduling.rules import StopScope
from tests.factories.clinic import MONDAY, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.factories.webapp import ActorSwitch, staff_actor

URL = "/backoffice/schedules/special"
SUNDAY = MONDAY + dt.timedelta(days=6)


def form(clinic: Clinic, **other: str) -> dict[str, str]:
    return {
        "department_id": str(clinic.department_id),
        "practitioner_id": str(clinic.practitioner_ids[0]),
        "location_id": str(clinic.room_id),
        "day": SUNDAY.isoformat(),
        "half_day": "am",
        "visit_type": "chief",
        "fee": "REG-CHIEF",
        "capacity": "5",
        "slot_minutes": "10",
        "reason": "国庆加开",
    } | other


def test_from_the_week_to_a_session_more(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    week = client.get("/backoffice/schedules", query_string={"day": SUNDAY.isoformat()})
    assert "/backoffice/schedules/special?" in week.text
    empty = client.get(URL, query_string={"department": str(clinic.department_id)})
    assert empty.status_code == 200
    for words in ("加开", "医生0", "一诊室", "主任医师挂号费", "¥25.00"):
        assert words in empty.text, words
    answer = client.post(URL, data=form(clinic))
    assert answer.status_code == 303
    assert "医生0" in client.get(answer.headers["Location"]).text
    with sqlite_database.read(SYSTEM) as session:
        (made,) = queries.list_schedules(
            session, hospital_id=clinic.hospital_id, first=SUNDAY, last=SUNDAY
        )
    assert (made.total_count, made.fee_fen, made.room_name) == (5, 2500, "一诊室")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"day": ""}, "请选择日期"),
        ({"day": "2026-11-01"}, "已"),
        ({"day": MONDAY.isoformat()}, "这位医生这个半天已有班次"),
        ({"day": (SUNDAY + dt.timedelta(days=1)).isoformat()}, "这位医生这个半天停诊"),
        ({"practitioner_id": ""}, "请选择"),
        ({"half_day": "dawn"}, "请选择星期和半天"),
        ({"capacity": "many"}, "请填写数字"),
        ({"fee": "GIFT"}, "请选择挂号费"),
    ],
)
def test_each_fault_is_said_in_the_form(
    client: FlaskClient,
    sqlite_database: Database,
    clinic: Clinic,
    other: dict[str, str],
    words: str,
) -> None:
    open_schedules(sqlite_database, clinic)
    away = SUNDAY + dt.timedelta(days=1)
    with sqlite_database.write(SYSTEM) as session:
        service.stop_sessions(
            session,
            hospital_id=clinic.hospital_id,
            scope=StopScope(away, away, practitioner_id=clinic.practitioner_ids[0]),
            reason="休假",
        )
    answer = client.post(URL, data=form(clinic, **other))
    assert answer.status_code == 422
    assert words in answer.text
    assert "国庆加开" in answer.text


def test_only_schedulers_of_the_hospital_open_sessions(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic, switch: ActorSwitch
) -> None:
    other = make_clinic(sqlite_database, code="H2")
    assert client.get(URL, query_string={"department": str(other.department_id)}).status_code == 404
    foreign = form(clinic, practitioner_id=str(other.practitioner_ids[0]))
    assert client.post(URL, data=foreign).status_code == 422
    assert client.get(URL, query_string={"department": str(new_id())}).status_code == 404
    switch.actor = staff_actor(clinic.hospital_id, Permission.SCHEDULING_SCHEDULE_READ)
    assert client.post(URL, data=form(clinic)).status_code == 403
    assert "/schedules/special?" not in client.get("/backoffice/schedules").text
