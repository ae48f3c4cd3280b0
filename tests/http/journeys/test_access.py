"""Who reaches the front desk, what each role is offered, and what another hospital or patient sees: nothing."""

from __future__ import annotations

from functools import partial

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Actor, ActorKind, Permission
from tests.factories.front_desk import VisitWorld, make_visit_world
from tests.factories.people import id_number
from tests.factories.webapp import ActorSwitch, staff_actor

DESK = "/backoffice/front-desk"
HTMX = {"HX-Request": "true"}
#: The same in every test process: it is part of the tests' names.
ANY = Id(int=7)
PATIENT = f"{DESK}/patients/{ANY}"


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("GET", DESK, Permission.PATIENTS_PATIENT_READ),
        ("POST", DESK, Permission.PATIENTS_PATIENT_READ),
        ("GET", PATIENT, Permission.PATIENTS_PATIENT_READ),
        ("GET", f"{DESK}/patients/new", Permission.PATIENTS_PATIENT_WRITE),
        ("POST", f"{DESK}/patients", Permission.PATIENTS_PATIENT_WRITE),
        ("POST", f"{PATIENT}/reveal/phone", Permission.PATIENTS_PATIENT_REVEAL),
        ("GET", f"{PATIENT}/bookable", Permission.SCHEDULING_APPOINTMENT_WRITE),
        ("GET", f"{PATIENT}/sessions/{ANY}/why", Permission.SCHEDULING_APPOINTMENT_WRITE),
        ("GET", f"{PATIENT}/tickets", Permission.QUEUEING_TICKET_READ),
        ("GET", f"{PATIENT}/bills", Permission.BILLING_INVOICE_READ),
        ("POST", f"{PATIENT}/appointments", Permission.SCHEDULING_APPOINTMENT_WRITE),
        ("POST", f"{PATIENT}/appointments/{ANY}/give-up", Permission.SCHEDULING_APPOINTMENT_WRITE),
        ("POST", f"{PATIENT}/appointments/{ANY}/refund", Permission.BILLING_REFUND_REQUEST),
        ("POST", f"{PATIENT}/appointments/{ANY}/check-in", Permission.QUEUEING_TICKET_MANAGE),
        ("POST", f"{PATIENT}/invoices/{ANY}/cash", Permission.BILLING_PAYMENT_TAKE),
        ("POST", f"{PATIENT}/invoices/{ANY}/qr", Permission.BILLING_PAYMENT_TAKE),
        ("POST", f"{PATIENT}/invoices/{ANY}/card", Permission.BILLING_PAYMENT_TAKE),
        ("POST", f"{PATIENT}/invoices/{ANY}/prepaid", Permission.BILLING_PAYMENT_TAKE),
        ("POST", f"{PATIENT}/invoices/{ANY}/parts-back", Permission.BILLING_REFUND_REQUEST),
        ("POST", f"{PATIENT}/invoices/{ANY}/cancel-top-up", Permission.BILLING_PAYMENT_TAKE),
        ("GET", f"{PATIENT}/invoices/{ANY}/refund", Permission.BILLING_REFUND_REQUEST),
        ("POST", f"{PATIENT}/invoices/{ANY}/refund", Permission.BILLING_REFUND_REQUEST),
        ("GET", f"{PATIENT}/executed", Permission.BILLING_EXECUTION_REVERSE),
        (
            "POST",
            f"{PATIENT}/invoices/{ANY}/charges/{ANY}/reverse",
            Permission.BILLING_EXECUTION_REVERSE,
        ),
        ("POST", f"{PATIENT}/refunds/{ANY}/hand-over", Permission.BILLING_REFUND_REQUEST),
        ("GET", f"{PATIENT}/account", Permission.BILLING_INVOICE_READ),
        ("POST", f"{PATIENT}/account", Permission.BILLING_PAYMENT_TAKE),
        ("POST", f"{PATIENT}/account/top-up", Permission.BILLING_PAYMENT_TAKE),
        ("POST", f"{PATIENT}/account/withdraw", Permission.BILLING_REFUND_REQUEST),
        ("POST", f"{PATIENT}/account/freeze", Permission.BILLING_DEPOSIT_MANAGE),
        ("POST", f"{PATIENT}/account/unfreeze", Permission.BILLING_DEPOSIT_MANAGE),
        ("POST", f"{PATIENT}/account/close", Permission.BILLING_DEPOSIT_MANAGE),
        ("POST", f"{PATIENT}/invoices/{ANY}/insurance", Permission.BILLING_PAYMENT_TAKE),
        ("GET", f"{PATIENT}/claims/{ANY}", Permission.BILLING_PAYMENT_TAKE),
        ("POST", f"{PATIENT}/invoices/{ANY}/einvoice", Permission.BILLING_PAYMENT_TAKE),
        ("GET", f"{PATIENT}/payments/{ANY}", Permission.BILLING_PAYMENT_TAKE),
        ("POST", f"{PATIENT}/payments/{ANY}/cancel", Permission.BILLING_PAYMENT_TAKE),
        ("GET", f"{PATIENT}/tickets/{ANY}/print", Permission.QUEUEING_TICKET_READ),
        ("GET", f"{PATIENT}/invoices/{ANY}/print", Permission.BILLING_INVOICE_READ),
    ],
)
def test_each_act_needs_its_own_permission(
    client: FlaskClient,
    switch: ActorSwitch,
    world: VisitWorld,
    method: str,
    path: str,
    permission: Permission,
) -> None:
    switch.actor = staff_actor(world.clinic.hospital_id, *(set(Permission) - {permission}))
    assert client.open(path, method=method).status_code == 403


