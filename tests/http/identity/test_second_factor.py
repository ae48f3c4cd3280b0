"""The second factor over HTTP: the login's second step, enrolment, who is made to enrol, reset, step-up."""

from __future__ import annotations

import datetime as dt
import re

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from backend.app import create_app
from backend.bootstrap import Program
from backend.identity.login import COOKIE
from backend.identity.models import SecondFactor, StaffAccount
from backend.identity.rules import Role
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id
from backend.kernel.uow import Database
from backend.settings import Environment
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.staff import PASSWORD, code_at, give_factor, make_account
from tests.factories.webapp import make_program
from tests.http.identity.conftest import LogIn, form_token, send_form

PAGE = "/backoffice/second-factor"


@pytest.fixture
def cashier(sqlite_database: Database, clinic: Clinic) -> Id:
    account_id = make_account(sqlite_database, clinic, "cashier", Role.CASHIER)
    give_factor(sqlite_database, account_id)
    return account_id


def details(database: Database, action: str) -> list[dict[str, object]]:
    with database.read() as session:
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)
        )
        return [row.detail for row in rows]


def enrol(client: FlaskClient) -> list[str]:
    """Enrol by the page as a person does who types the key; the recovery codes shown."""
    send_form(client, f"{PAGE}/begin", on=PAGE)
    page = client.get(PAGE)
    found = re.search(r'id="manual-key">([A-Z2-7 ]+)<', page.text)
    assert found is not None
    secret = found[1].replace(" ", "")
    moment = client.application.extensions["xinglin"].database.clock.now()
    code = pyotp.TOTP(secret).at(moment)
    answer = send_form(client, f"{PAGE}/confirm", on=PAGE, code=code)
    assert answer.status_code == 200, answer.text
    return re.findall(r"<li><code>([A-Z2-7-]+)</code></li>", answer.text)


@pytest.mark.usefixtures("cashier")
def test_a_password_alone_opens_nothing_and_the_code_opens_what_was_asked(
    client: FlaskClient, log_in: LogIn, clock: FixedClock
) -> None:
    answer = log_in("cashier", next="/backoffice/prices")
    assert (answer.status_code, answer.location) == (303, "/login/code?next=/backoffice/prices")
    half = client.get_cookie(COOKIE)
    assert client.get("/backoffice/prices").status_code == 303
    assert client.get("/login").location == "/login/code"
    page = client.get(answer.location)
    assert "6 位数字" in page.text
    assert 'autocomplete="one-time-code"' in page.text
    done = send_form(client, "/login/code", code=code_at(clock.now()), next="/backoffice/prices")
    assert (done.status_code, done.location) == (303, "/backoffice/prices")
    assert client.get("/backoffice/prices").status_code == 200
    full = client.get_cookie(COOKIE)
    assert half is not None
    assert full is not None
    assert half.value != full.value
    client.set_cookie(COOKIE, half.value)
    assert client.get("/backoffice/prices").status_code == 303


@pytest.mark.usefixtures("cashier")
def test_a_code_works_once(client: FlaskClient, log_in: LogIn, clock: FixedClock) -> None:
    code = code_at(clock.now())
    for status in (303, 422):
        client.delete_cookie(COOKIE)
        log_in("cashier")
        assert send_form(client, "/login/code", code=code).status_code == status


@pytest.mark.usefixtures("cashier")
def test_wrong_codes_and_wrong_passwords_lock_together_and_a_right_password_forgets_nothing(
    client: FlaskClient, log_in: LogIn, clock: FixedClock, sqlite_database: Database
) -> None:
    log_in("cashier", "wrong")
    log_in("cashier", "wrong")
    log_in("cashier")
    assert send_form(client, "/login/code", code="000000").status_code == 422
    client.delete_cookie(COOKIE)
    log_in("cashier")  # the right password again does not begin a new count
    assert "动态口令不对" in send_form(client, "/login/code", code="000000").text
    locked = send_form(client, "/login/code", code="000000")
    assert locked.status_code == 422
    assert 'name="password"' in locked.text
    assert log_in("cashier").status_code == 422
    clock.advance(dt.timedelta(minutes=15))
    assert log_in("cashier").location == "/login/code"
    assert send_form(client, "/login/code", code=code_at(clock.now())).status_code == 303
    reasons = [row["reason"] for row in details(sqlite_database, "identity.code_refused")]
    assert reasons == ["code"] * 3


