"""Paying by QR code at a kiosk, with everything that goes wrong on the way."""

from __future__ import annotations

import datetime as dt

from backend.kernel.clock import FixedClock
from backend.kernel.ids import new_id
from tests.factories.clinic import FEE_FEN
from tests.factories.kiosks import Door, Kiosk, error_of


def test_from_code_to_paid(door: Door, present: Kiosk) -> None:
    visit = present.book(door.schedule_ids[0])
    payment = present.start_payment(visit["invoice"])
    assert (payment["state"], payment["code_url"]) == ("created", None)
    path = f"/payments/{payment['payment_id']}"
    door.drain()
    waiting = present.ok("GET", path)
    assert waiting["state"] == "pending"
    assert waiting["code_url"].startswith("weixin://wxpay/bizpayurl?pr=")
    assert waiting["amount_fen"] == FEE_FEN
    door.pay_at_platform(payment["payment_id"])
    paid = present.ok("GET", path)
    assert (paid["state"], paid["code_url"]) == ("succeeded", None)
    assert paid["outcome_words"]
    assert present.ok("GET", "/home")["due"] == []


def test_ten_presses_open_one_order(door: Door, present: Kiosk) -> None:
    visit = present.book(door.schedule_ids[0])
    ids = {present.start_payment(visit["invoice"], key="same")["payment_id"] for _n in range(10)}
    others = {present.start_payment(visit["invoice"], key=f"k{n}")["payment_id"] for n in range(3)}
    assert ids == others
    assert len(ids) == 1
    door.drain()
    assert door.gateway.calls.count("create") == 1


def test_payments_that_are_refused(door: Door, present: Kiosk, clock: FixedClock) -> None:
    visit = present.book(door.schedule_ids[0])
    bill = visit["invoice"]["invoice_id"]
    body = {"invoice_id": bill, "amount_fen": FEE_FEN + 1}
    answer = present.send("POST", "/payments", body, key="k")
    assert error_of(answer) == (409, "amount_differs")
    assert answer.get_json()["due_fen"] == FEE_FEN
    for wrong, expected in (
        ({}, (422, "invalid_input")),
        ({"invoice_id": bill, "amount_fen": -1}, (422, "invalid_input")),
        ({"invoice_id": bill, "amount_fen": "25.00"}, (422, "invalid_input")),
        ({"invoice_id": bill, "amount_fen": 10**20}, (422, "invalid_input")),
        ({"invoice_id": str(new_id()), "amount_fen": 1}, (404, None)),
    ):
        status, code = error_of(present.send("POST", "/payments", wrong, key="k"))
        assert status == expected[0], wrong
        assert expected[1] in (None, code)
    sound = {"invoice_id": bill, "amount_fen": FEE_FEN}
    keyless = present.send("POST", "/payments", sound)
    assert error_of(keyless) == (422, "idempotency_key_missing")
    assert error_of(present.send("GET", f"/payments/{new_id()}"))[0] == 404
    assert error_of(present.send("GET", "/payments/x"))[0] == 404
    clock.advance(dt.timedelta(minutes=15))
    door.drain()
    present.hospital_card()
    late = present.send("POST", "/payments", sound, key="late")
    assert error_of(late)[0] == 409


def test_a_paid_bill_is_not_paid_again(door: Door, present: Kiosk) -> None:
    visit = door.paid_visit(present)
    body = {"invoice_id": visit["invoice"]["invoice_id"], "amount_fen": FEE_FEN}
    assert error_of(present.send("POST", "/payments", body, key="again"))[0] == 409


def test_cancelling_closes_the_order_at_the_platform(door: Door, present: Kiosk) -> None:
    visit = present.book(door.schedule_ids[0])
    payment = present.start_payment(visit["invoice"])
    door.drain()
    path = f"/payments/{payment['payment_id']}"
    answer = present.send("POST", f"{path}/cancel")
    assert answer.status_code == 202
    assert answer.get_json()["state"] in ("pending", "closed")
    assert present.send("POST", f"{path}/cancel").status_code == 202
    door.drain()
    closed = present.ok("GET", path)
    assert (closed["state"], closed["code_url"]) == ("closed", None)
    again = present.start_payment(visit["invoice"], key="again")
    assert again["payment_id"] != payment["payment_id"]


def test_the_payer_was_quicker_than_the_cancel(door: Door, present: Kiosk) -> None:
    visit = present.book(door.schedule_ids[0])
    payment = present.start_payment(visit["invoice"])
    door.drain()
    door.pay_at_platform(payment["payment_id"])
    path = f"/payments/{payment['payment_id']}"
    present.send("POST", f"{path}/cancel")
    door.drain()
    assert present.ok("GET", path)["state"] == "succeeded"


def test_a_place_lost_before_the_money_came_reads_as_failed(
    door: Door, present: Kiosk, clock: FixedClock
) -> None:
    clock.advance(dt.timedelta(hours=2, minutes=14))  # only the last of six places is ahead
    present.hospital_card()
    visit = present.book(door.schedule_ids[0])
    payment = present.start_payment(visit["invoice"])
    door.drain()
    clock.advance(dt.timedelta(minutes=15, seconds=1))
    door.book_for(door.other_id)
    door.pay_at_platform(payment["payment_id"])
    present.hospital_card()
    outcome = present.ok("GET", f"/payments/{payment['payment_id']}")
    assert outcome["state"] == "failed"
    assert "退" in outcome["outcome_words"]