def test_each_role_is_offered_what_it_may_do(
    client: FlaskClient, switch: ActorSwitch, world: VisitWorld
) -> None:
    world.booked()
    world.book(schedule=1)
    page = f"{DESK}/patients/{world.patient_id}"
    registrar = client.get(page).text
    for words in ("收现金", "微信扫码", "报到", "退号…", "放弃这个号", "显示完整", 'id="book"'):
        assert words in registrar
    switch.actor = staff_actor(world.clinic.hospital_id, *ROLE_PERMISSIONS[Role.TRIAGE_NURSE])
    nurse = client.get(page).text
    assert "报到" in nurse
    for words in ("收现金", "退号…", "放弃这个号", "显示完整", 'id="book"'):
        assert words not in nurse
    switch.actor = staff_actor(world.clinic.hospital_id, *ROLE_PERMISSIONS[Role.CASHIER])
    cashier = client.get(page).text
    assert "收现金" in cashier
    for words in ("显示完整", 'id="book"'):
        assert words not in cashier


def test_another_hospitals_patient_does_not_exist(
    client: FlaskClient, switch: ActorSwitch, world: VisitWorld
) -> None:
    visit = world.booked()
    unpaid = world.book(schedule=1)
    ticket_id = world.check_in(visit)
    stranger = make_visit_world(world.database, code="H2")
    switch.actor = staff_actor(stranger.clinic.hospital_id, *ROLE_PERMISSIONS[Role.REGISTRAR])
    base = f"{DESK}/patients/{world.patient_id}"
    paid = f"{base}/appointments/{visit.appointment.id}"
    forms: dict[str, dict[str, str]] = {
        f"{base}/reveal/phone": {},
        f"{base}/appointments": {"schedule_id": str(world.schedule_ids[0]), "_key": "k"},
        f"{paid}/refund": {"reason": "患者改期", "_key": "k"},
        f"{paid}/check-in": {},
        f"{base}/appointments/{unpaid.appointment.id}/give-up": {},
        f"{base}/invoices/{unpaid.invoice.id}/cash": {"received": "25", "_key": "k"},
        f"{base}/invoices/{unpaid.invoice.id}/qr": {"amount_fen": "2500", "_key": "k"},
        f"{base}/invoices/{unpaid.invoice.id}/einvoice": {},
        f"{base}/invoices/{unpaid.invoice.id}/insurance": {"credential": "310000001"},
        f"{base}/invoices/{unpaid.invoice.id}/card": {
            "amount_fen": "2500",
            "_key": "k",
            "card": "x",
        },
    }
    for url, form in forms.items():
        assert client.post(url, data=form, headers=HTMX).status_code == 404, url
    for tail in ("", "/tickets", "/bills", f"/tickets/{ticket_id}/print"):
        assert client.get(base + tail).status_code == 404, tail
    assert client.get(f"{base}/invoices/{visit.invoice.id}/print").status_code == 404
    # The other hospital has its own 王建国, and only that one is found.
    found = client.post(DESK, data={"q": id_number(1)})
    assert found.headers["Location"] == f"{DESK}/patients/{stranger.patient_id}"


