"""The workstation over HTTP as a program works it: one visit from the call to the bill."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from backend.billing import queries as bills
from backend.scheduling import queries as appointments
from backend.scheduling.rules import AppointmentState
from tests.factories.clinical import Hour
from tests.factories.databases import SYSTEM

HTMX = {"HX-Request": "true"}
BASE = "/backoffice/workstation"


def data(html: str, name: str) -> str:
    """The first ``data-…`` attribute of that name."""
    found = re.search(rf'data-{name}="([^"]*)"', html)
    assert found is not None, name
    return found[1]


def test_one_visit_from_the_call_to_the_bill(client: FlaskClient, hour: Hour) -> None:
    hour.arrive()
    page = client.get(BASE)
    assert page.status_code == 200
    assert "<html" in page.text
    assert data(page.text, "waiting") == "1"
    called = client.post(f"{BASE}/call-next", headers=HTMX)
    assert called.status_code == 200
    assert "<html" not in called.text
    assert (data(called.text, "ticket-number"), data(called.text, "ticket-state")) == (
        "A001",
        "called",
    )
    ticket_id = data(called.text, "ticket-id")
    begun = client.post(f"{BASE}/tickets/{ticket_id}/start", headers=HTMX)
    encounter_id = data(begun.text, "encounter-id")
    url = f"{BASE}/encounters/{encounter_id}"
    note = {
        "version": data(begun.text, "version"),
        "complaint": "左乳肿物2月",
        "history": "",
        "examination": "",
    }
    saved = client.post(f"{url}/note", data=note, headers=HTMX)
    assert int(data(saved.text, "version")) == int(note["version"]) + 1
    client.post(f"{url}/diagnoses", data={"code": "C50.9"}, headers=HTMX)
    client.post(f"{url}/drugs", data={"code": "DRG-1", "quantity": "2"}, headers=HTMX)
    ordered = client.post(f"{url}/laboratory", data={"code": "CBC"}, headers=HTMX)
    assert data(ordered.text, "total-fen") == "9700"
    ended = client.post(f"{url}/finish", headers=HTMX)
    assert ended.status_code == 200
    assert data(ended.text, "ticket-id") == ""
    assert data(ended.text, "finished-encounter-id") == encounter_id
    with hour.database.read(SYSTEM) as session:
        due = bills.list_due(session, hour.clinic.patient_ids[0])
        visit = appointments.list_appointments(session, patient_id=hour.clinic.patient_ids[0])[0]
    assert due.total_fen == 9700
    assert str(due.invoices[0].id) == data(ended.text, "invoice-id")
    assert visit.state is AppointmentState.FULFILLED
