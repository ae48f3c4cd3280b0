"""From an empty database to a booked visit: founded at the terminal, everything else by hand on the pages."""

from __future__ import annotations

import re
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.app import create_app
from backend.identity import queries as accounts
from backend.identity import totp
from backend.kernel.uow import Database
from backend.organization import queries as organization
from backend.queueing import queries as queues
from tests.factories.databases import SYSTEM
from tests.factories.founding import Terminal
from tests.factories.people import id_number
from tests.factories.webapp import make_program

OWN_PASSWORD = "my own long sentence"
TUESDAY = "2026-11-24"


class Desk:
    """One person at a browser."""

    def __init__(self, app: Flask, database: Database, username: str, one_time: str) -> None:
        self.client: FlaskClient = app.test_client()
        self.database = database
        self.send("/login", on="/login", username=username, password=one_time)
        new = {"current": one_time, "new": OWN_PASSWORD, "again": OWN_PASSWORD}
        self.send("/backoffice/password", on="/backoffice/password", **new)

    def page(self, path: str) -> str:
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, *, on: str = "/backoffice/", **fields: str) -> TestResponse:
        """Send a form with the token of the page ``on``; it must be accepted."""
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.page(on))
        assert found is not None
        answer = self.client.post(path, data={"csrf_token": found[1], **fields})
        assert answer.status_code in {200, 303}, answer.text
        return answer

    def make(self, path: str, **fields: str) -> str:
        """Send a form that makes something; its id, from the page it leads to."""
        return self.send(path, **fields).location.rpartition("/")[2]

    def enrol(self, username: str) -> None:
        """Set up the second factor, which administrators may not work without."""
        assert "动态口令" in self.page("/backoffice/")
        self.send("/backoffice/second-factor/begin", on="/backoffice/second-factor")
        with self.database.read(SYSTEM) as session:
            found = accounts.find_credentials(session, username)
            assert found is not None
            secret = accounts.get_factor(session, found.account_id).pending_secret
        code = totp_now(secret, self.database)
        self.send("/backoffice/second-factor/confirm", on="/backoffice/second-factor", code=code)

    def open_account(self, person_id: str, username: str, role: str) -> str:
        """An account in the whole hospital; its one-time password."""
        form = {"practitioner": person_id, "username": username, "role": role, "department": ""}
        found = re.search(
            r'id="one-time"[^>]*>([a-z0-9-]+)<', self.send("/backoffice/accounts", **form).text
        )
        assert found is not None
        return found[1]


def totp_now(secret: str, database: Database) -> str:
    return pyotp.TOTP(secret).generate_otp(totp.step_of(database.clock.now()))


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Flask:
    return create_app(make_program(database, tmp_path))


def test_an_empty_database_becomes_a_hospital_that_books_visits(
    database: Database, app: Flask, tmp_path: Path
) -> None:
    terminal = Terminal(make_program(database, tmp_path))
    one_time = terminal.create()
    assert terminal.status == 0
    file = tmp_path / "departments.csv"
    terminal.departments(file, "BREAST,乳腺外科,临床,,A,", "OPD,门诊部,行政,,,")
    assert terminal.status == 0, terminal.said

    boss = Desk(app, database, "boss", one_time)
    boss.enrol("boss")
    with database.read(SYSTEM) as session:
        hospital = organization.list_hospitals(session)[0]
        found = organization.list_departments(session, hospital_id=hospital.id)
        departments = {one.code: str(one.id) for one in found}
        campus = organization.get_location_by_code(session, hospital_id=hospital.id, code="XL")
    room = boss.make(
        "/backoffice/rooms", code="OP-201", name="二〇一诊室", kind="room", parent=str(campus.id)
    )
    people = {
        code: boss.make(
            "/backoffice/staff",
            code=code,
            name=name,
            sex="2",
            title=title,
            department=departments[department],
        )
        for code, name, title, department in (
            ("D001", "陆小满", "主任医师", "BREAST"),
            ("S001", "何秋", "挂号员", "OPD"),
            ("S002", "沈冬", "物价员", "OPD"),
            ("S003", "唐春", "排班员", "OPD"),
        )
    }
    passwords = {
        role: boss.open_account(people[code], f"the.{role}", role)
        for code, role in (("S001", "registrar"), ("S002", "price_clerk"), ("S003", "scheduler"))
    }

    pricer = Desk(app, database, "the.price_clerk", passwords["price_clerk"])
    pricer.make(
        "/backoffice/prices",
        code="REG-CHIEF",
        name="主任医师门诊诊查费",
        unit="次",
        category="registration",
        price="40",
        effective_from="2026-11-23",
    )
    scheduler = Desk(app, database, "the.scheduler", passwords["scheduler"])
    scheduler.send(
        "/backoffice/schedules/templates/add",
        practitioner_id=people["D001"],
        department_id=departments["BREAST"],
        location_id=room,
        fee="REG-CHIEF",
        weekday="2",
        half_day="am",
        visit_type="chief",
        capacity="8",
        slot_minutes="15",
        effective_from=TUESDAY,
    )
    scheduler.send("/backoffice/schedules/generate", span="window")
    terminal.departments(file, "BREAST,乳腺外科,临床,,A,OP-201")
    assert terminal.status == 0, terminal.said

    registrar = Desk(app, database, "the.registrar", passwords["registrar"])
    patient = registrar.make(
        "/backoffice/front-desk/patients", name="林知夏", id_kind="01", id_number=id_number(8)
    )
    hand = f"/backoffice/front-desk/patients/{patient}"
    offered = registrar.page(f"{hand}/bookable?day={TUESDAY}")
    schedule = re.search(r'name="schedule_id" value="([^"]+)"', offered)
    assert schedule is not None, offered
    registrar.send(f"{hand}/appointments", schedule_id=schedule[1], _key="k1")
    assert "陆小满" in registrar.page(hand)
    assert "40.00" in registrar.page(hand)
    with database.read(SYSTEM) as session:
        department = next(one for one in found if one.code == "BREAST")
        queue = queues.queue_of_department(session, department.id)
        assert (queue.code, queue.prefix) == ("Q-BREAST", "A")
        assert [one.code for one in queues.list_rooms(session, queue.id)] == ["OP-201"]
