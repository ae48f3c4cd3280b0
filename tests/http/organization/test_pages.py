"""Rooms and staff: page, fragment, search, denied role, another hospital's rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.organization import service
from backend.organization.backoffice import blueprint
from backend.organization.queries import DepartmentKind, LocationKind
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.databases import SYSTEM
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

HTMX = {"HX-Request": "true"}


@pytest.fixture
def clinic(sqlite_database: Database) -> Clinic:
    return make_clinic(sqlite_database)


@pytest.fixture
def switch(clinic: Clinic) -> ActorSwitch:
    switch = ActorSwitch()
    switch.actor = staff_actor(
        clinic.hospital_id,
        Permission.ORGANIZATION_LOCATION_READ,
        Permission.ORGANIZATION_STAFF_READ,
    )
    return switch


@pytest.fixture
def client(sqlite_database: Database, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    return make_app(sqlite_database, tmp_path, switch, blueprint).test_client()


def add_tower(database: Database, clinic: Clinic) -> None:
    """A building with floors 2 and 10, a room on each, and a department on floor 10."""
    hospital_id = clinic.hospital_id
    with database.write(SYSTEM) as session:

        def add(code: str, name: str, kind: LocationKind, inside: str = "") -> None:
            parent = places.get(inside)
            place = service.add_location(
                session, hospital_id=hospital_id, code=code, name=name, kind=kind, parent_id=parent
            )
            session.flush()
            places[code] = place.id

        places: dict[str, Id] = {}
        add("T", "医技楼", LocationKind.BUILDING)
        for floor in (10, 2):
            add(f"T-{floor}", f"{floor} 层", LocationKind.FLOOR, "T")
            add(f"T-{floor}-01", f"{floor} 层一室", LocationKind.ROOM, f"T-{floor}")
        service.add_department(
            session,
            hospital_id=hospital_id,
            code="LAB",
            name="检验科",
            kind=DepartmentKind.TECHNICAL,
            location_id=places["T-10"],
        )


def test_rooms_are_a_tree_in_the_order_people_count(
    sqlite_database: Database, clinic: Clinic, client: FlaskClient
) -> None:
    add_tower(sqlite_database, clinic)
    page = client.get("/backoffice/rooms")
    assert page.status_code == 200
    order = [page.text.index(words) for words in ("医技楼", "2 层一室", "10 层一室")]
    assert order == sorted(order)
    assert "2 间房间和窗口" in page.text


def test_rooms_are_found_by_name_code_and_department_with_their_parents(
    sqlite_database: Database, clinic: Clinic, client: FlaskClient
) -> None:
    add_tower(sqlite_database, clinic)
    for text in ("10 层", "t-10", "检验"):
        fragment = client.get("/backoffice/rooms", query_string={"q": text}, headers=HTMX).text
        assert "<html" not in fragment
        assert "医技楼" in fragment
        assert "10 层一室" in fragment
        assert "2 层一室" not in fragment
    assert "没有找到这个位置" in client.get("/backoffice/rooms?q=zzz", headers=HTMX).text


def test_staff_are_found_and_continued(
    sqlite_database: Database, clinic: Clinic, client: FlaskClient
) -> None:
    with sqlite_database.write(SYSTEM) as session:
        for number in range(60):
            service.add_practitioner(
                session,
                hospital_id=clinic.hospital_id,
                code=f"S{number:03}",
                name="欧阳静姝" if number == 59 else f"护士{number}",
                sex=2,
                title="护师",
                department_id=clinic.department_id,
                specialty="静脉治疗",
            )
    page = client.get("/backoffice/staff").text
    assert page.count("护师") == 48
    more = page.rpartition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    rest = client.get(more, headers=HTMX).text
    assert rest.count("<tr>") == 12
    for query in ({"q": "静姝"}, {"q": "ouyang"}, {"q": "s059"}):
        fragment = client.get("/backoffice/staff", query_string=query, headers=HTMX).text
        assert fragment.count("护师") == 1
    only = client.get(f"/backoffice/staff?department={clinic.department_id}&q=主任", headers=HTMX)
    assert only.text.count("主任医师") == 2
    assert "没有找到符合条件的人员" in client.get("/backoffice/staff?q=100%25", headers=HTMX).text


def test_another_hospitals_places_and_people_stay_out_of_sight(
    sqlite_database: Database, clinic: Clinic, client: FlaskClient, switch: ActorSwitch
) -> None:
    add_tower(sqlite_database, clinic)
    other = make_clinic(sqlite_database, code="H2", practitioners=1)
    switch.actor = staff_actor(
        other.hospital_id,
        Permission.ORGANIZATION_LOCATION_READ,
        Permission.ORGANIZATION_STAFF_READ,
    )
    assert "医技楼" not in client.get("/backoffice/rooms").text
    assert "医生1" not in client.get("/backoffice/staff").text


@pytest.mark.parametrize("path", ["/backoffice/rooms", "/backoffice/staff"])
def test_denied_without_the_permission(
    client: FlaskClient, switch: ActorSwitch, clinic: Clinic, path: str
) -> None:
    switch.actor = staff_actor(clinic.hospital_id, Permission.IDENTITY_SESSION_OWN)
    assert client.get(path).status_code == 403
    switch.actor = None
    assert client.get(path).status_code == 401