@pytest.mark.usefixtures("cashier")
def test_the_code_is_waited_for_five_minutes(
    client: FlaskClient, log_in: LogIn, clock: FixedClock
) -> None:
    log_in("cashier")
    clock.advance(dt.timedelta(minutes=5))
    answer = client.get("/login/code", follow_redirects=True)
    assert "等动态口令超过 5 分钟" in answer.text
    assert 'name="password"' in answer.text
    late = send_form(client, "/login/code", code=code_at(clock.now()))
    assert late.status_code == 303
    assert client.get("/backoffice/").status_code == 303


@pytest.mark.usefixtures("cashier")
def test_the_second_step_can_be_left(client: FlaskClient, log_in: LogIn) -> None:
    log_in("cashier")
    send_form(client, "/logout", on="/login/code")
    assert 'name="password"' in client.get("/login").text


def test_an_administrator_without_one_is_led_to_enrol_before_anything_else(
    sqlite_database: Database, clinic: Clinic, client: FlaskClient, log_in: LogIn
) -> None:
    make_account(sqlite_database, clinic, "admin", Role.ADMINISTRATOR)
    assert log_in("admin").location == "/backoffice/"
    for path in ("/backoffice/", "/backoffice/accounts", "/backoffice/staff"):
        answer = client.get(path)
        assert answer.status_code == 303
        assert client.get(answer.location).location == PAGE
    page = client.get(PAGE)
    assert "管理员账号必须先绑定动态口令" in page.text
    assert "账号与角色" not in page.text
    assert send_form(client, "/backoffice/accounts/close", on=PAGE).status_code == 404
    assert len(enrol(client)) == 10
    assert client.get("/backoffice/accounts").status_code == 200
    assert "停用动态口令" not in client.get(PAGE).text
    refused = send_form(client, f"{PAGE}/remove", on=PAGE)
    assert refused.status_code == 409
    assert "管理员必须使用动态口令" in refused.text


def test_the_demo_demands_nothing(
    sqlite_database: Database, clinic: Clinic, app: Flask, client: FlaskClient
) -> None:
    make_account(sqlite_database, clinic, "admin", Role.ADMINISTRATOR)
    program: Program = make_program(sqlite_database, app.extensions["xinglin"].settings.data_dir)
    settings = program.settings.model_copy(update={"env": Environment.DEMO})
    demo = create_app(Program(settings, program.secrets, program.database)).test_client()
    send_form(demo, "/login", username="admin", password=PASSWORD)
    assert demo.get("/backoffice/accounts").status_code == 200


def test_enrolling_shows_the_key_once_confirmed_never_again_and_ends_other_sessions(
    sqlite_database: Database, clinic: Clinic, client: FlaskClient, app: Flask, log_in: LogIn
) -> None:
    make_account(sqlite_database, clinic, "cashier", Role.CASHIER)
    log_in("cashier")
    elsewhere = app.test_client()
    send_form(elsewhere, "/login", username="cashier", password=PASSWORD)
    assert elsewhere.get("/backoffice/").status_code == 200
    assert "开始绑定" in client.get(PAGE).text
    send_form(client, f"{PAGE}/begin", on=PAGE)
    page = client.get(PAGE).text
    assert "data:image/svg+xml" in page
    wrong = send_form(client, f"{PAGE}/confirm", on=PAGE, code="000000")
    assert wrong.status_code == 422
    assert "请核对手机时间是否准确" in wrong.text
    codes = enrol(client)
    assert len(codes) == 10
    page = client.get(PAGE).text
    assert "manual-key" not in page
    assert codes[0] not in page
    assert "恢复码还剩 10 个" in page
    assert elsewhere.get("/backoffice/").status_code == 303
    with sqlite_database.read() as session:
        factor = session.scalars(select(SecondFactor)).one()
        assert factor.secret_sealed is not None
        assert factor.pending_sealed is None


