"""Rooms out of use and people who left: not among the choices for anything new, still shown where they were."""

from __future__ import annotations

import datetime as dt

import pytest
from flask.testing import FlaskClient

from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.organization import service as organization
from backend.organization.queries import LocationKind
from backend.scheduling import queries
from tests.factories.clinic import MONDAY, Clinic
from tests.factories.databases import SYSTEM

TEMPLATES = "/backoffice/schedules/templates"
SPECIAL = "/backoffice/schedules/special"
NEXT = MONDAY + dt.timedelta(days=7)


@pytest.fixture
def other_room_id(sqlite_database: Database, clinic: Clinic) -> Id:
    """A second room; the first one goes out of use."""
    with sqlite_database.write(SYSTEM) as session:
        room = organization.add_location(
            session,
            hospital_id=clinic.hospital_id,
            code="R2",
            name="二诊室",
            kind=LocationKind.ROOM,
            parent_id=None,
        )
        organization.set_place_active(
            session, clinic.room_id, hospital_id=clinic.hospital_id, is_active=False
        )
        return room.id


def leave(database: Database, clinic: Clinic, number: int = 0) -> Id:
    """The practitioner works here no longer."""
    person_id = clinic.practitioner_ids[number]
    with database.write(SYSTEM) as session:
        organization.set_practitioner_active(
            session, person_id, hospital_id=clinic.hospital_id, is_active=False
        )
    return person_id


def form(clinic: Clinic, **other: str) -> dict[str, str]:
    return {
        "department_id": str(clinic.department_id),
        "practitioner_id": str(clinic.practitioner_ids[0]),
        "location_id": str(clinic.room_id),
        "weekday": "2",
        "half_day": "pm",
        "visit_type": "chief",
        "fee": "REG-CHIEF",
        "capacity": "5",
        "slot_minutes": "10",
        "effective_from": NEXT.isoformat(),
        "day": NEXT.isoformat(),
        "reason": "加开",
    } | other


def entry_of(database: Database, clinic: Clinic) -> Id:
    """The Monday entry of the first practitioner."""
    with database.read(SYSTEM) as session:
        (one,) = queries.list_entries(
            session,
            hospital_id=clinic.hospital_id,
            on=MONDAY,
            practitioner_id=clinic.practitioner_ids[0],
        )
    return one.id


def test_a_room_out_of_use_is_no_choice_for_a_new_session(
    client: FlaskClient, clinic: Clinic, other_room_id: Id
) -> None:
    cell = f"{clinic.practitioner_ids[0]}.2.pm"
    for url, asked in ((TEMPLATES, {"add": cell}), (SPECIAL, {})):
        page = client.get(url, query_string={"department": str(clinic.department_id)} | asked).text
        assert f'value="{other_room_id}"' in page
        assert f'value="{clinic.room_id}"' not in page
    for url in (f"{TEMPLATES}/add", SPECIAL):
        assert client.post(url, data=form(clinic)).status_code == 422
        there = client.post(url, data=form(clinic, location_id=str(other_room_id)))
        assert there.status_code == 303


def test_an_entry_keeps_its_room_until_it_is_changed(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic, other_room_id: Id
) -> None:
    entry_id = entry_of(sqlite_database, clinic)
    asked = {"department": str(clinic.department_id), "edit": str(entry_id)}
    page = client.get(TEMPLATES, query_string=asked).text
    assert f'<option value="{clinic.room_id}" selected>一诊室（已停用）</option>' in page
    assert f'value="{other_room_id}"' in page
    change = form(clinic, weekday="1", half_day="am", capacity="3")
    url = f"{TEMPLATES}/{entry_id}/change"
    assert client.post(url, data=change).status_code == 303


def test_who_left_is_shown_but_given_nothing_new(
    client: FlaskClient, sqlite_database: Database, clinic: Clinic
) -> None:
    who, here = leave(sqlite_database, clinic), clinic.practitioner_ids[1]
    for asked in ({}, {"practitioner": str(who)}):
        page = client.get(
            TEMPLATES, query_string={"department": str(clinic.department_id)} | asked
        ).text
        assert "医生0" in page
        assert f"add={who}." not in page
        assert (f"add={here}." in page) is (not asked)
    special = client.get(SPECIAL, query_string={"department": str(clinic.department_id)}).text
    assert f'value="{here}"' in special
    assert f'value="{who}"' not in special
    for url in (f"{TEMPLATES}/add", SPECIAL):
        assert client.post(url, data=form(clinic)).status_code == 422
    url = f"{TEMPLATES}/{entry_of(sqlite_database, clinic)}/change"
    change = form(clinic, weekday="1", half_day="am", effective_until=NEXT.isoformat())
    assert client.post(url, data=change).status_code == 303
