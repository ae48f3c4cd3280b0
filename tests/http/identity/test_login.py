"""Logging in and out over HTTP: refusals alike, lockout, rest, cookies, forgery, redirects."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from backend.app import create_app
from backend.bootstrap import Program
from backend.identity.login import COOKIE
from backend.identity.models import StaffSession
from backend.identity.rules import Role
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.uow import Database
from backend.settings import Environment
from tests.factories.clinic import Clinic
from tests.factories.staff import PASSWORD, make_account
from tests.factories.webapp import make_program
from tests.http.identity.conftest import LogIn, form_token

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _accounts(sqlite_database: Database, clinic: Clinic) -> None:
    make_account(sqlite_database, clinic, "cashier", Role.CASHIER)


def test_a_visitor_is_sent_to_the_form_and_back(client: FlaskClient, log_in: LogIn) -> None:
    asked = client.get("/backoffice/staff?q=a")
    assert asked.status_code == 303
    # What was searched for stays out of the address: it may be a person's number.
    assert asked.location == "/login?next=/backoffice/staff"
    form = client.get(asked.location)
    assert 'name="next" value="/backoffice/staff"' in form.text
    answer = log_in("cashier", next="/backoffice/staff?q=a")
    assert (answer.status_code, answer.location) == (303, "/backoffice/staff?q=a")
    page = client.get(answer.location)
    assert page.status_code == 200
    assert "医生0" in page.text
    assert "收费员 · 杏林测试医院" in page.text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(log_in: LogIn) -> None:
    cookie = next(c for c in log_in("cashier").headers.getlist("Set-Cookie") if COOKIE in c)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert "Expires" not in cookie


def test_every_refusal_reads_alike(
    sqlite_database: Database, client: FlaskClient, log_in: LogIn
) -> None:
    pages = [log_in("cashier", "wrong"), log_in("nobody", "wrong")]
    for _ in range(4):
        log_in("cashier", "wrong")
    pages.append(log_in("cashier"))
    texts = [page.text.replace(form_token(page), "") for page in pages]
    assert {page.status_code for page in pages} == {422}
    assert texts[0] == texts[1].replace("nobody", "cashier") == texts[2]
    assert "用户名或密码不对" in texts[0]
    assert 'value="cashier"' in texts[0]
    assert PASSWORD not in texts[2]
    assert client.get("/backoffice/").status_code == 303
    with sqlite_database.read() as session:
        refused = select(func.count()).where(AuditEvent.action == "identity.login_refused")
        assert session.scalar(refused) == 7
        assert not session.scalars(select(StaffSession)).all()


def test_fifteen_minutes_of_rest_log_out_and_the_form_says_so(
    client: FlaskClient, log_in: LogIn, clock: FixedClock
) -> None:
    log_in("cashier")
    for _ in range(3):
        clock.advance(14 * MINUTE)
        assert client.get("/backoffice/").status_code == 200
    clock.advance(15 * MINUTE)
    answer = client.get("/backoffice/")
    assert (answer.status_code, answer.location) == (303, "/login?next=/backoffice/")
    assert "您有 15 分钟没有操作" in client.get(answer.location).text


def test_pages_that_refresh_themselves_are_no_acts(
    client: FlaskClient, log_in: LogIn, clock: FixedClock
) -> None:
    log_in("cashier")
    clock.advance(14 * MINUTE)
    assert client.get("/backoffice/", headers={"X-Background": "1"}).status_code == 200
    clock.advance(MINUTE)
    assert client.get("/backoffice/").status_code == 303


def test_a_fragment_without_a_session_moves_the_whole_page(client: FlaskClient) -> None:
    answer = client.get("/backoffice/staff", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


def test_a_cookie_kept_after_logging_out_opens_nothing(
    client: FlaskClient, log_in: LogIn, sqlite_database: Database
) -> None:
    log_in("cashier")
    kept = client.get_cookie(COOKIE)
    assert kept is not None
    token = form_token(client.get("/backoffice/"))
    answer = client.post("/logout", data={"csrf_token": token})
    assert (answer.status_code, answer.location) == (303, "/login")
    assert client.get_cookie(COOKIE) is None
    assert "您已退出登录" in client.get("/login").text
    client.set_cookie(COOKIE, kept.value)
    assert client.get("/backoffice/").status_code == 303
    with sqlite_database.read() as session:
        assert session.scalars(select(StaffSession.ended_at)).one() is not None


def test_logging_in_changes_every_token_and_ends_the_browsers_last_session(
    client: FlaskClient, log_in: LogIn, sqlite_database: Database
) -> None:
    client.set_cookie(COOKIE, "planted-by-somebody")
    before = form_token(client.get("/login"))
    log_in("cashier")
    first = client.get_cookie(COOKIE)
    assert first is not None
    assert first.value != "planted-by-somebody"
    assert client.post("/logout", data={"csrf_token": before}).status_code in (400, 422)
    client.delete_cookie(COOKIE)
    token = form_token(client.get("/login"))
    client.set_cookie(COOKIE, first.value)
    form = {"username": "cashier", "password": PASSWORD, "csrf_token": token}
    client.post("/login", data=form)
    with sqlite_database.read() as session:
        ends = session.scalars(select(StaffSession.end_reason).order_by(StaffSession.created_at))
        assert sorted(str(reason) for reason in ends) == ["None", "replaced"]


def test_a_form_without_its_token_logs_nobody_in(client: FlaskClient) -> None:
    answer = client.post("/login", data={"username": "cashier", "password": PASSWORD})
    assert answer.status_code in (400, 422)
    assert "刷新页面" in answer.text
    assert client.get_cookie(COOKIE) is None


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/backoffice/",
        "//evil.example/backoffice/",
        "/\\evil.example/backoffice/",
        "/backoffice/nowhere",
        "/backoffice/accounts/0190a0b0-0000-7000-8000-000000000000/close",
        "/logout",
    ],
)
def test_a_login_leads_only_to_pages_of_ours_that_open(log_in: LogIn, target: str) -> None:
    assert log_in("cashier", next=target).location == "/backoffice/"


def test_the_form_sends_home_whoever_is_logged_in(client: FlaskClient, log_in: LogIn) -> None:
    log_in("cashier")
    answer = client.get("/login")
    assert (answer.status_code, answer.location) == (303, "/backoffice/")


def test_a_page_costs_one_query_for_its_session_and_one_write_a_minute(
    client: FlaskClient, log_in: LogIn, sqlite_database: Database, clock: FixedClock
) -> None:
    log_in("cashier")
    statements: list[str] = []
    event.listen(
        sqlite_database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, sql, *_rest: statements.append(sql),
    )

    def of_sessions() -> list[str]:
        found = [sql.split()[0] for sql in statements if "identity_" in sql]
        statements.clear()
        return found

    client.get("/backoffice/")
    assert of_sessions() == ["SELECT"]
    clock.advance(MINUTE)
    client.get("/backoffice/")
    assert of_sessions() == ["SELECT", "UPDATE"]
    client.get("/backoffice/")
    assert of_sessions() == ["SELECT"]


def test_production_refuses_demo_accounts_at_the_door_and_inside(
    sqlite_database: Database, clinic: Clinic, app: Flask, log_in: LogIn, client: FlaskClient
) -> None:
    make_account(sqlite_database, clinic, "demo", Role.AUDITOR, person=1, is_demo=True)
    program: Program = make_program(sqlite_database, app.extensions["xinglin"].settings.data_dir)
    settings = program.settings.model_copy(update={"env": Environment.PRODUCTION})
    production = create_app(Program(settings, program.secrets, program.database)).test_client()
    token = form_token(production.get("/login", base_url="https://localhost"))
    form = {"username": "demo", "password": PASSWORD, "csrf_token": token}
    headers = {"Referer": "https://localhost/login"}
    options = {"base_url": "https://localhost", "headers": headers}
    assert production.post("/login", data=form, **options).status_code == 422
    form["username"] = "cashier"
    answer = production.post("/login", data=form, **options)
    assert answer.status_code == 303
    assert any(COOKIE in c and "Secure" in c for c in answer.headers.getlist("Set-Cookie"))
    assert log_in("demo").status_code == 303
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    visitor = create_app(Program(settings, program.secrets, program.database)).test_client()
    visitor.set_cookie(COOKIE, cookie.value)
    assert visitor.get("/backoffice/").status_code == 303
