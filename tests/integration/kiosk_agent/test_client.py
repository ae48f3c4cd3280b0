"""The kiosk API over real HTTP: keys, repeats, problems, and answers nobody can read."""

from __future__ import annotations

import socket

import pytest

from kiosk_agent.client import BackendClient
from kiosk_agent.errors import BackendAway, BackendRefused
from tests.factories.kiosk_backend import BASE, CODE, KioskBackend


def test_every_answer_of_the_contract_is_understood(
    backend: KioskBackend, client: BackendClient
) -> None:
    assert client.enrol(CODE).credential == "kiosk-credential"
    assert client.heartbeat({"version": "1"}).accepting
    session = client.identify({"kind": "code", "text": "XL1"}).session
    assert client.home(session).due == ()
    assert client.departments(session)[0].name == "乳腺肿瘤科"
    assert client.schedules(session, "department-0")[0].fee_fen == 2500
    assert client.book(session, "schedule-0", "key-1").invoice.total_fen == 2500
    assert client.start_payment(session, "invoice-1", 2500, "key-2").state == "pending"
    assert client.payment(session, "payment-1").code_url
    client.cancel_payment(session, "payment-1")
    client.cancel_booking(session, "appointment-1")
    assert client.check_in(session, "appointment-1").number == "A012"
    order = client.order_print(session, "ticket", "ticket-1", reprint=False, key="key-3")
    client.report_print(order.print_id, "printed", "", "")
    client.end_session(session)
    assert backend.results[order.print_id]["outcome"] == "printed"
    assert {asked.session for asked in backend.asked if "appointments" in asked.path} == {session}


def test_a_command_without_an_answer_is_repeated_with_the_same_key(
    backend: KioskBackend, client: BackendClient
) -> None:
    backend.is_away = True
    with pytest.raises(BackendAway):
        client.book("session-1", "schedule-0", "key-1")
    asked = [item.key for item in backend.asked if item.path == f"{BASE}/appointments"]
    assert asked == ["key-1", "key-1", "key-1"]


def test_enrolment_is_never_repeated(backend: KioskBackend, client: BackendClient) -> None:
    backend.is_away = True
    with pytest.raises(BackendAway):
        client.enrol(CODE)
    assert backend.paths() == ["/enrol"]


def test_a_problem_keeps_its_words_and_facts(backend: KioskBackend, client: BackendClient) -> None:
    with pytest.raises(BackendRefused) as refused:
        client.start_payment("session-1", "invoice-1", 1, "key-1")
    assert (refused.value.status, refused.value.code) == (409, "amount_differs")
    assert refused.value.fields["due_fen"] == 2500


def test_a_refusal_is_not_repeated(backend: KioskBackend, client: BackendClient) -> None:
    problem = {"code": "slot_gone", "title": "号源已被占用", "next_step": "请另选"}
    backend.refusals["/appointments"] = (409, problem)
    with pytest.raises(BackendRefused) as refused:
        client.book("session-1", "schedule-0", "key-1")
    assert (refused.value.title, refused.value.next_step) == ("号源已被占用", "请另选")
    assert backend.paths() == ["/appointments"]


def test_nobody_listening_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = BackendClient(f"http://127.0.0.1:{port}", sleep=lambda _seconds: None)
    with pytest.raises(BackendAway):
        client.home("session-1")


def test_an_answer_that_cannot_be_read_is_no_answer(
    backend: KioskBackend, client: BackendClient
) -> None:
    backend.refusals["/home"] = (200, {"due": "not a list"})
    with pytest.raises(BackendAway):
        client.home("session-1")


def test_ending_an_ended_session_is_no_error(backend: KioskBackend, client: BackendClient) -> None:
    backend.refusals["/session/end"] = (410, {"code": "patient_session_ended"})
    client.end_session("session-1")


def test_a_null_means_not_said(backend: KioskBackend, client: BackendClient) -> None:
    ticket = {"ticket_id": "t", "number": "A1", "room": None, "ahead": None, "url": None}
    backend.refusals["/check-ins"] = (201, {"ticket": ticket})
    assert client.check_in("session-1", "a").room == ""
