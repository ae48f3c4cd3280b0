"""Enrolment, credentials and heartbeats: who may speak as a kiosk, and until when."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from backend.app import create_app
from backend.devices import queries
from backend.devices import service as devices
from backend.devices.rules import KioskState
from backend.devices.views import KioskView
from backend.kernel.clock import FixedClock
from backend.web_parts import collect_parts
from tests.factories.databases import SYSTEM
from tests.factories.kiosks import API, Door, Kiosk, error_of
from tests.factories.webapp import make_program


def _code(door: Door, kiosk: Kiosk) -> str:
    with door.database.write(SYSTEM) as session:
        return devices.issue_code(session, kiosk.id)


def test_enrolling_gives_names_and_a_credential_once(door: Door) -> None:
    with door.database.write(SYSTEM) as session:
        _row, code = devices.add_kiosk(
            session,
            hospital_id=door.clinic.hospital_id,
            code="K07",
            name="七号机",
            location_id=door.clinic.room_id,
        )
    client = door.app.test_client()
    typed = f" {code[:4].lower()}-{code[4:].lower()} "
    answer = client.post(f"{API}/enrol", json={"code": typed})
    assert answer.status_code == 201
    body = answer.get_json()
    assert body["name"] == "七号机"
    assert body["hospital_name"] == "杏林测试医院"
    assert body["location_name"] == "一诊室"
    assert len(body["credential"]) >= 43
    again = client.post(f"{API}/enrol", json={"code": code})
    assert error_of(again) == (422, "enrolment_code_unknown")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_code_ends_after_a_day(door: Door, kiosk: Kiosk, clock: FixedClock) -> None:
    code = _code(door, kiosk)
    clock.advance(dt.timedelta(hours=24))
    answer = door.app.test_client().post(f"{API}/enrol", json={"code": code})
    assert error_of(answer) == (422, "enrolment_code_unknown")


def test_a_new_enrolment_ends_the_old_credential(door: Door, kiosk: Kiosk) -> None:
    code = _code(door, kiosk)
    assert kiosk.send("POST", "/heartbeat", {}).status_code == 200
    new = kiosk.http.post(f"{API}/enrol", json={"code": code}).get_json()["credential"]
    assert error_of(kiosk.send("POST", "/heartbeat", {})) == (401, "credential_refused")
    kiosk.credential = new
    assert kiosk.send("POST", "/heartbeat", {}).status_code == 200


def test_ten_tries_a_quarter_of_an_hour(door: Door, kiosk: Kiosk, clock: FixedClock) -> None:
    clock.advance(dt.timedelta(minutes=15))
    client = door.app.test_client()
    for _n in range(10):
        answer = client.post(f"{API}/enrol", json={"code": "WRONG234"})
        assert error_of(answer) == (422, "enrolment_code_unknown")
    code = _code(door, kiosk)
    answer = client.post(f"{API}/enrol", json={"code": code})
    assert error_of(answer) == (429, "too_many_enrolment_tries")
    other = client.post(
        f"{API}/enrol", json={"code": "WRONG234"}, environ_base={"REMOTE_ADDR": "127.0.0.9"}
    )
    assert error_of(other) == (422, "enrolment_code_unknown")
    clock.advance(dt.timedelta(minutes=15))
    assert client.post(f"{API}/enrol", json={"code": code}).status_code == 201


def _tries(door: Door, folder: Path, *callers: str, proxies: int) -> list[tuple[int, str]]:
    """What a wrong code is answered, from each of ``callers`` in turn, all behind one proxy."""
    program = make_program(door.database, folder, trusted_proxies=proxies)
    client = create_app(program, collect_parts(program)).test_client()
    return [
        error_of(
            client.post(
                f"{API}/enrol", json={"code": "WRONG234"}, headers={"X-Forwarded-For": caller}
            )
        )
        for caller in callers
    ]


def test_behind_a_proxy_each_address_has_its_own_tries(
    door: Door, clock: FixedClock, tmp_path: Path
) -> None:
    clock.advance(dt.timedelta(minutes=15))
    forged = [f"192.0.2.{n}, 198.51.100.1" for n in range(10)]
    answers = _tries(door, tmp_path, *forged, "198.51.100.1", "198.51.100.2", proxies=1)
    assert answers[10] == (429, "too_many_enrolment_tries")
    assert answers[11] == (422, "enrolment_code_unknown")


def test_without_a_trusted_proxy_its_header_is_ignored(
    door: Door, clock: FixedClock, tmp_path: Path
) -> None:
    clock.advance(dt.timedelta(minutes=15))
    callers = [f"198.51.100.{n}" for n in range(11)]
    answers = _tries(door, tmp_path, *callers, proxies=0)
    assert answers[10] == (429, "too_many_enrolment_tries")


def test_a_malformed_enrolment(door: Door) -> None:
    bodies: list[object] = [None, [], "x", {}, {"code": ""}, {"code": 7}, {"code": "A" * 41}]
    for body in bodies:
        answer = door.app.test_client().post(f"{API}/enrol", json=body)
        assert error_of(answer)[0] == 422, body


def test_without_or_with_a_wrong_credential_nothing_is_told(door: Door, kiosk: Kiosk) -> None:
    for rule in door.app.url_map.iter_rules():
        if not rule.rule.startswith(API) or rule.endpoint == "kiosk_api.enrol":
            continue
        path = rule.rule.replace("<uuid:", "<").split("<")[0] + (
            "/".join("x" for _a in rule.arguments) and str(kiosk.id)
        )
        if "<" in rule.rule:
            path += rule.rule.rpartition(">")[2]
        method = "POST" if "POST" in (rule.methods or set()) else "GET"
        bare = door.app.test_client().open(path, method=method, json={})
        assert error_of(bare) == (401, "unauthenticated"), path
        wrong = door.app.test_client().open(
            path, method=method, json={}, headers={"Authorization": "Bearer wrong"}
        )
        assert error_of(wrong) == (401, "credential_refused"), path
        basic = door.app.test_client().open(
            path, method=method, json={}, headers={"Authorization": f"Basic {kiosk.credential}"}
        )
        assert error_of(basic) == (401, "unauthenticated"), path


def test_a_revoked_kiosk_can_do_nothing_until_it_is_reinstated(door: Door, present: Kiosk) -> None:
    hospital_id = door.clinic.hospital_id
    with door.database.write(SYSTEM) as session:
        devices.revoke(session, present.id, hospital_id=hospital_id)
        devices.revoke(session, present.id, hospital_id=hospital_id)
    for method, path in (("POST", "/heartbeat"), ("GET", "/home"), ("POST", "/identify")):
        answer = present.send(method, path, {})
        assert error_of(answer) == (401, "credential_refused")
    with door.database.write(SYSTEM) as session:
        devices.reinstate(session, present.id, hospital_id=hospital_id)
    assert present.send("GET", "/home").status_code == 200


def test_a_kiosk_opens_no_page_of_the_staff(door: Door, kiosk: Kiosk) -> None:
    headers = {"Authorization": f"Bearer {kiosk.credential}"}
    answer = kiosk.http.get("/backoffice/kiosks", headers=headers)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login")


def test_a_heartbeat_is_seen_by_the_fleet(door: Door, kiosk: Kiosk, clock: FixedClock) -> None:
    body = {
        "version": "0.1.0",
        "clock": (clock.now() + dt.timedelta(seconds=70)).isoformat(),
        "devices": {
            "printer": {"state": "ok", "paper": "near_end"},
            "id_reader": {"state": "unreachable"},
            "card_reader": {"state": "ok"},
            "scanner": {"state": "ok"},
        },
        "journal": {"open": 2},
    }
    answer = kiosk.ok("POST", "/heartbeat", body)
    assert answer == {
        "server_time": clock.now().isoformat(),
        "name": "自助机 K01",
        "hospital_name": "杏林测试医院",
        "location_name": "一诊室",
        "accepting": True,
    }
    view = _view(door)
    assert view.state is KioskState.ONLINE
    assert (view.version, view.open_journal, view.paper) == ("0.1.0", 2, "near_end")
    assert view.is_clock_off
    assert [(device.words, device.tone) for device in view.device_views] == [
        ("打印机", "warn"),
        ("身份证", "bad"),
        ("就诊卡", "ok"),
        ("扫码", "ok"),
    ]
    clock.advance(dt.timedelta(seconds=15))
    assert _view(door).state is KioskState.ONLINE
    clock.advance(dt.timedelta(seconds=1))
    assert _view(door).state is KioskState.OFFLINE
    kiosk.ok("POST", "/heartbeat", {})
    assert _view(door).state is KioskState.ONLINE


def _view(door: Door) -> KioskView:
    with door.app.test_request_context(), door.database.read(SYSTEM) as session:
        (view,) = queries.list_kiosks(session, door.clinic.hospital_id)
        assert view.device_views is not None
        return view


def test_a_malformed_heartbeat_is_refused(kiosk: Kiosk) -> None:
    bodies: list[dict[str, object]] = [
        {"clock": "2026-11-23T08:30:00"},
        {"clock": "yesterday"},
        {"version": "v" * 41},
        {"devices": {"printer": {"state": ["ok"]}}},
        {"devices": []},
        {"journal": {"open": -1}},
        {"journal": {"open": 10**30}},
    ]
    for body in bodies:
        assert error_of(kiosk.send("POST", "/heartbeat", body)) == (422, "invalid_input"), body
