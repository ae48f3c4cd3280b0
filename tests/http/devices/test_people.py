"""Who stands before a kiosk: cards, codes, their session, and what they see first."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from backend.journeys import settlement
from backend.kernel import links
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.ids import new_id
from tests.factories.clinic import FEE_FEN
from tests.factories.databases import SYSTEM
from tests.factories.kiosks import CARD, Door, Kiosk, error_of
from tests.factories.people import id_number


def _id_card(**changes: Any) -> dict[str, Any]:
    return {"kind": "id_card", "card": {**CARD, **changes}}


def test_a_new_id_card_makes_one_record(door: Door, kiosk: Kiosk) -> None:
    first = kiosk.identify(_id_card())
    assert first["created"] is True
    assert first["patient"] == {
        "name": "张小三",
        "name_masked": "张*三",
        "sex": "male",
        "age": 66,
        "phone_masked": None,
        "card_masked": None,
    }
    assert first["home"] == {"due": [], "appointments": [], "tickets": []}
    second = door.kiosk("K02").identify(_id_card(valid_until=None))
    assert second["created"] is False
    assert second["session"] != first["session"]


def test_id_cards_that_are_refused(kiosk: Kiosk) -> None:
    last_day = "2026-11-23"
    assert kiosk.send("POST", "/identify", _id_card(valid_until=last_day)).status_code == 200
    for changes, code in (
        ({"valid_until": "2026-11-22"}, "id_card_expired"),
        ({"valid_from": "2026-11-24"}, "id_card_not_yet_valid"),
        ({"number": id_number(21)[:-1] + "0"}, "id_number_invalid"),
        ({"birth_date": "1961-05-04"}, None),
        ({"name": ""}, "invalid_input"),
        ({"number": "1"}, "invalid_input"),
        ({"birth_date": "04.05.1960"}, "invalid_input"),
        ({"sex": "man"}, "invalid_input"),
    ):
        answer = kiosk.send("POST", "/identify", _id_card(**changes))
        status, found = error_of(answer)
        assert status in (409, 422), changes
        assert code in (None, found), (changes, found)


def test_the_same_number_under_another_name_goes_to_the_window(kiosk: Kiosk) -> None:
    kiosk.identify(_id_card())
    status, code = error_of(kiosk.send("POST", "/identify", _id_card(name="李四")))
    assert (status, code) == (409, "identity_differs")


def test_hospital_cards(kiosk: Kiosk) -> None:
    found = kiosk.hospital_card()
    assert found["created"] is False
    assert found["patient"]["name"] == "王建国"
    unknown = {"kind": "hospital_card", "number": "99999999"}
    assert error_of(kiosk.send("POST", "/identify", unknown)) == (404, "card_unknown")


def test_an_own_ticket_identifies_its_patient_today(
    door: Door, present: Kiosk, clock: FixedClock
) -> None:
    visit = door.paid_visit(present)
    ticket = present.ok("POST", "/check-ins", {"appointment_id": visit["appointment_id"]})["ticket"]
    other = door.kiosk("K02")
    found = other.identify({"kind": "code", "text": ticket["url"]})
    assert found["patient"]["name"] == "王*国"
    assert [t["number"] for t in found["home"]["tickets"]] == ["A001"]
    clock.advance(dt.timedelta(days=1))
    late = other.send("POST", "/identify", {"kind": "code", "text": ticket["url"]})
    assert error_of(late) == (422, "code_not_understood")


def test_codes_that_are_refused(door: Door, kiosk: Kiosk) -> None:
    day = dt.date(2026, 11, 23)
    forged = links.ticket_url("http://x", "another secret", new_id(), day)
    ours = links.ticket_url("http://x", "test-secret-" * 4, new_id(), day)
    for text, expected in (
        (forged, (422, "code_not_understood")),
        ("http://x/t/", (422, "code_not_understood")),
        (ours, (404, None)),
        ("weixin://something", (404, "card_unknown")),
        ("é" * 400, (404, "card_unknown")),
    ):
        status, code = error_of(kiosk.send("POST", "/identify", {"kind": "code", "text": text}))
        assert status == expected[0], text
        assert expected[1] in (None, code), (text, code)


def test_malformed_identities(kiosk: Kiosk) -> None:
    bodies: list[object] = [
        None,
        [],
        {},
        {"kind": "face"},
        {"kind": "id_card"},
        {"kind": "id_card", "card": "x"},
        {"kind": "hospital_card", "number": ""},
        {"kind": "hospital_card", "number": {"a": 1}},
        {"kind": "code", "text": "x" * 501},
    ]
    for body in bodies:
        assert error_of(kiosk.send("POST", "/identify", body)) == (422, "invalid_input"), body


def test_a_session_lasts_three_minutes_and_slides(present: Kiosk, clock: FixedClock) -> None:
    for _n in range(3):
        clock.advance(dt.timedelta(seconds=179))
        assert present.send("GET", "/home").status_code == 200
    clock.advance(dt.timedelta(seconds=180))
    assert error_of(present.send("GET", "/home")) == (410, "patient_session_ended")


def test_a_session_ends_by_wiping_by_the_next_person_and_is_bound_to_its_kiosk(
    door: Door, present: Kiosk
) -> None:
    other = door.kiosk("K02")
    assert error_of(other.send("GET", "/home", session=present.session))[0] == 410
    assert error_of(present.send("GET", "/home", session="nonsense"))[0] == 410
    old = present.session
    present.hospital_card("60010002")
    assert error_of(present.send("GET", "/home", session=old))[0] == 410
    present.ok("POST", "/session/end")
    assert error_of(present.send("GET", "/home"))[0] == 410
    present.ok("POST", "/session/end")


def test_every_route_of_a_patient_needs_the_session(door: Door, kiosk: Kiosk) -> None:
    some = str(new_id())
    for method, path, body in (
        ("GET", "/home", None),
        ("GET", "/departments", None),
        ("GET", f"/departments/{door.clinic.department_id}/schedules", None),
        ("POST", "/appointments", {"schedule_id": some}),
        ("POST", f"/appointments/{some}/cancel", None),
        ("POST", "/payments", {"invoice_id": some, "amount_fen": 1}),
        ("GET", f"/payments/{some}", None),
        ("POST", f"/payments/{some}/cancel", None),
        ("POST", "/check-ins", {"appointment_id": some}),
        ("POST", "/prints", {"kind": "ticket", "ticket_id": some}),
    ):
        answer = kiosk.send(method, path, body, key="k")
        assert error_of(answer) == (410, "patient_session_ended"), path


def test_reading_a_patient_is_written_down_without_names(door: Door, present: Kiosk) -> None:
    with door.database.read(SYSTEM) as session:
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.patient_id == door.patient_id)
        ).all()
    acts = {row.action for row in rows if row.actor_id == present.id}
    assert acts == {"patients.read", "devices.begin_session"}
    assert not any("王建国" in str(row.detail) for row in rows)


def test_home_takes_a_fixed_number_of_statements(door: Door, present: Kiosk) -> None:
    """Two to know who asks, then a fixed number a domain: one more thing is not one more statement."""
    with door.counted() as empty:
        present.ok("GET", "/home")
    assert len(empty) == 5, empty
    visit = door.paid_visit(present)
    present.ok("POST", "/check-ins", {"appointment_id": visit["appointment_id"]})
    other = door.book_for(door.patient_id, 1)
    with door.counted() as one:
        home = present.ok("GET", "/home")
    assert [len(home[part]) for part in ("due", "appointments", "tickets")] == [1, 1, 1]
    with door.database.write(SYSTEM) as session:
        settlement.pay_cash(session, invoice_id=other.invoice.id, received_fen=FEE_FEN)
    present.ok("POST", "/check-ins", {"appointment_id": str(other.appointment.id)})
    with door.counted() as more:
        home = present.ok("GET", "/home")
    assert [len(home[part]) for part in ("due", "appointments", "tickets")] == [0, 2, 2]
    assert len(more) == len(one) == 10, one


def test_identifying_takes_few_statements(door: Door, present: Kiosk) -> None:
    visit = door.paid_visit(present)
    present.ok("POST", "/check-ins", {"appointment_id": visit["appointment_id"]})
    with door.counted() as statements:
        present.hospital_card()
    assert len([s for s in statements if s.startswith("SELECT")]) <= 12, statements
