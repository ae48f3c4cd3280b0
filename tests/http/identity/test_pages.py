"""The start page, the audit viewer and the accounts: page, fragment, denied roles, another hospital's rows."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from backend.identity.rules import FACTOR_DEMANDED, Role
from backend.identity.views import HomeFact
from backend.kernel import audit
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.ids import new_id
from backend.kernel.permissions import Actor, Permission, system_actor
from backend.kernel.uow import Database
from tests.factories.clinic import Clinic, make_clinic
from tests.factories.staff import make_account
from tests.http.identity.conftest import LogIn, form_token

HTMX = {"HX-Request": "true"}


def record(database: Database, hospital_id: UUID, action: str, **values: object) -> None:
    with database.write(system_actor("S9", hospital_id)) as session:
        audit.record(session, action, entity="ticket", entity_id="t-9", **values)  # type: ignore[arg-type]


@pytest.fixture
def auditor(sqlite_database: Database, clinic: Clinic, log_in: LogIn) -> None:
    make_account(sqlite_database, clinic, "auditor", Role.AUDITOR, person=1)
    log_in("auditor")


@pytest.mark.parametrize("role", [role for role in Role if role not in FACTOR_DEMANDED])
def test_every_role_lands_on_a_start_page_with_its_own_pages(
    sqlite_database: Database, clinic: Clinic, log_in: LogIn, client: FlaskClient, role: Role
) -> None:
    make_account(sqlite_database, clinic, "someone", role)
    page = client.get(log_in("someone").location)
    assert page.status_code == 200
    assert "早上好，医生0" in page.text
    assert ("审计日志" in page.text) is (role is Role.AUDITOR)
    assert "账号与角色" not in page.text
    audit_page = client.get("/backoffice/audit")
    assert audit_page.status_code == (200 if role is Role.AUDITOR else 403)
    accounts = client.get("/backoffice/accounts")
    assert accounts.status_code == 403


@pytest.mark.usefixtures("administrator")
def test_an_administrator_lands_on_a_start_page_with_the_accounts(client: FlaskClient) -> None:
    page = client.get("/backoffice/")
    assert "早上好，医生2" in page.text
    assert "账号与角色" in page.text
    assert client.get("/backoffice/audit").status_code == 403
    assert client.get("/backoffice/accounts").status_code == 200


@pytest.mark.usefixtures("auditor")
def test_the_start_page_shows_the_figures_it_is_given(app: Flask, client: FlaskClient) -> None:
    def concerns_nobody(_session: object, _actor: Actor) -> HomeFact | None:
        return None

    def waiting(_session: object, actor: Actor) -> HomeFact | None:
        assert Permission.IDENTITY_AUDIT_READ in actor.permissions
        return HomeFact("今日候诊", "17", "人", "organization.staff")

    app.extensions["xinglin"].parts["home_facts"] = [concerns_nobody, waiting]
    page = client.get("/backoffice/").text
    assert "今日候诊" in page
    assert "17" in page
    assert 'href="/backoffice/staff"' in page


def test_a_denied_page_is_refused_in_words_and_remembered(
    sqlite_database: Database, clinic: Clinic, log_in: LogIn, client: FlaskClient
) -> None:
    make_account(sqlite_database, clinic, "cashier", Role.CASHIER)
    log_in("cashier")
    answer = client.get("/backoffice/audit")
    assert answer.status_code == 403
    assert "您没有进行这项操作的权限" in answer.text
    with sqlite_database.read() as session:
        row = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "permission.denied")
        ).one()
        assert (row.actor_label, row.entity_id) == ("P0", "identity.audit_log")


@pytest.mark.usefixtures("auditor")
def test_the_viewer_shows_rows_of_its_hospital_as_page_and_fragment(
    sqlite_database: Database, clinic: Clinic, client: FlaskClient
) -> None:
    other = make_clinic(sqlite_database, code="H2")
    record(sqlite_database, clinic.hospital_id, "queueing.call", number="A012")
    record(sqlite_database, other.hospital_id, "queueing.pass_over")
    page = client.get("/backoffice/audit?actor=S9")
    assert page.status_code == 200
    assert "叫号" in page.text
    assert "A012" in page.text
    assert "过号" not in page.text
    assert "待封存" in page.text
    fragment = client.get("/backoffice/audit?actor=S9", headers=HTMX)
    assert "<html" not in fragment.text
    assert "叫号" in fragment.text
    empty = client.get("/backoffice/audit?actor=S9&action=billing.", headers=HTMX)
    assert "没有符合条件的记录" in empty.text


@pytest.mark.usefixtures("auditor")
def test_the_viewer_continues_with_older_rows(
    sqlite_database: Database, clinic: Clinic, client: FlaskClient
) -> None:
    for number in range(51):
        record(sqlite_database, clinic.hospital_id, f"queueing.act_{number}")
    first = client.get("/backoffice/audit?actor=S9").text
    assert first.count("queueing.act_") == 50
    link = first.partition("显示更早的记录")[0].rpartition('hx-get="')[2].partition('"')[0]
    rest = client.get(link.replace("&amp;", "&"), headers=HTMX).text
    assert "queueing.act_0" in rest
    assert rest.count("<tr") == 1
    whole = client.get(link.replace("&amp;", "&")).text
    assert "<html" in whole


@pytest.mark.usefixtures("auditor")
def test_looking_at_one_patients_rows_is_audited_and_has_no_limit_of_days(
    sqlite_database: Database, clinic: Clinic, client: FlaskClient, clock: FixedClock
) -> None:
    patient = new_id()
    record(sqlite_database, clinic.hospital_id, "queueing.call", patient_id=patient)
    page = client.get(f"/backoffice/audit?patient={patient}&first=2020-01-01")
    assert "叫号" in page.text
    with sqlite_database.read() as session:
        row = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "identity.read_audit")
        ).one()
        assert row.patient_id == patient


@pytest.mark.usefixtures("auditor")
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("first=2026-11-20&last=2026-11-10", "结束日期不能早于开始日期"),
        ("first=2026-01-01&last=2026-11-23", "一次最多查 31 天"),
        ("first=tomorrow", "日期有误"),
        ("first=0001-01-01&last=0001-01-01", "日期有误"),
        ("first=9999-12-31", "日期有误"),
        ("patient=42", "患者编号有误"),
    ],
)
def test_the_viewer_says_what_is_wrong_with_a_question(
    client: FlaskClient, query: str, words: str
) -> None:
    answer = client.get(f"/backoffice/audit?{query}", headers=HTMX)
    assert answer.status_code == 422
    assert words in answer.text


@pytest.mark.usefixtures("auditor")
def test_the_viewer_needs_four_queries(client: FlaskClient, sqlite_database: Database) -> None:
    statements: list[str] = []
    event.listen(
        sqlite_database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, sql, *_rest: statements.append(sql),
    )
    for query in ("", f"?patient={new_id()}"):
        statements.clear()
        assert client.get(f"/backoffice/audit{query}").status_code == 200
        work = [s for s in statements if s.split()[0] in ("SELECT", "INSERT", "UPDATE")]
        assert len(work) <= 4


def test_accounts_are_found_closed_opened_and_unlocked(
    sqlite_database: Database, clinic: Clinic, administrator: UUID, client: FlaskClient
) -> None:
    cashier = make_account(sqlite_database, clinic, "cashier", Role.CASHIER)
    page = client.get("/backoffice/accounts")
    assert "cashier" in page.text
    fragment = client.get("/backoffice/accounts?q=cash&role=cashier", headers=HTMX)
    assert "<html" not in fragment.text
    assert "收费员" in fragment.text
    assert "没有找到账号" in client.get("/backoffice/accounts?q=zzz", headers=HTMX).text
    token = {"csrf_token": form_token(page)}
    for act, words in (("close", "已停用"), ("open", "可登录"), ("unlock", "已解除锁定")):
        answer = client.post(f"/backoffice/accounts/{cashier}/{act}", data=token)
        assert answer.status_code == 303
        assert words in client.get(answer.location).text
    own = client.post(f"/backoffice/accounts/{administrator}/close", data=token)
    assert own.status_code == 422
    assert "不能停用自己的账号" in own.text


@pytest.mark.usefixtures("administrator")
def test_another_hospitals_account_is_not_found(
    sqlite_database: Database, client: FlaskClient
) -> None:
    other = make_clinic(sqlite_database, code="H2")
    theirs = make_account(sqlite_database, other, "theirs", Role.CASHIER)
    page = client.get("/backoffice/accounts")
    assert "theirs" not in page.text
    answer = client.post(
        f"/backoffice/accounts/{theirs}/close", data={"csrf_token": form_token(page)}
    )
    assert answer.status_code == 404
    with sqlite_database.read() as session:
        when = session.scalars(
            select(AuditEvent.at).where(AuditEvent.action == "identity.close_account")
        ).all()
    assert when == []
