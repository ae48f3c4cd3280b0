"""Accounts over HTTP: opened with a one-time password, roles given and taken, passwords handed out and replaced."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from backend.identity.models import StaffAccount, StaffRole
from backend.identity.rules import Role
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.staff import PASSWORD, code_at, make_account
from tests.http.identity.conftest import LogIn, form_token, send_form

PAGE = "/backoffice/accounts"
OWN = "my own long sentence"


@pytest.fixture
def cashier(sqlite_database: Database, clinic: Clinic) -> Id:
    return make_account(sqlite_database, clinic, "cashier", Role.CASHIER)


def one_time(page: TestResponse) -> str:
    found = re.search(r'id="one-time"[^>]*>([a-z0-9-]+)<', page.text)
    assert found is not None, page.text
    return found[1]


def roles_of(database: Database, account_id: Id) -> set[tuple[str, Id | None]]:
    with database.read() as session:
        rows = session.scalars(select(StaffRole).where(StaffRole.account_id == account_id))
        return {(row.role.value, row.department_id) for row in rows}


@pytest.mark.usefixtures("administrator")
def test_an_account_is_opened_and_its_owner_chooses_a_password_before_anything_else(
    app: Flask, client: FlaskClient, clinic: Clinic, sqlite_database: Database
) -> None:
    found = client.get(f"{PAGE}/people?q=p1")
    assert "医生1" in found.text
    form = {
        "practitioner": str(clinic.practitioner_ids[1]),
        "username": "Nurse.One",
        "role": "triage_nurse",
        "department": str(clinic.department_id),
    }
    page = send_form(client, PAGE, on=f"{PAGE}/new", **form)
    assert page.status_code == 200
    password = one_time(page)
    again = send_form(client, PAGE, on=f"{PAGE}/new", **form)
    assert again.status_code == 409
    assert "已经有人使用" in again.text
    assert "医生1" in again.text
    with sqlite_database.read() as session:
        made = session.scalars(
            select(StaffAccount).where(StaffAccount.username == "nurse.one")
        ).one()
        details = [str(row.detail) for row in session.scalars(select(AuditEvent))]
    assert roles_of(sqlite_database, made.id) == {("triage_nurse", clinic.department_id)}
    assert not any(password in detail for detail in details)
    theirs = app.test_client()
    send_form(theirs, "/login", username="nurse.one", password=password)
    asked = theirs.get("/backoffice/")
    assert theirs.get(asked.location).location == "/backoffice/password"
    own = theirs.get("/backoffice/password")
    assert "您用的是一次性密码" in own.text

    def change(**fields: str) -> TestResponse:
        return send_form(theirs, "/backoffice/password", on="/backoffice/password", **fields)

    assert change(current=password, new=password, again=password).status_code == 422
    assert "两次输入的新密码不一样" in change(current=password, new=OWN, again="x").text
    assert "当前密码不对" in change(current="wrong", new=OWN, again=OWN).text
    assert change(current=password, new=OWN, again=OWN).status_code == 303
    assert theirs.get("/backoffice/").status_code == 200
    fresh = app.test_client()
    assert send_form(fresh, "/login", username="nurse.one", password=password).status_code == 422
    assert send_form(fresh, "/login", username="nurse.one", password=OWN).status_code == 303


@pytest.mark.usefixtures("administrator")
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("practitioner", "", "请从列表里选择人员"),
        ("username", "x", "用户名只能用"),
        ("role", "emperor", "请选择角色"),
        ("department", "nowhere", "请选择科室"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    client: FlaskClient, clinic: Clinic, field: str, value: str, words: str
) -> None:
    form = {
        "practitioner": str(clinic.practitioner_ids[1]),
        "username": "nurse",
        "role": "triage_nurse",
        "department": "",
        field: value,
    }
    answer = send_form(client, PAGE, on=f"{PAGE}/new", **form)
    assert answer.status_code == 422
    assert words in answer.text


@pytest.mark.usefixtures("administrator")
def test_a_one_time_password_replaces_a_forgotten_one_for_a_day(
    app: Flask, client: FlaskClient, cashier: Id, clock: FixedClock
) -> None:
    theirs = app.test_client()
    send_form(theirs, "/login", username="cashier", password=PASSWORD)
    page = send_form(client, f"{PAGE}/{cashier}/password", on=f"{PAGE}/{cashier}")
    password = one_time(page)
    assert theirs.get("/backoffice/").status_code == 303
    assert send_form(theirs, "/login", username="cashier", password=PASSWORD).status_code == 422
    assert "等本人换掉一次性密码" in client.get(f"{PAGE}/{cashier}").text
    clock.advance(dt.timedelta(hours=24))
    late = send_form(theirs, "/login", username="cashier", password=password)
    assert late.status_code == 422


@pytest.mark.usefixtures("administrator")
def test_roles_are_given_and_taken_in_a_department_or_the_whole_hospital(
    client: FlaskClient, cashier: Id, clinic: Clinic, sqlite_database: Database
) -> None:
    address = f"{PAGE}/{cashier}"

    def act(path: str, role: str, department: str = "") -> TestResponse:
        return send_form(client, f"{address}/{path}", on=address, role=role, department=department)

    ward = str(clinic.department_id)
    assert act("roles", "triage_nurse", ward).status_code == 303
    assert roles_of(sqlite_database, cashier) == {
        ("cashier", None),
        ("triage_nurse", clinic.department_id),
    }
    assert act("roles", "triage_nurse", ward).status_code == 409
    assert act("roles", "triage_nurse").status_code == 303
    clash = act("roles", "price_clerk")
    assert clash.status_code == 409
    assert "不能由同一个人担任" in clash.text
    assert act("roles/revoke", "triage_nurse", ward).status_code == 303
    assert act("roles/revoke", "triage_nurse", ward).status_code == 409
    page = client.get(address).text
    assert "分诊护士（乳腺外科）" in page  # the history
    assert "移除角色" in page


@pytest.mark.usefixtures("administrator", "cashier")
def test_duties_are_kept_apart_by_person_over_all_their_accounts(
    client: FlaskClient, clinic: Clinic
) -> None:
    def open_second(person: int, role: str) -> TestResponse:
        form = {"practitioner": str(clinic.practitioner_ids[person]), "username": "second"}
        return send_form(client, PAGE, on=f"{PAGE}/new", role=role, **form)

    clash = open_second(0, "price_clerk")
    assert clash.status_code == 409
    assert "不能由同一个人担任" in clash.text
    own = open_second(2, "scheduler")
    assert own.status_code == 422
    assert "不能对自己的账号这样做" in own.text
    assert open_second(0, "scheduler").status_code == 200
    rows = client.get(f"{PAGE}?q=second").text
    address = re.search(rf'href="({PAGE}/[0-9a-f-]{{36}})"', rows)
    assert address is not None
    later = send_form(client, f"{address[1]}/roles", on=address[1], role="price_clerk")
    assert later.status_code == 409


@pytest.mark.usefixtures("administrator")
def test_a_role_without_a_department_is_given_for_the_whole_hospital_only(
    client: FlaskClient, cashier: Id, clinic: Clinic
) -> None:
    ward, address = str(clinic.department_id), f"{PAGE}/{cashier}"
    scoped = {"role": "device_operator", "department": ward}
    refused = send_form(client, f"{address}/roles", on=address, **scoped)
    assert refused.status_code == 422
    assert "这个角色只能授予全院" in refused.text
    form = {"practitioner": str(clinic.practitioner_ids[1]), "username": "operator", **scoped}
    assert send_form(client, PAGE, on=f"{PAGE}/new", **form).status_code == 422


def test_nobody_raises_themselves(
    client: FlaskClient, administrator: Id, sqlite_database: Database
) -> None:
    address = f"{PAGE}/{administrator}"
    assert "这是您自己的账号" in client.get(address).text
    for path in ("roles", "roles/revoke", "password"):
        answer = send_form(client, f"{address}/{path}", on=address, role="scheduler")
        assert answer.status_code == 422
        assert "另一位管理员" in answer.text
    assert roles_of(sqlite_database, administrator) == {("administrator", None)}


@pytest.mark.usefixtures("administrator")
def test_power_over_accounts_asks_for_a_fresh_code(
    client: FlaskClient, cashier: Id, clock: FixedClock
) -> None:
    clock.advance(dt.timedelta(minutes=10))
    address = f"{PAGE}/{cashier}"
    for path in ("roles", "roles/revoke", "password"):
        answer = send_form(client, f"{address}/{path}", on=address, role="cashier")
        assert answer.status_code == 422
        assert "请输入动态口令" in answer.text
    code = code_at(clock.now())
    answer = send_form(client, f"{address}/roles", on=address, role="scheduler", code=code)
    assert answer.status_code == 303


@pytest.mark.usefixtures("administrator")
def test_closing_is_undone_from_the_page_of_the_account(client: FlaskClient, cashier: Id) -> None:
    address = f"{PAGE}/{cashier}"
    answer = send_form(client, f"{address}/close", on=address, back="account")
    assert answer.location == address
    page = client.get(address).text
    assert f'action="{address}/open"' in page
    assert "撤销" in page
    assert send_form(client, f"{address}/open", on=address).status_code == 303


@pytest.mark.usefixtures("administrator")
def test_another_hospitals_people_and_accounts_are_not_there(
    client: FlaskClient, sqlite_database: Database
) -> None:
    other = make_clinic(sqlite_database, code="H2")
    theirs = make_account(sqlite_database, other, "theirs", Role.CASHIER)
    address = f"{PAGE}/{theirs}"
    assert client.get(address).status_code == 404
    for path in ("roles", "roles/revoke", "password"):
        answer = send_form(client, f"{address}/{path}", on=PAGE, role="cashier")
        assert answer.status_code == 404
    form = {
        "practitioner": str(other.practitioner_ids[0]),
        "username": "nurse",
        "role": "triage_nurse",
    }
    assert send_form(client, PAGE, on=f"{PAGE}/new", **form).status_code == 404


def test_without_the_permission_nothing_opens(
    client: FlaskClient, log_in: LogIn, cashier: Id
) -> None:
    log_in("cashier")
    token = form_token(client.get("/backoffice/"))
    assert client.get(f"{PAGE}/new").status_code == 403
    assert client.get(f"{PAGE}/people?q=a").status_code == 403
    for path in (PAGE, f"{PAGE}/{cashier}/roles", f"{PAGE}/{cashier}/password"):
        assert client.post(path, data={"csrf_token": token}).status_code == 403


def test_guessing_ones_current_password_locks_like_a_login(
    app: Flask, client: FlaskClient, log_in: LogIn, cashier: Id
) -> None:
    log_in("cashier")
    elsewhere = app.test_client()
    send_form(elsewhere, "/login", username="cashier", password=PASSWORD)
    own = "/backoffice/password"
    for _ in range(5):
        assert send_form(client, own, on=own, current="x", new=OWN, again=OWN).status_code == 422
    locked = send_form(client, own, on=own, current=PASSWORD, new=OWN, again=OWN)
    assert locked.status_code == 422
    assert elsewhere.get("/backoffice/").status_code == 200


def test_the_right_current_password_changes_it(
    app: Flask, client: FlaskClient, log_in: LogIn, cashier: Id
) -> None:
    log_in("cashier")
    elsewhere = app.test_client()
    send_form(elsewhere, "/login", username="cashier", password=PASSWORD)
    own = "/backoffice/password"
    assert send_form(client, own, on=own, current=PASSWORD, new=OWN, again=OWN).status_code == 303
    assert elsewhere.get("/backoffice/").status_code == 303
    assert client.get("/backoffice/").status_code == 200
