"""Tickets and receipts on paper: intent, document, outcome, doubt."""

from __future__ import annotations

from typing import Any

from backend.billing import queries as bills
from backend.devices import queries
from backend.devices import service as devices
from backend.devices.rules import PrintState
from backend.kernel import links
from backend.kernel.ids import Id, new_id
from backend.queueing import queries as queues
from tests.factories.databases import SYSTEM
from tests.factories.kiosks import Door, Kiosk, error_of

COLUMNS = 48


def _ticket(door: Door, kiosk: Kiosk) -> dict[str, Any]:
    visit = door.paid_visit(kiosk)
    found = kiosk.ok("POST", "/check-ins", {"appointment_id": visit["appointment_id"]})
    ticket: dict[str, Any] = found["ticket"]
    return {**ticket, "invoice_id": visit["invoice"]["invoice_id"]}


def _print(kiosk: Kiosk, ticket: dict[str, Any], key: str = "1", **more: Any) -> dict[str, Any]:
    body = {"kind": "ticket", "ticket_id": ticket["ticket_id"], **more}
    found: dict[str, Any] = kiosk.ok("POST", "/prints", body, key=f"print-{key}")
    return found


def _report(kiosk: Kiosk, order: dict[str, Any], outcome: str, code: str = "") -> Any:
    body = {"outcome": outcome, "code": code, "detail": ""}
    return kiosk.send("POST", f"/prints/{order['print_id']}/result", body, session="")


def _printed_at(door: Door, ticket: dict[str, Any]) -> object:
    with door.database.read(SYSTEM) as session:
        return queues.get_ticket(session, Id(ticket["ticket_id"])).printed_at


def _words(order: dict[str, Any]) -> str:
    return "\n".join(
        " ".join(str(part.get(name, "")) for name in ("text", "left", "right", "caption"))
        for part in order["document"]["elements"]
    )


def _width(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)


def test_the_ticket_on_paper(door: Door, present: Kiosk) -> None:
    ticket = _ticket(door, present)
    order = _print(present, ticket)
    assert order["job_no"] == 1
    elements = order["document"]["elements"]
    assert {"type": "text", "text": "A001", "size": 4, "align": "center", "bold": True} in elements
    assert elements[-1] == {"type": "cut"}
    words = _words(order)
    for expected in ("杏林测试医院", "乳腺外科", "王*国", "一诊室", "前面还有", "2026-11-23 08:30"):
        assert expected in words
    assert "王建国" not in words
    assert "补打" not in words
    (code,) = [part for part in elements if part["type"] == "qr"]
    token = code["payload"].rpartition("/t/")[2]
    read = links.read_ticket_token("test-secret-" * 4, token)
    assert read is not None
    assert str(read[0]) == ticket["ticket_id"]
    for part in elements:
        if part["type"] == "text":
            assert _width(part["text"]) * part["size"] <= COLUMNS, part
        if part["type"] == "row":
            assert _width(part["left"]) + _width(part["right"]) < COLUMNS, part


def test_the_receipt_on_paper(door: Door, present: Kiosk) -> None:
    ticket = _ticket(door, present)
    body = {"kind": "receipt", "invoice_id": ticket["invoice_id"]}
    words = _words(present.ok("POST", "/prints", body, key="r"))
    for expected in ("主任医师诊查费", "¥25.00", "微信支付", "2026-11-23 08:30:00", "王*国"):
        assert expected in words
    # The numbers to ask by: the payment's receipt, issued now at the latest, and the order in the wallet.
    assert "收据号 S202600000001" in words
    with door.database.read(SYSTEM) as session:
        (payment,) = bills.list_settling_payments(session, Id(ticket["invoice_id"]))
    assert f"商户单号 {payment.out_trade_no}" in words
    again = present.ok("POST", "/prints", {**body, "reprint": True}, key="r2")
    assert "补打" in _words(again)
    assert "收据号 S202600000001" in _words(again)


def test_ten_presses_print_once(door: Door, present: Kiosk) -> None:
    ticket = _ticket(door, present)
    orders = [_print(present, ticket, key="same") for _n in range(10)]
    assert all(order == orders[0] for order in orders)
    assert _print(present, ticket, key="2", reprint=True)["job_no"] == 2


def test_only_paper_in_hand_makes_a_ticket_given(door: Door, present: Kiosk) -> None:
    ticket = _ticket(door, present)
    failed = _print(present, ticket)
    assert _report(present, failed, "failed", "paper_out").status_code == 200
    assert _printed_at(door, ticket) is None
    again = _print(present, ticket, key="2", reprint=True)
    for _n in range(2):
        answer = _report(present, again, "printed")
        assert answer.get_json()["state"] == "printed"
    assert _printed_at(door, ticket) is not None
    assert error_of(_report(present, again, "failed")) == (409, "print_ended")
    assert error_of(_report(present, failed, "printed")) == (409, "print_ended")


def test_a_doubtful_print_waits_for_a_person_or_a_later_report(door: Door, present: Kiosk) -> None:
    ticket = _ticket(door, present)
    first, second = _print(present, ticket), _print(present, ticket, key="2", reprint=True)
    for order in (first, second):
        _report(present, order, "ambiguous", "connection_lost")
    hospital_id = door.clinic.hospital_id
    with door.database.read(SYSTEM) as session:
        doubtful = queries.list_ambiguous_prints(session, hospital_id)
        (kiosk,) = queries.list_kiosks(session, hospital_id)
    assert [(job.reference, job.code) for job in doubtful] == [("A001", "connection_lost")] * 2
    assert kiosk.ambiguous_count == 2
    assert _report(present, first, "printed").status_code == 200
    with door.database.write(SYSTEM) as session:
        devices.resolve_print(
            session,
            print_id=Id(second["print_id"]),
            hospital_id=hospital_id,
            outcome=PrintState.FAILED,
        )
    with door.database.read(SYSTEM) as session:
        assert queries.list_ambiguous_prints(session, hospital_id) == []
    assert _printed_at(door, ticket) is not None


def test_prints_that_are_refused(door: Door, present: Kiosk) -> None:
    ticket = _ticket(door, present)
    unpaid = present.book(door.schedule_ids[1], key="b2")["invoice"]["invoice_id"]
    for body, status in (
        ({}, 422),
        ({"kind": "photo"}, 422),
        ({"kind": "ticket"}, 404),
        ({"kind": "ticket", "ticket_id": str(new_id())}, 404),
        ({"kind": "receipt", "ticket_id": ticket["ticket_id"]}, 404),
        ({"kind": "receipt", "invoice_id": str(new_id())}, 404),
        ({"kind": "receipt", "invoice_id": unpaid}, 404),
    ):
        assert error_of(present.send("POST", "/prints", body, key="k"))[0] == status, body
    body = {"kind": "ticket", "ticket_id": ticket["ticket_id"]}
    keyless = present.send("POST", "/prints", body)
    assert error_of(keyless) == (422, "idempotency_key_missing")


def test_results_that_are_refused(door: Door, present: Kiosk) -> None:
    order = _print(present, _ticket(door, present))
    other = door.kiosk("K02")
    assert error_of(_report(other, order, "printed")) == (404, "print_unknown")
    for name in (str(new_id()), "x"):
        answer = _report(present, {"print_id": name}, "printed")
        assert error_of(answer) == (404, "print_unknown")
    for outcome in ("", "requested", "lost"):
        assert error_of(_report(present, order, outcome))[0] == 422
    assert error_of(_report(present, order, "failed", "x" * 41))[0] == 422
