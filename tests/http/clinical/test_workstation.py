"""The workstation over HTTP as a program works it: one visit from the call to the bill."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from backend.billing import queries as bills
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import FixedClock
from backend.kernel.ids import new_id
from backend.kernel.permissions import Permission
from backend.patients.models import Patient
from backend.scheduling import queries as appointments
from backend.scheduling.rules import AppointmentState
from tests.factories.clinic import make_clinic
from tests.factories.clinical import DOCTOR, Hour
from tests.factories.databases import SYSTEM
from tests.factories.statements import Statements
from tests.factories.webapp import ActorSwitch, staff_actor

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


def begin(client: FlaskClient, hour: Hour, patient: int = 0) -> str:
    """The patient arrives, is called and sits down; the URL of the encounter."""
    return f"{BASE}/encounters/{hour.begin(patient)}"


def test_programs_learn_what_went_wrong(client: FlaskClient, hour: Hour) -> None:
    hour.arrive()
    hour.arrive(1)
    wants_json = {"Accept": "application/json"}
    assert client.post(f"{BASE}/call-next").status_code == 303
    again = client.post(f"{BASE}/call-next", headers=wants_json)
    assert again.status_code == 409
    assert again.get_json()["code"] == "still_serving"
    assert "上一位患者还没有结束" in client.post(f"{BASE}/call-next", headers=HTMX).text
    wrong = client.post(f"{BASE}/call-next", data={"room_id": "x"}, headers=wants_json)
    assert (wrong.status_code, list(wrong.get_json()["fields"])) == (422, ["room_id"])


def test_again_pass_and_return(client: FlaskClient, hour: Hour) -> None:
    hour.arrive()
    called = client.post(f"{BASE}/call-next", headers=HTMX)
    ticket = f"{BASE}/tickets/{data(called.text, 'ticket-id')}"
    assert "第 2 次呼叫" in client.post(f"{ticket}/again", headers=HTMX).text
    passed = client.post(f"{ticket}/pass", headers=HTMX)
    assert (data(passed.text, "ticket-id"), data(passed.text, "waiting")) == ("", "0")
    assert "重新排队" in passed.text
    back = client.post(f"{ticket}/return", headers=HTMX)
    assert data(back.text, "waiting") == "1"


def test_nobody_waits(client: FlaskClient, hour: Hour) -> None:
    page = client.get(BASE)
    assert "诊室里没有患者" in page.text
    answer = client.post(f"{BASE}/call-next", headers=HTMX)
    assert (answer.status_code, data(answer.text, "ticket-number")) == (200, "")
    assert "现在没有候诊的患者" in answer.text


def test_the_worklist_is_sent_only_when_it_changed(client: FlaskClient, hour: Hour) -> None:
    seen = data(client.get(BASE).text, "seen")
    url = f"{BASE}/worklist"
    assert client.get(url, query_string={"seen": seen}, headers=HTMX).status_code == 204
    hour.arrive()
    changed = client.get(url, query_string={"seen": seen}, headers=HTMX)
    assert changed.status_code == 200
    assert "A001" in changed.text
    assert "患者0" not in changed.text


def test_a_stale_note_is_refused_and_nothing_lost(client: FlaskClient, hour: Hour) -> None:
    url = begin(client, hour)
    form = {"version": "1", "complaint": "咳嗽", "history": "", "examination": ""}
    assert client.post(f"{url}/note", data=form, headers=HTMX).status_code == 200
    stale = client.post(f"{url}/note", data=form | {"complaint": "旧"}, headers=HTMX)
    assert stale.status_code == 409
    assert "data-problem-fragment" in stale.text
    assert "您填写的内容仍在页面上" in stale.text
    assert "咳嗽" in client.get(url).text
    missing = client.post(f"{url}/note", data=form | {"version": ""}, headers=HTMX)
    assert missing.status_code == 422


def test_finishing_saves_what_was_typed_last(client: FlaskClient, hour: Hour) -> None:
    url = begin(client, hour)
    client.post(f"{url}/diagnoses", data={"code": "C50.9"}, headers=HTMX)
    form = {"version": "1", "complaint": "最后一句", "history": "", "examination": ""}
    ended = client.post(f"{url}/finish", data=form, headers=HTMX)
    assert "没有需要缴的费用" in ended.text
    page = client.get(url).text
    assert "最后一句" in page
    assert "只能查看" in page
    assert "<textarea" not in page
    assert client.post(f"{url}/note", data=form, headers=HTMX).status_code == 409


def test_no_diagnosis_no_end(client: FlaskClient, hour: Hour) -> None:
    url = begin(client, hour)
    refused = client.post(f"{url}/finish", headers=HTMX)
    assert refused.status_code == 409
    assert "还没有填写诊断" in refused.text


def test_the_same_order_form_twice_orders_once(client: FlaskClient, hour: Hour) -> None:
    url = begin(client, hour)
    form = {"code": "DRG-1", "quantity": "1", "_key": "k1"}
    for _ in range(2):
        answer = client.post(f"{url}/drugs", data=form, headers=HTMX)
        assert data(answer.text, "total-fen") == "3850"
    other = client.post(f"{url}/drugs", data=form | {"quantity": "2"}, headers=HTMX)
    assert other.status_code == 409
    without = client.post(f"{url}/drugs", data=form | {"_key": ""}, headers=HTMX)
    assert data(without.text, "total-fen") == "7700"
    order_id = data(without.text, "order-id")
    less = client.post(f"{url}/orders/{order_id}/cancel", headers=HTMX)
    assert data(less.text, "total-fen") == "3850"
    assert "已撤销" in less.text
    assert "autofocus>恢复" in less.text
    for _ in range(2):
        restored = client.post(f"{url}/orders/{order_id}/restore", headers=HTMX)
        assert data(restored.text, "total-fen") == "7700"
    assert "已撤销" not in restored.text


def test_forms_that_name_nothing(client: FlaskClient, hour: Hour) -> None:
    url = begin(client, hour)
    for path in ("diagnoses", "drugs", "laboratory"):
        answer = client.post(f"{url}/{path}", data={"q": "乳房"}, headers=HTMX)
        assert answer.status_code == 422
        assert "还没有选中一项" in answer.text
    for quantity in ("", "-1", "1.5", "two", "99999"):
        form = {"code": "DRG-1", "quantity": quantity}
        assert client.post(f"{url}/drugs", data=form, headers=HTMX).status_code == 422


def test_allergies_are_shown_with_the_order(client: FlaskClient, hour: Hour) -> None:
    with hour.database.write(SYSTEM, housekeeping=True) as session:
        session.get_one(Patient, hour.clinic.patient_ids[0]).allergies = "青霉素类、碘造影剂"
    url = begin(client, hour)
    ordered = client.post(f"{url}/drugs", data={"code": "DRG-3", "quantity": "1"}, headers=HTMX)
    assert ordered.status_code == 200
    assert "患者过敏：青霉素类" in ordered.text


def test_search_answers_options(client: FlaskClient, hour: Hour) -> None:
    found = client.get(f"{BASE}/search/diagnoses?q=rf", headers=HTMX).text
    assert 'data-value="C50.9"' in found
    drug = client.get(f"{BASE}/search/drugs?q=adsq", headers=HTMX).text
    assert 'data-route="口服"' in drug
    assert "¥38.50/盒" in drug
    assert "¥20.00" in client.get(f"{BASE}/search/laboratory?q=xcg", headers=HTMX).text
    assert "换个词再试" in client.get(f"{BASE}/search/drugs?q=zzz", headers=HTMX).text


def test_another_doctor_reads_and_does_not_write(
    client: FlaskClient, hour: Hour, switch: ActorSwitch
) -> None:
    url = begin(client, hour)
    switch.actor = hour.doctor(1)
    page = client.get(url)
    assert page.status_code == 200
    assert "只能查看" in page.text
    for path in ("diagnoses", "laboratory", "finish"):
        assert client.post(f"{url}/{path}", data={"code": "CBC"}).status_code == 403


def test_reading_is_written_down(client: FlaskClient, hour: Hour, switch: ActorSwitch) -> None:
    url = begin(client, hour)
    switch.actor = hour.doctor(1)
    client.get(url)
    with hour.database.read(SYSTEM) as session:
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "clinical.read_encounter")
        ).all()
    assert [row.patient_id for row in rows] == [hour.clinic.patient_ids[0]]


def test_other_departments_and_hospitals_read_nothing(
    client: FlaskClient, hour: Hour, switch: ActorSwitch
) -> None:
    url = begin(client, hour)
    switch.actor = replace(hour.doctor(1), grants=dict.fromkeys(DOCTOR, frozenset({new_id()})))
    assert client.get(url).status_code == 403
    other = make_clinic(hour.database, code="H2", patients=0)
    switch.actor = staff_actor(
        other.hospital_id, *DOCTOR, practitioner_id=other.practitioner_ids[0]
    )
    assert client.get(url).status_code == 404
    own = client.get(BASE)
    assert own.status_code == 200
    assert "还没有候诊队列" in own.text


@pytest.mark.parametrize("method_path", ["GET ", "GET /worklist", "POST /call-next", "POST /room"])
def test_other_roles_are_refused(
    client: FlaskClient, hour: Hour, switch: ActorSwitch, method_path: str
) -> None:
    method, path = method_path.split(" ")
    switch.actor = staff_actor(hour.clinic.hospital_id, Permission.PATIENTS_PATIENT_READ)
    assert client.open(BASE + path, method=method).status_code == 403


def test_a_doctors_role_without_a_doctor(
    client: FlaskClient, hour: Hour, switch: ActorSwitch
) -> None:
    switch.actor = staff_actor(hour.clinic.hospital_id, *DOCTOR)
    page = client.get(BASE)
    assert page.status_code == 403
    assert "没有对应的医生" in page.text


def test_past_visits_are_read_when_they_are_opened(client: FlaskClient, hour: Hour) -> None:
    url = begin(client, hour)
    assert "既往就诊" not in client.get(url).text
    client.post(f"{url}/diagnoses", data={"code": "C50.9"}, headers=HTMX)
    client.post(f"{url}/diagnoses", data={"code": "R11.x"}, headers=HTMX)
    client.post(f"{url}/finish", headers=HTMX)
    again = begin(client, hour)
    assert "既往就诊 1 次" in client.get(again).text
    past = client.get(f"{again}/past", headers=HTMX)
    assert "乳房恶性肿瘤；恶心和呕吐" in past.text
    assert client.get(f"{url}/past", headers={"Accept": "application/json"}).status_code == 409
    with hour.database.read(SYSTEM) as session:
        rows = session.scalars(
            select(AuditEvent).where(AuditEvent.action == "clinical.read_past")
        ).all()
    assert [row.patient_id for row in rows] == [hour.clinic.patient_ids[0]]


def test_a_visit_of_another_day_can_be_ended(
    client: FlaskClient, hour: Hour, clock: FixedClock
) -> None:
    hour.arrive()
    called = client.post(f"{BASE}/call-next", headers=HTMX)
    clock.advance(dt.timedelta(days=1))
    page = client.get(BASE)
    assert data(page.text, "ticket-id") == data(called.text, "ticket-id")
    assert "还没有结束" in page.text
    passed = client.post(f"{BASE}/tickets/{data(page.text, 'ticket-id')}/pass", headers=HTMX)
    assert data(passed.text, "ticket-id") == ""
    room = {"room_id": str(hour.hall.room_ids[0])}
    assert "现在没有候诊的患者" in client.post(f"{BASE}/call-next", data=room, headers=HTMX).text


#: Of the twelve (eight) statements a page (poll) may ask, one is the session's and one writes down the reading.
PAGE, POLL, RECORD_ACT = 10, 7, 8


def count(client: FlaskClient, hour: Hour, path: str, form: dict[str, str] | None = None) -> int:
    with Statements(hour.database) as statements:
        answer = client.get(path) if form is None else client.post(path, data=form, headers=HTMX)
        assert answer.status_code == 200
    return statements.count


def test_the_page_asks_as_much_for_five_people_as_for_two(client: FlaskClient, hour: Hour) -> None:
    url = begin(client, hour)
    client.post(f"{url}/diagnoses", data={"code": "C50.9"}, headers=HTMX)
    client.post(f"{url}/drugs", data={"code": "DRG-1", "quantity": "2"}, headers=HTMX)
    hour.arrive(1)
    client.get(BASE)
    counts = []
    for more in ((), (2, 3, 4)):
        for patient in more:
            hour.hall.check_in(patient)
        counts.append((count(client, hour, BASE), count(client, hour, f"{BASE}/worklist")))
    assert counts[0] == counts[1]
    page, poll = counts[0]
    assert page <= PAGE
    assert poll <= POLL
    order = {"code": "DRG-1", "quantity": "1"}
    assert count(client, hour, f"{url}/drugs", order) <= RECORD_ACT
    client.post(f"{url}/finish", headers=HTMX)
    assert count(client, hour, url) <= PAGE