def test_what_belongs_to_another_patient_is_not_reached_by_this_ones_page(
    client: FlaskClient, world: VisitWorld
) -> None:
    visit = world.booked()
    unpaid = world.book(schedule=1)
    ticket_id = world.check_in(visit)
    base = f"{DESK}/patients/{world.other_id}"
    appointment = f"{base}/appointments/{visit.appointment.id}"
    form = {"reason": "患者改期", "_key": "k"}
    assert client.post(f"{appointment}/refund", data=form).status_code == 404
    assert client.post(f"{appointment}/check-in").status_code == 404
    cash = f"{base}/invoices/{unpaid.invoice.id}/cash"
    assert client.post(cash, data={"received": "25", "_key": "k"}).status_code == 404
    assert client.get(f"{base}/tickets/{ticket_id}/print").status_code == 404
    assert client.get(f"{base}/invoices/{visit.invoice.id}/print").status_code == 404


def test_somebody_of_no_hospital_is_refused(client: FlaskClient, switch: ActorSwitch) -> None:
    switch.actor = Actor(
        ActorKind.STAFF, label="nowhere", grants={Permission.PATIENTS_PATIENT_READ: None}
    )
    assert client.get(DESK).status_code == 403


def test_the_number_of_queries_does_not_grow(client: FlaskClient, world: VisitWorld) -> None:
    statements: list[str] = []
    event.listen(
        world.database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, *_rest: statements.append(statement),
    )

    def count(url: str) -> int:
        statements.clear()
        ask = partial(client.post, data={"q": "wjg"}) if url == DESK else client.get
        assert ask(url, headers=HTMX).status_code == 200
        return len([s for s in statements if not s.startswith(("BEGIN", "SAVEPOINT", "PRAGMA"))])

    base = f"{DESK}/patients/{world.patient_id}"
    world.check_in(world.booked())
    urls = [DESK, base, f"{base}/bookable", f"{base}/tickets", f"{base}/bills"]
    few = {url: count(url) for url in urls}
    world.book(schedule=1)
    world.booked(world.other_id)
    many = {url: count(url) for url in urls}
    assert max(many.values()) <= 12, many
    # The first open bill asks for its lines and its payment; after that nothing grows.
    assert many[base] - few[base] <= 2


def test_a_nurse_checks_in_for_her_own_departments_only(
    client: FlaskClient, switch: ActorSwitch, world: VisitWorld
) -> None:
    visit = world.booked()
    address = f"{DESK}/patients/{world.patient_id}/appointments/{visit.appointment.id}/check-in"
    for department_id, status in ((new_id(), 403), (world.clinic.department_id, 303)):
        switch.actor = Actor(
            ActorKind.STAFF,
            hospital_id=world.clinic.hospital_id,
            label="T001",
            grants=dict.fromkeys(ROLE_PERMISSIONS[Role.TRIAGE_NURSE], frozenset({department_id})),
        )
        assert client.post(address).status_code == status
