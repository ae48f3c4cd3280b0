"""Every error in its three shapes: a page, an htmx fragment, problem+json; one body, no inside knowledge."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from backend.kernel.audit import AuditEvent
from backend.kernel.uow import Database
from tests.http.kernel.conftest import ERRORS

HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_program_gets_problem_json(client: FlaskClient, code: str) -> None:
    answer = client.get(f"/api/probe/raise/{code}")
    kind = ERRORS[code]
    assert answer.status_code == kind.status
    assert answer.mimetype == "application/problem+json"
    body = answer.get_json()
    assert body.pop("request_id") == answer.headers["X-Request-Id"]
    assert body == {
        "type": "about:blank",
        "title": str(kind.default_message),
        "status": kind.status,
        "code": code,
        "detail": str(kind.default_message),
        "next_step": str(kind.default_next_step),
        "fields": {"phone": "写法有误"},
        "due_fen": 100,
    }


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_person_gets_a_page_with_the_next_step(client: FlaskClient, code: str) -> None:
    answer = client.get(f"/probe/raise/{code}")
    kind = ERRORS[code]
    assert answer.status_code == kind.status
    assert answer.mimetype == "text/html"
    assert answer.text.lstrip().startswith("<!")
    for words in (kind.default_message, kind.default_next_step, answer.headers["X-Request-Id"]):
        assert str(words) in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_htmx_gets_a_fragment(client: FlaskClient) -> None:
    answer = client.get("/probe/raise/conflict", headers=HTMX)
    assert answer.status_code == 409
    assert "<html" not in answer.text
    assert "data-problem-fragment" in answer.text
    assert "写法有误" in answer.text


@pytest.mark.parametrize("also", [{"HX-Boosted": "true"}, {"HX-History-Restore-Request": "true"}])
def test_htmx_that_asks_for_a_whole_page_gets_one(
    client: FlaskClient, also: dict[str, str]
) -> None:
    assert "<html" in client.get("/probe/raise/gone", headers=HTMX | also).text


@pytest.mark.parametrize(
    ("path", "headers", "is_json"),
    [
        ("/probe/raise/gone", {}, False),
        ("/probe/raise/gone", {"Accept": "*/*"}, False),
        ("/probe/raise/gone", {"Accept": "text/html,application/json;q=0.9"}, False),
        ("/probe/raise/gone", JSON, True),
        ("/probe/raise/gone", JSON | HTMX, False),
        ("/api/probe/raise/gone", {"Accept": "text/html"}, True),
    ],
)
def test_who_wants_json(
    client: FlaskClient, path: str, headers: dict[str, str], is_json: bool
) -> None:
    assert (client.get(path, headers=headers).mimetype == "application/problem+json") is is_json


@pytest.mark.parametrize("path", ["/probe/break", "/api/probe/break"])
def test_what_broke_inside_stays_inside(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 500
    assert "王建国" not in answer.text
    assert "RuntimeError" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_unknown_addresses(client: FlaskClient) -> None:
    assert client.get("/api/nothing").get_json()["code"] == "not_found"
    page = client.get("/nothing")
    assert (page.status_code, "没有找到" in page.text) == (404, True)


def test_another_method_is_405_and_says_which_are_right(client: FlaskClient) -> None:
    answer = client.get("/api/probe/order")
    assert answer.status_code == 405
    assert answer.get_json()["code"] == "method_not_allowed"
    assert set(answer.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_too_much_is_413(client: FlaskClient) -> None:
    body = b"x" * (2 * 1024 * 1024 + 1)
    answer = client.post("/api/probe/order", data=body, content_type="application/json")
    assert answer.status_code == 413
    assert answer.get_json()["code"] == "too_large"


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad_request"), (404, "not_found"), (415, "bad_request"), (429, "rate_limited"), (503, "unavailable")],
)  # fmt: skip
def test_the_frameworks_own_refusals_look_like_ours(
    client: FlaskClient, status: int, code: str
) -> None:
    answer = client.get(f"/probe/abort/{status}", headers=JSON)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.get_json()["status"] == status


def test_one_odd_status_does_not_stick_to_the_next(client: FlaskClient) -> None:
    assert client.get("/probe/abort/415", headers=JSON).status_code == 415
    assert client.get("/probe/raise/invalid_input", headers=JSON).status_code == 422


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_bodies_that_are_no_object(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/api/probe/order", data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "body_malformed")


def test_wrong_fields_are_named_and_their_values_are_not(client: FlaskClient) -> None:
    answer = client.post("/api/probe/order", json={"amount_fen": "王建国"})
    assert answer.status_code == 422
    assert set(answer.get_json()["fields"]) == {"amount_fen", "name"}
    assert "王建国" not in answer.text


def test_a_denied_permission_is_remembered(
    client: FlaskClient, cashier: None, sqlite_database: Database
) -> None:
    assert client.get("/probe/department").status_code == 403
    with sqlite_database.read() as session:
        (row,) = session.scalars(select(AuditEvent))
    assert (row.action, row.entity_id, row.actor_label) == (
        "permission.denied",
        "probe.department",
        "T001",
    )
    assert row.detail == {"method": "GET", "permission": "queueing:ticket:call"}
