"""Booking, giving back, checking in at a kiosk; nobody reaches what is another patient's."""

from __future__ import annotations

import datetime as dt

from backend.billing import queries as bills
from backend.billing.rules import InvoiceState
from backend.kernel.clock import FixedClock
from backend.kernel.ids import Id, new_id
from tests.factories.clinic import FEE_FEN
from tests.factories.databases import SYSTEM
from tests.factories.kiosks import Door, Kiosk, error_of


def test_departments_and_their_sessions(door: Door, present: Kiosk) -> None:
    (department,) = present.ok("GET", "/departments?day=today")
    assert department == {
        "department_id": str(door.clinic.department_id),
        "name": "乳腺外科",
        "floor": "一诊室",
        "free_count": 10,
        "doctors_count": 2,
    }
    found = present.ok("GET", f"/departments/{department['department_id']}/schedules")
    assert [view["schedule_id"] for view in found] == [str(i) for i in door.schedule_ids]
    assert found[0]["fee_fen"] == FEE_FEN
    assert found[0]["starts_at"] == "2026-11-23T00:30:00+00:00"
    assert present.ok("GET", f"/departments/{new_id()}/schedules") == []
    assert error_of(present.send("GET", "/departments/x/schedules"))[0] == 404


def test_booking_holds_a_place_with_its_bill(door: Door, present: Kiosk) -> None:
    visit = present.book(door.schedule_ids[0])
    assert visit["hold_until"] == "2026-11-23T00:45:00+00:00"
    assert visit["invoice"]["total_fen"] == FEE_FEN
    assert visit["invoice"]["lines"] == [{"name": "主任医师诊查费", "amount_fen": FEE_FEN}]
    home = present.ok("GET", "/home")
    assert [due["invoice_id"] for due in home["due"]] == [visit["invoice"]["invoice_id"]]
    assert home["appointments"] == []


def test_ten_presses_book_once(door: Door, present: Kiosk) -> None:
    answers = [present.book(door.schedule_ids[0], key="same") for _n in range(10)]
    assert all(answer == answers[0] for answer in answers)
    body = {"schedule_id": str(door.schedule_ids[1])}
    reused = present.send("POST", "/appointments", body, key="same")
    assert error_of(reused) == (409, "idempotency_key_reused")
    missing = present.send("POST", "/appointments", body)
    assert error_of(missing) == (422, "idempotency_key_missing")


def test_one_kiosks_key_is_nothing_to_another(door: Door, present: Kiosk) -> None:
    other = door.kiosk("K02")
    other.hospital_card("60010002")
    first = present.book(door.schedule_ids[0], key="1")
    second = other.book(door.schedule_ids[0], key="1")
    assert first["appointment_id"] != second["appointment_id"]


def test_bookings_that_are_refused(door: Door, present: Kiosk) -> None:
    for body, expected in (
        ({}, (422, "invalid_input")),
        ({"schedule_id": "x"}, (422, "invalid_input")),
        ({"schedule_id": str(new_id())}, (404, "schedule_not_found")),
    ):
        assert error_of(present.send("POST", "/appointments", body, key="k")) == expected
    present.book(door.schedule_ids[0])
    again = present.send(
        "POST", "/appointments", {"schedule_id": str(door.schedule_ids[0])}, key="k2"
    )
    assert error_of(again) == (409, "already_booked")


def test_the_last_place_is_gone(door: Door, present: Kiosk, clock: FixedClock) -> None:
    clock.advance(dt.timedelta(hours=2, minutes=29))  # of six places only the last is ahead
    present.hospital_card()
    door.book_for(door.other_id)
    body = {"schedule_id": str(door.schedule_ids[0])}
    assert error_of(present.send("POST", "/appointments", body, key="k")) == (409, "slot_gone")


def test_an_unpaid_place_is_given_back_with_its_bill(door: Door, present: Kiosk) -> None:
    visit = present.book(door.schedule_ids[0])
    path = f"/appointments/{visit['appointment_id']}/cancel"
    present.ok("POST", path)
    present.ok("POST", path)
    with door.database.read(SYSTEM) as session:
        bill = bills.get_invoice(session, Id(visit["invoice"]["invoice_id"]))
    assert bill.state is InvoiceState.VOID
    assert present.ok("GET", "/home")["due"] == []


def test_a_paid_place_is_not_given_back_here(door: Door, present: Kiosk) -> None:
    visit = door.paid_visit(present)
    answer = present.send("POST", f"/appointments/{visit['appointment_id']}/cancel")
    assert error_of(answer)[0] == 409
    (shown,) = present.ok("GET", "/home")["appointments"]
    assert (shown["state"], shown["can_check_in"]) == ("booked", True)


def test_checking_in_twice_gives_the_same_ticket(door: Door, present: Kiosk) -> None:
    visit = door.paid_visit(present)
    body = {"appointment_id": visit["appointment_id"]}
    first = present.ok("POST", "/check-ins", body)["ticket"]
    second = present.ok("POST", "/check-ins", body)["ticket"]
    assert first == second
    assert (first["number"], first["ahead"], first["queue_name"]) == ("A001", 0, "乳腺外科")
    assert "/t/" in first["url"]
    home = present.ok("GET", "/home")
    assert [ticket["number"] for ticket in home["tickets"]] == ["A001"]
    assert [visit["can_check_in"] for visit in home["appointments"]] == [False]


def test_an_unpaid_place_cannot_check_in(door: Door, present: Kiosk) -> None:
    visit = present.book(door.schedule_ids[0])
    body = {"appointment_id": visit["appointment_id"]}
    assert error_of(present.send("POST", "/check-ins", body))[0] == 409
    assert error_of(present.send("POST", "/check-ins", {}))[0] == 422


def test_what_is_anothers_looks_as_if_it_were_not_there(door: Door, present: Kiosk) -> None:
    theirs = door.paid_visit(present)
    ticket = present.ok("POST", "/check-ins", {"appointment_id": theirs["appointment_id"]})
    unpaid = present.book(door.schedule_ids[1], key="b2")
    payment = present.start_payment(unpaid["invoice"], key="p2")
    present.hospital_card("60010002")
    bill = unpaid["invoice"]
    for method, path, body in (
        ("POST", f"/appointments/{unpaid['appointment_id']}/cancel", None),
        ("POST", "/payments", {"invoice_id": bill["invoice_id"], "amount_fen": FEE_FEN}),
        ("GET", f"/payments/{payment['payment_id']}", None),
        ("POST", f"/payments/{payment['payment_id']}/cancel", None),
        ("POST", "/check-ins", {"appointment_id": theirs["appointment_id"]}),
        ("POST", "/prints", {"kind": "ticket", "ticket_id": ticket["ticket"]["ticket_id"]}),
        (
            "POST",
            "/prints",
            {"kind": "receipt", "invoice_id": theirs["invoice"]["invoice_id"]},
        ),
    ):
        assert error_of(present.send(method, path, body, key="other"))[0] == 404, path
    assert present.ok("GET", "/home") == {"due": [], "appointments": [], "tickets": []}
