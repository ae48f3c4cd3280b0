"""The schedules pages: week, day, places, generating; who may, and what another hospital sees."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Actor, ActorKind, Permission
from backend.kernel.uow import Database
from backend.scheduling import backoffice, queries, service
from backend.scheduling.models import Schedule
from backend.scheduling.rules import Channel, ScheduleStatus
from backend.web_parts import Parts
from tests.factories.clinic import MONDAY, Clinic, make_clinic, open_schedules
from tests.factories.databases import SYSTEM
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

READ = Permission.SCHEDULING_SCHEDULE_READ
GENERATE = Permission.SCHEDULING_SCHEDULE_GENERATE
HTMX = {"HX-Request": "true"}


@pytest.fixture
def clinic(sqlite_database: Database) -> Clinic:
    return make_clinic(sqlite_database)


@pytest.fixture
def switch(clinic: Clinic) -> ActorSwitch:
    switch = ActorSwitch()
    switch.actor = staff_actor(clinic.hospital_id, READ, GENERATE)
    return switch


@pytest.fixture
def client(sqlite_database: Database, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    parts = Parts(nav=backoffice.NAV)
    app = make_app(sqlite_database, tmp_path, switch, backoffice.blueprint, parts=parts)
    return app.test_client()


def schedules(database: Database, clinic: Clinic) -> int:
    with database.read(SYSTEM) as session:
        return len(
            queries.list_schedules(
                session,
                hospital_id=clinic.hospital_id,
                first=MONDAY,
                last=MONDAY + dt.timedelta(days=30),
            )
        )


def test_the_week_as_page_and_as_fragment(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    open_schedules(sqlite_database, clinic)
    page = client.get("/backoffice/schedules")
    assert page.status_code == 200
    assert "<html" in page.text
    assert "医生0" in page.text
    assert "余 3" in page.text
    assert "一诊室" in page.text
    assert "¥25.00" in page.text
    fragment = client.get("/backoffice/schedules", headers=HTMX)
    assert "<html" not in fragment.text
    assert fragment.text.lstrip().startswith('<section id="week"')
    assert "医生0" in fragment.text


def test_the_week_is_chosen_by_day_department_and_kind(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    open_schedules(sqlite_database, clinic)
    url = f"/backoffice/schedules?department={clinic.department_id}"
    assert "这一周还没有班次" in client.get(f"{url}&day=2026-12-02").text
    assert "医生0" in client.get(f"{url}&day=2026-11-29&visit_type=chief").text
    assert "医生0" not in client.get(f"{url}&visit_type=general").text
    # A department that is not this hospital's is as good as none chosen.
    assert "医生0" in client.get(f"/backoffice/schedules?department={new_id()}").text


@pytest.mark.parametrize("query", ["day=tomorrow", "visit_type=magic"])
def test_an_unreadable_filter_is_said(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/backoffice/schedules?{query}")
    assert answer.status_code == 422
    assert "写法有误" in answer.text


def test_the_day_and_the_places_of_a_session(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    schedule_id = open_schedules(sqlite_database, clinic)[0]
    with sqlite_database.write(SYSTEM) as session:
        service.hold_slot(
            session,
            patient_id=clinic.patient_ids[0],
            schedule_id=schedule_id,
            channel=Channel.KIOSK,
        )
    day = client.get("/backoffice/schedules/day")
    assert day.status_code == 200
    assert "选一个班次" in day.text
    opened = client.get(f"/backoffice/schedules/{schedule_id}")
    assert opened.status_code == 200
    for words in ("08:30–09:00", "待支付", "自助机", "可挂", "已过时段"):
        assert words in opened.text
    assert "患者0" not in opened.text
    fragment = client.get(f"/backoffice/schedules/{schedule_id}", headers=HTMX)
    assert "<html" not in fragment.text
    assert 'aria-current="true"' in fragment.text


def test_a_stopped_session_says_so(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    schedule_id = open_schedules(sqlite_database, clinic)[0]
    with sqlite_database.write(SYSTEM, housekeeping=True) as session:
        session.get_one(Schedule, schedule_id).status = ScheduleStatus.STOPPED
    assert "停诊" in client.get("/backoffice/schedules").text


def test_generating_the_week_and_the_window(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    form = {"department": str(clinic.department_id), "day": "2026-11-23", "span": "week"}
    answer = client.post("/backoffice/schedules/generate", data=form)
    assert answer.status_code == 303
    assert schedules(sqlite_database, clinic) == 2
    assert "已生成 2 个班次" in client.get(answer.headers["Location"]).text
    again = client.post("/backoffice/schedules/generate", data=form, headers=HTMX)
    assert again.status_code == 204
    assert "都已生成" in client.get(again.headers["HX-Redirect"]).text
    client.post("/backoffice/schedules/generate", data=form | {"span": "window"})
    assert schedules(sqlite_database, clinic) == 6


def test_the_past_is_not_generated(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic, clock: FixedClock
) -> None:
    clock.advance(dt.timedelta(days=2))
    form = {"department": str(clinic.department_id), "day": "2026-11-16"}
    answer = client.post("/backoffice/schedules/generate", data=form)
    assert answer.status_code == 422
    assert "过去的日期" in answer.text
    client.post("/backoffice/schedules/generate", data=form | {"day": "2026-11-23"})
    assert (
        schedules(sqlite_database, clinic) == 0
    )  # Monday is over, the template knows no other day


@pytest.mark.parametrize(
    ("method", "path", "granted"),
    [
        ("GET", "/backoffice/schedules", GENERATE),
        ("GET", "/backoffice/schedules/day", GENERATE),
        ("GET", f"/backoffice/schedules/{Id(int=7)}", GENERATE),
        ("POST", "/backoffice/schedules/generate", READ),
    ],
)
def test_other_roles_are_refused(
    client: FlaskClient,
    switch: ActorSwitch,
    clinic: Clinic,
    method: str,
    path: str,
    granted: Permission,
) -> None:
    switch.actor = staff_actor(clinic.hospital_id, granted)
    assert client.open(path, method=method).status_code == 403


def test_readers_are_not_offered_to_generate(
    client: FlaskClient, switch: ActorSwitch, clinic: Clinic
) -> None:
    assert "生成这一周" in client.get("/backoffice/schedules").text
    switch.actor = staff_actor(clinic.hospital_id, READ)
    assert "生成这一周" not in client.get("/backoffice/schedules").text


def scoped(clinic: Clinic, department_id: Id) -> Actor:
    grants = {READ: None, GENERATE: frozenset({department_id})}
    return Actor(ActorKind.STAFF, hospital_id=clinic.hospital_id, label="T002", grants=grants)


def test_a_scheduler_of_one_department_generates_only_there(
    client: FlaskClient, switch: ActorSwitch, sqlite_database: Database, clinic: Clinic
) -> None:
    switch.actor = scoped(clinic, new_id())
    form = {"department": str(clinic.department_id), "day": "2026-11-23"}
    assert client.post("/backoffice/schedules/generate", data=form).status_code == 403
    assert client.post("/backoffice/schedules/generate", data={}).status_code == 403
    assert schedules(sqlite_database, clinic) == 0
    switch.actor = scoped(clinic, clinic.department_id)
    assert client.post("/backoffice/schedules/generate", data=form).status_code == 303
    assert schedules(sqlite_database, clinic) == 2


def test_another_hospitals_sessions_do_not_exist(
    client: FlaskClient, switch: ActorSwitch, sqlite_database: Database, clinic: Clinic
) -> None:
    schedule_id = open_schedules(sqlite_database, clinic)[0]
    other = make_clinic(sqlite_database, code="H2")
    switch.actor = staff_actor(other.hospital_id, READ, GENERATE)
    assert client.get(f"/backoffice/schedules/{schedule_id}").status_code == 404
    page = client.get(f"/backoffice/schedules/day?department={clinic.department_id}")
    assert "这一天没有班次" in page.text
    switch.actor = Actor(ActorKind.STAFF, label="nowhere", grants={READ: None})
    assert client.get("/backoffice/schedules").status_code == 403


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1999-12-31", "20261340"])
@pytest.mark.parametrize(
    "page", ["?day=", "/day?day=", "/load?on=", "/templates/preview?on=", "/templates?on="]
)
def test_days_beyond_the_calendar_are_refused(client: FlaskClient, page: str, day: str) -> None:
    assert client.get(f"/backoffice/schedules{page}{day}").status_code == 422


@pytest.mark.parametrize("cell", ["9.am", "0.am", "1.dawn", "1", "x.am"])
def test_a_cell_of_the_template_that_is_none_is_refused(
    client: FlaskClient, clinic: Clinic, cell: str
) -> None:
    wanted = f"{clinic.practitioner_ids[0]}.{cell}"
    assert (
        client.get("/backoffice/schedules/templates", query_string={"add": wanted}).status_code
        == 422
    )
