"""Access is denied unless a route names its permission; forms need their token; headers are on every answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from backend.app import create_app
from backend.kernel.audit import AuditEvent
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database
from backend.web_parts import Parts
from tests.factories.webapp import ActorSwitch, make_program, staff_actor
from tests.http.kernel.conftest import HOSPITAL, make_blueprint

JSON = {"Accept": "application/json"}


def test_a_route_that_names_nothing_is_closed_to_everyone(
    client: FlaskClient, switch: ActorSwitch
) -> None:
    assert client.get("/probe/unmarked").status_code == 403
    switch.actor = staff_actor(HOSPITAL, *Permission)
    answer = client.get("/probe/unmarked", headers=JSON)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "route_without_permission")


def test_nobody_is_asked_to_log_in_and_others_are_refused(
    client: FlaskClient, switch: ActorSwitch
) -> None:
    assert client.get("/probe/guarded", headers=JSON).status_code == 401
    switch.actor = staff_actor(HOSPITAL, Permission.QUEUEING_TICKET_READ)
    assert client.get("/probe/guarded").status_code == 403
    switch.actor = staff_actor(HOSPITAL, Permission.BILLING_PRICE_READ)
    assert client.get("/probe/guarded").text == "prices"


def test_static_files_need_no_login(client: FlaskClient) -> None:
    with client.get("/static/live.js") as answer:
        assert answer.status_code == 200
        assert "no-store" not in answer.headers.get("Cache-Control", "")


def test_every_answer_carries_the_strict_headers(client: FlaskClient, cashier: None) -> None:
    for path in ("/probe/guarded", "/probe/break", "/nothing", "/healthz", "/static/live.js"):
        with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert "camera=()" in answer.headers["Permissions-Policy"]


def test_answers_about_people_are_not_kept_by_browsers(client: FlaskClient, cashier: None) -> None:
    assert client.get("/probe/guarded").headers["Cache-Control"] == "no-store"


def test_each_request_has_an_id_of_its_own(client: FlaskClient) -> None:
    ids = {client.get("/healthz").headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("given", ["abcd-1234", "a" * 64])
def test_a_sound_request_id_is_taken_over(client: FlaskClient, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize(
    "given", ["short", "a" * 65, "has space here", "<script>alert(1)</script>"]
)
def test_an_odd_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] not in ("", given)


def test_the_audit_row_names_the_request(client: FlaskClient, sqlite_database: Database) -> None:
    headers = {"X-Request-Id": "request-0001"}
    body = {"amount_fen": 1, "name": "x"}
    assert client.post("/api/probe/order", json=body, headers=headers).status_code == 200
    with sqlite_database.read() as session:
        assert session.scalars(select(AuditEvent.request_id)).all() == ["request-0001"]


def test_the_key_of_a_command_comes_from_header_or_form(client: FlaskClient) -> None:
    assert client.post("/probe/form", headers={"Idempotency-Key": "h-1"}).text == "h-1"
    assert client.post("/probe/form", data={"_key": "f-1"}).text == "f-1"
    assert client.post("/probe/form").text == "none"


@pytest.fixture
def guarded_forms(sqlite_database: Database, tmp_path: Path) -> Flask:
    """The same application with form tokens asked for; the probe once more as a program's blueprint."""
    parts = Parts(blueprints=[make_blueprint()])
    app = create_app(make_program(sqlite_database, tmp_path), parts)
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
    return app


def test_a_form_without_its_token_is_refused_with_a_way_on(guarded_forms: Flask) -> None:
    client = guarded_forms.test_client()
    answer = client.post("/probe/form", headers=JSON)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "form_expired")
    page = client.post("/probe/form", data={"csrf_token": "forged"})
    assert page.status_code == 422
    assert "请刷新页面" in page.text


def test_a_form_with_its_token_passes(guarded_forms: Flask) -> None:
    client = guarded_forms.test_client()
    page = client.get("/probe/raise/gone")
    token = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
    assert token
    assert client.post("/probe/form", data={"csrf_token": token}).status_code == 200
    assert client.post("/probe/form", headers={"X-CSRFToken": token}).status_code == 200


def test_programs_send_no_token(sqlite_database: Database, tmp_path: Path) -> None:
    parts = Parts(without_forms=[make_blueprint()])
    app = create_app(make_program(sqlite_database, tmp_path), parts)
    body = {"amount_fen": 1, "name": "x"}
    assert app.test_client().post("/api/probe/order", json=body).status_code == 200
