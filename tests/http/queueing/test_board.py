"""The triage desk over HTTP: page and fragment, acts, roles and departments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.kernel.ids import new_id
from backend.kernel.permissions import Actor, ActorKind, Permission
from backend.kernel.uow import Database
from backend.queueing import backoffice
from backend.queueing.rules import TicketState
from backend.web_parts import Parts
from tests.factories.queues import Hall, add_hall_queue, make_hall
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

URL = "/backoffice/queues"
FRAGMENT = {"HX-Request": "true"}
READ, MANAGE = Permission.QUEUEING_TICKET_READ, Permission.QUEUEING_TICKET_MANAGE


@pytest.fixture
def hall(sqlite_database: Database) -> Hall:
    return make_hall(sqlite_database)


@pytest.fixture
def switch(hall: Hall) -> ActorSwitch:
    found = ActorSwitch()
    found.actor = staff_actor(hall.clinic.hospital_id, READ, MANAGE)
    return found


@pytest.fixture
def client(hall: Hall, switch: ActorSwitch, tmp_path: Path) -> Iterator[FlaskClient]:
    app = make_app(
        hall.database, tmp_path, switch, backoffice.blueprint, parts=Parts(nav=backoffice.NAV)
    )
    with app.test_client() as client:
        yield client


def test_who_waits_and_why_who_is_called_who_was_missed(client: FlaskClient, hall: Hall) -> None:
    first = hall.check_in(0)
    hall.check_in(1)
    hall.check_in(2)
    hall.call(doctor=1)
    client.post(f"{URL}/tickets/{first}/pass")
    hall.call(doctor=0)
    text = client.get(URL).text
    for words in ("过号 1 人", "候诊 1 人", "现场取号，按到达先后", "已叫 1 次", "一诊室", "患*2"):
        assert words in text
    assert "患者2" not in text
    assert "/screens/" in text


def test_the_fragment_alone(client: FlaskClient, hall: Hall) -> None:
    text = client.get(f"{URL}?queue={hall.queue_id}", headers=FRAGMENT).text
    assert "<html" not in text
    assert 'id="queue"' in text
    assert "没有人在等" in text


def test_acts_change_the_ticket_and_say_so(client: FlaskClient, hall: Hall) -> None:
    mine = hall.check_in(0)
    hall.call()
    steps = {
        "again": (TicketState.CALLED, "A001 已再次叫号"),
        "pass": (TicketState.MISSED, "A001 已过号"),
        "return": (TicketState.WAITING, "A001 已重新排队"),
        "leave": (TicketState.LEFT, "A001 已离开队列"),
    }
    for act, (state, words) in steps.items():
        answer = client.post(f"{URL}/tickets/{mine}/{act}", headers=FRAGMENT)
        assert answer.status_code == 200
        assert words in answer.text
        assert hall.ticket(mine).state is state


def test_another_class_moves_the_ticket(client: FlaskClient, hall: Hall) -> None:
    hall.check_in(0)
    mine = hall.check_in(1)
    answer = client.post(f"{URL}/tickets/{mine}/class", data={"ticket_class": "emergency"})
    assert answer.status_code == 200
    assert hall.waiting() == ["A002", "A001"]
    wrong = client.post(f"{URL}/tickets/{mine}/class", data={"ticket_class": "friend"})
    assert wrong.status_code == 422
    hall.call()
    late = client.post(f"{URL}/tickets/{mine}/class", data={"ticket_class": "ordinary"})
    assert late.status_code == 409


def test_what_cannot_be_done_is_refused_with_the_next_step(client: FlaskClient, hall: Hall) -> None:
    mine = hall.check_in(0)
    answer = client.post(f"{URL}/tickets/{mine}/pass", headers=FRAGMENT)
    assert answer.status_code == 409
    assert "请刷新列表" in answer.text
    assert client.post(f"{URL}/tickets/{mine}/eat").status_code == 404
    assert client.post(f"{URL}/tickets/{new_id()}/pass").status_code == 404
    assert client.get(f"{URL}?queue={new_id()}").status_code == 404


def test_without_permission(client: FlaskClient, hall: Hall, switch: ActorSwitch) -> None:
    mine = hall.check_in(0)
    hall.call()
    switch.actor = staff_actor(hall.clinic.hospital_id)
    assert client.get(URL).status_code == 403
    switch.actor = staff_actor(hall.clinic.hospital_id, READ)
    text = client.get(URL).text
    assert "已叫 1 次" in text
    assert "再叫" not in text
    assert client.post(f"{URL}/tickets/{mine}/pass").status_code == 403
    assert hall.ticket(mine).state is TicketState.CALLED


def test_staff_of_another_department_or_hospital(
    client: FlaskClient, hall: Hall, switch: ActorSwitch
) -> None:
    mine = hall.check_in(0)
    elsewhere = frozenset({new_id()})
    switch.actor = Actor(
        ActorKind.STAFF,
        hospital_id=hall.clinic.hospital_id,
        label="T002",
        grants={READ: elsewhere, MANAGE: elsewhere},
    )
    assert "还没有可以看的队列" in client.get(URL).text
    assert client.get(f"{URL}?queue={hall.queue_id}").status_code == 404
    assert client.post(f"{URL}/tickets/{mine}/leave").status_code == 403
    switch.actor = staff_actor(new_id(), READ, MANAGE)
    assert "还没有可以看的队列" in client.get(URL).text
    assert client.post(f"{URL}/tickets/{mine}/leave").status_code == 403
    assert hall.ticket(mine).state is TicketState.WAITING


def test_several_queues(client: FlaskClient, hall: Hall) -> None:
    other = add_hall_queue(hall, "Q2", "彩超", "B")
    hall.check_in(0, queue_id=other)
    assert "候诊 1 人" not in client.get(URL).text
    assert "候诊 1 人" in client.get(f"{URL}?queue={other}").text