def test_a_recovery_code_opens_once_and_a_new_set_ends_the_old(
    sqlite_database: Database,
    clinic: Clinic,
    client: FlaskClient,
    log_in: LogIn,
    clock: FixedClock,
) -> None:
    make_account(sqlite_database, clinic, "cashier", Role.CASHIER)
    log_in("cashier")
    codes = enrol(client)

    def log_in_with(code: str) -> TestResponse:
        client.delete_cookie(COOKIE)
        log_in("cashier")
        return send_form(client, "/login/code", code=code)

    assert log_in_with(codes[0].lower()).status_code == 303
    assert log_in_with(codes[0]).status_code == 422
    assert send_form(client, "/login/code", code=codes[1]).status_code == 303
    assert "恢复码还剩 8 个" in client.get(PAGE).text
    answer = send_form(
        client, f"{PAGE}/recovery-codes", on=PAGE
    )  # shown a moment ago: no code asked
    assert answer.status_code == 200
    clock.advance(dt.timedelta(minutes=1))
    assert log_in_with(codes[2]).status_code == 422
    stored = details(sqlite_database, "identity.log_in")
    assert [row["factor"] for row in stored] == ["none", "recovery", "recovery"]
    assert not any(code in str(row) for row in stored for code in codes)


def test_another_administrator_resets_a_lost_factor_with_a_reason(
    sqlite_database: Database,
    clinic: Clinic,
    client: FlaskClient,
    log_in: LogIn,
    administrator: Id,
    cashier: Id,
) -> None:
    path = f"/backoffice/accounts/{cashier}"
    assert "重置动态口令" in client.get(path).text
    empty = send_form(client, f"{path}/second-factor/reset", on=path, reason="  ")
    assert empty.status_code == 422
    assert "请写明重置原因" in empty.text
    done = send_form(client, f"{path}/second-factor/reset", on=path, reason="手机丢失 13812345678")
    assert (done.status_code, done.location) == (303, path)
    (row,) = details(sqlite_database, "identity.reset_factor")
    assert row["reason"] == "手机丢失 ***"
    own = f"/backoffice/accounts/{administrator}"
    assert send_form(client, f"{own}/second-factor/reset", on=own, reason="x").status_code == 422
    again = send_form(client, f"{path}/second-factor/reset", on=path, reason="x")
    assert again.status_code == 404
    client.delete_cookie(COOKIE)
    assert log_in("cashier").location == "/backoffice/"


def test_a_reset_asks_for_a_fresh_code_when_the_last_one_is_old(
    client: FlaskClient,
    administrator: Id,
    cashier: Id,
    clock: FixedClock,
    sqlite_database: Database,
) -> None:
    path = f"/backoffice/accounts/{cashier}"
    assert "您自己的动态口令" not in client.get(path).text
    clock.advance(dt.timedelta(minutes=10))
    assert "您自己的动态口令" in client.get(path).text

    def reset(**fields: str) -> int:
        return send_form(
            client, f"{path}/second-factor/reset", on=path, reason="手机丢失", **fields
        ).status_code

    assert reset() == 422
    assert reset(code="000000") == 422
    with sqlite_database.read() as session:
        account = session.get_one(StaffAccount, administrator)
        assert account.failed_count == 1
    assert reset(code=code_at(clock.now())) == 303


def test_another_hospitals_account_is_not_found(
    sqlite_database: Database, client: FlaskClient, administrator: Id
) -> None:
    other = make_clinic(sqlite_database, code="H2")
    theirs = make_account(sqlite_database, other, "theirs", Role.CASHIER)
    give_factor(sqlite_database, theirs)
    path = f"/backoffice/accounts/{theirs}"
    assert client.get(path).status_code == 404
    answer = send_form(client, f"{path}/second-factor/reset", on="/backoffice/accounts", reason="x")
    assert answer.status_code == 404


def test_without_the_permission_nobody_resets(
    client: FlaskClient, log_in: LogIn, cashier: Id, sqlite_database: Database, clinic: Clinic
) -> None:
    make_account(sqlite_database, clinic, "scheduler", Role.SCHEDULER)
    log_in("scheduler")
    token = form_token(client.get("/backoffice/"))
    path = f"/backoffice/accounts/{cashier}/second-factor/reset"
    assert client.post(path, data={"csrf_token": token, "reason": "x"}).status_code == 403
