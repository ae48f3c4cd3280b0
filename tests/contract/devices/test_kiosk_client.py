"""The kiosk program's own client reads every answer of the real kiosk API, over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.devices import queries
from backend.devices import service as devices
from backend.kernel.clock import FixedClock
from backend.kernel.outbox import Subscriptions
from backend.kernel.uow import Database
from kiosk_agent.client import BackendClient
from kiosk_agent.errors import BackendRefused
from tests.factories.billing import ScriptedGateway
from tests.factories.databases import SYSTEM
from tests.factories.kiosks import CARD, CARD_NUMBER, Door, make_door, subscribe_all
from tests.factories.serving import listening


@pytest.fixture
def gateway() -> ScriptedGateway:
    """The payment platform."""
    return ScriptedGateway()


@pytest.fixture
def subscriptions(gateway: ScriptedGateway) -> Subscriptions:
    """The subscribers of the running program."""
    return subscribe_all(Subscriptions(), gateway)


@pytest.fixture
def door(sqlite_database: Database, gateway: ScriptedGateway, tmp_path: Path) -> Door:
    """A clinic with two sessions today."""
    return make_door(sqlite_database, gateway, tmp_path)


@pytest.fixture
def client(door: Door) -> Iterator[BackendClient]:
    """The kiosk program's client at the real application."""
    with listening(door.app) as url:
        client = BackendClient(url)
        try:
            yield client
        finally:
            client._http().close()


def _enrol(door: Door, client: BackendClient) -> None:
    with door.database.write(SYSTEM) as session:
        _row, code = devices.add_kiosk(
            session,
            hospital_id=door.clinic.hospital_id,
            code="K01",
            name="一号机",
            location_id=door.clinic.room_id,
        )
    enrolment = client.enrol(code)
    assert (enrolment.name, enrolment.hospital_name) == ("一号机", "杏林测试医院")
    assert enrolment.location_name == "一诊室"
    client.credential = enrolment.credential


def _report(clock: FixedClock) -> dict[str, object]:
    return {
        "version": "0.1.0",
        "clock": clock.now().isoformat(),
        "devices": {
            "printer": {"state": "ok", "paper": "ok"},
            "id_reader": {"state": "ok"},
            "card_reader": {"state": "ok"},
            "scanner": {"state": "ok"},
        },
        "journal": {"open": 1},
    }


def test_a_whole_visit(door: Door, client: BackendClient, clock: FixedClock) -> None:
    _enrol(door, client)
    pulse = client.heartbeat(_report(clock))
    assert pulse.server_time == clock.now()
    assert pulse.accepting
    assert (pulse.name, pulse.hospital_name) == ("一号机", "杏林测试医院")
    with door.database.read(SYSTEM) as session:
        (seen,) = queries.list_kiosks(session, door.clinic.hospital_id)
    assert (seen.open_journal, seen.clock_offset_ms) == (1, 0)

    person = client.identify({"kind": "id_card", "card": CARD})
    assert person.created
    assert person.patient.sex == "male"
    assert person.expires_at is not None
    token = person.session
    (department,) = client.departments(token)
    assert (department.free_count, department.doctors_count) == (10, 2)
    first, _second = client.schedules(token, department.department_id)
    booking = client.book(token, first.schedule_id, "book")
    assert booking.starts_at == first.starts_at
    assert booking.hold_until is not None
    assert booking.invoice.opened_at is not None
    home = client.home(token)
    assert [bill.invoice_id for bill in home.due] == [booking.invoice.invoice_id]

    bill = booking.invoice
    payment = client.start_payment(token, bill.invoice_id, bill.total_fen, "pay")
    assert payment.state == "created"
    door.drain()
    payment = client.payment(token, payment.payment_id)
    assert payment.code_url
    assert payment.expires_at is not None
    assert not payment.is_final
    door.pay_at_platform(payment.payment_id)
    payment = client.payment(token, payment.payment_id)
    assert (payment.state, payment.is_final) == ("succeeded", True)

    (visit,) = client.home(token).appointments
    assert (visit.state, visit.can_check_in) == ("booked", True)
    ticket = client.check_in(token, visit.appointment_id)
    assert (ticket.number, ticket.ahead) == ("A001", 0)
    (shown,) = client.home(token).tickets
    assert shown == ticket
    for kind, subject in (("ticket", ticket.ticket_id), ("receipt", bill.invoice_id)):
        order = client.order_print(token, kind, subject, reprint=False, key=f"print {kind}")
        assert order.document.elements[-1].type == "cut"
        client.report_print(order.print_id, "ambiguous", "connection_lost", "half a ticket")
        client.report_print(order.print_id, "printed", "", "")
    client.end_session(token)
    client.end_session(token)
    with pytest.raises(BackendRefused) as refusal:
        client.home(token)
    assert (refusal.value.status, refusal.value.code) == (410, "patient_session_ended")


def test_giving_up(door: Door, client: BackendClient) -> None:
    _enrol(door, client)
    token = client.identify({"kind": "hospital_card", "number": CARD_NUMBER}).session
    booking = client.book(token, str(door.schedule_ids[0]), "book")
    bill = booking.invoice
    payment = client.start_payment(token, bill.invoice_id, bill.total_fen, "pay")
    door.drain()
    client.cancel_payment(token, payment.payment_id)
    door.drain()
    assert client.payment(token, payment.payment_id).state == "closed"
    client.cancel_booking(token, booking.appointment_id)
    assert client.home(token).due == ()


def test_refusals_carry_what_the_screen_says(door: Door, client: BackendClient) -> None:
    with pytest.raises(BackendRefused) as refusal:
        client.enrol("WRONG234")
    assert refusal.value.code == "enrolment_code_unknown"
    _enrol(door, client)
    expired = {**CARD, "valid_until": "2020-01-01"}
    with pytest.raises(BackendRefused) as refusal:
        client.identify({"kind": "id_card", "card": expired})
    assert (refusal.value.status, refusal.value.code) == (422, "id_card_expired")
    with pytest.raises(BackendRefused) as refusal:
        client.identify({"kind": "hospital_card", "number": "99999999"})
    assert (refusal.value.status, refusal.value.code) == (404, "card_unknown")
    assert refusal.value.next_step
    assert refusal.value.request_id
    token = client.identify({"kind": "hospital_card", "number": CARD_NUMBER}).session
    bill = client.book(token, str(door.schedule_ids[0]), "book").invoice
    with pytest.raises(BackendRefused) as refusal:
        client.book(token, str(door.schedule_ids[0]), "again")
    assert refusal.value.code == "already_booked"
    with pytest.raises(BackendRefused) as refusal:
        client.start_payment(token, bill.invoice_id, bill.total_fen - 1, "pay")
    assert refusal.value.code == "amount_differs"
    assert refusal.value.fields["due_fen"] == bill.total_fen
    client.credential = "wrong"
    with pytest.raises(BackendRefused) as refusal:
        client.heartbeat({})
    assert (refusal.value.status, refusal.value.code) == (401, "credential_refused")
