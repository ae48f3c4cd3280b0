"""The touch screen's server: only this kiosk's own page may press its buttons."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from kiosk_agent.clock import HospitalClock
from kiosk_agent.engine import Engine
from kiosk_agent.flows.state import Devices, Service, State
from kiosk_agent.voice import Voice
from kiosk_agent.web.app import create_app
from kiosk_agent.web.guard import POLICY

OWN = {"base_url": "http://127.0.0.1:8010"}


@pytest.fixture
def engine() -> Engine:
    """A kiosk in service that nothing is connected to."""
    state = State(service=Service.OK, devices=Devices())
    return Engine(HospitalClock(), lambda: 0.0, state, first_no=7)


@pytest.fixture
def page(engine: Engine) -> FlaskClient:
    """The touch screen."""
    place = {"name": "1 号自助机", "hospital_name": "杏林肿瘤医院", "location_name": "一层大厅"}
    app = create_app(
        engine,
        HospitalClock(),
        place=lambda: place,
        health=lambda: {"status": "ok"},
        voice=Voice("no such program"),
    )
    return app.test_client()


def touch(page: FlaskClient, body: Any, **options: Any) -> int:
    """The status of a touch."""
    return page.post("/api/actions", json=body, **{**OWN, **options}).status_code


def test_the_screen_is_plain_data_and_html_on_request(page: FlaskClient) -> None:
    plain = page.get("/api/screen", **OWN).get_json()
    assert (plain["no"], plain["name"], plain["seconds_left"]) == (7, "home", None)
    assert {"id": "purpose", "label": "缴费", "value": "pay"} in plain["actions"]
    assert "html" not in plain
    html = page.get("/api/screen?html=1", **OWN).get_json()["html"]
    assert "杏林肿瘤医院" in html
    assert "style=" not in html
    assert "<script" not in html


def test_a_touch_gives_the_next_screen(page: FlaskClient) -> None:
    body = {"no": 7, "action": "purpose", "value": "visit"}
    answer = page.post("/api/actions", json=body, **OWN)
    assert (answer.status_code, answer.get_json()["name"]) == (200, "identify")
    assert touch(page, body) == 409


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"no": "7", "action": "back"},
        {"no": True, "action": "back"},
        {"no": 7, "action": 1},
        {"no": 7, "action": "back", "value": ["x"]},
    ],
)
def test_malformed_touches_are_refused(page: FlaskClient, body: Any) -> None:
    assert touch(page, body) == 400


def test_text_that_is_not_json_is_refused(page: FlaskClient) -> None:
    kind = {"content_type": "application/json"}
    assert page.post("/api/actions", data="{", **kind, **OWN).status_code == 400
    assert page.post("/api/actions", data="x" * 5000, **kind, **OWN).status_code == 413


def test_buttons_that_are_not_offered_do_nothing(page: FlaskClient) -> None:
    assert touch(page, {"no": 7, "action": "pay"}) == 422
    assert touch(page, {"no": 7, "action": "purpose", "value": "nothing"}) == 422


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8010"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_cannot_press_or_look(page: FlaskClient, headers: dict[str, str]) -> None:
    assert touch(page, {"no": 7, "action": "language"}, headers=headers) == 403
    assert page.get("/api/screen", headers=headers, **OWN).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8010", "localhost:8010", "[::1]:8010", "localhost"])
def test_its_own_names_are_let_in(page: FlaskClient, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert touch(page, {"no": 7, "action": "language"}, headers=headers) == 200


def test_a_form_of_another_site_is_no_touch(page: FlaskClient) -> None:
    answer = page.post("/api/actions", data={"no": "7", "action": "language"}, **OWN)
    assert answer.status_code == 415


def test_every_answer_carries_the_policy_and_is_not_kept(page: FlaskClient) -> None:
    for path in ("/", "/api/screen", "/api/qr.png", "/healthz", "/nothing"):
        answer = page.get(path, **OWN)
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_no_code_and_no_voice_are_not_found(page: FlaskClient) -> None:
    assert page.get("/api/qr.png", **OWN).status_code == 404
    assert page.get("/api/voice.wav", **OWN).status_code == 404


def test_the_voice_speaks_the_heading() -> None:
    wave = Voice().say("请选择科室", "zh")
    assert wave is not None
    assert wave[:4] == b"RIFF"
    assert any(wave[100:])


def test_a_touch_of_the_glass_begins_the_time_anew(page: FlaskClient, engine: Engine) -> None:
    touch(page, {"no": 7, "action": "purpose", "value": "visit"})
    answer = page.post("/api/activity", json={}, **OWN)
    assert (answer.status_code, answer.get_json()["seconds_left"]) == (200, 75)


def test_a_long_poll_ends_when_its_time_is_up(page: FlaskClient) -> None:
    assert page.get("/api/screen?after=7&wait=0.05", **OWN).get_json()["no"] == 7
    assert page.get("/api/screen?after=6&wait=20", **OWN).get_json()["no"] == 7
