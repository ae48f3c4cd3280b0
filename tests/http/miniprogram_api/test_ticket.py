"""The ticket on the phone over HTTP: what it shows, what it refuses, how it pays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.kernel import links
from backend.kernel.clock import FixedClock, at_local
from backend.kernel.ids import Id, new_id
from backend.kernel.uow import Database
from backend.queueing import service
from miniprogram_api import ticket as phone
from miniprogram_api.limits import Limiter
from tests.factories.bills import open_bill
from tests.factories.clinic import MONDAY
from tests.factories.databases import SYSTEM
from tests.factories.queues import Hall, make_hall
from tests.factories.statements import Statements
from tests.factories.webapp import ActorSwitch, make_app

SECRET = "test-secret-" * 4


@pytest.fixture
def hall(sqlite_database: Database) -> Hall:
    return make_hall(sqlite_database)


@pytest.fixture
def client(hall: Hall, tmp_path: Path) -> Iterator[FlaskClient]:
    app = make_app(hall.database, tmp_path, ActorSwitch(), phone.blueprint)
    with app.test_client() as client:
        yield client


def link(ticket_id: Id, secret: str = SECRET) -> str:
    return f"/t/{links.ticket_token(secret, ticket_id, MONDAY)}"


def bill(hall: Hall, patient: int) -> Id:
    return open_bill(hall.database, hall.clinic.hospital_id, hall.clinic.patient_ids[patient])


def payments(hall: Hall, invoice_id: Id) -> list[str]:
    with hall.database.read(SYSTEM) as session:
        return [one.state.value for one in bills.list_payments(session, invoice_id)]


def test_number_people_ahead_and_range(client: FlaskClient, hall: Hall) -> None:
    hall.check_in(0)
    hall.check_in(1)
    mine = hall.check_in(2)
    answer = client.get(link(mine))
    assert answer.status_code == 200
    for words in ("A003", "患*2", "候诊中", "2 人", "约 20–25 分钟", "三层候诊区"):
        assert words in answer.text
    assert "患者2" not in answer.text


def test_page_and_part_take_a_fixed_number_of_queries(client: FlaskClient, hall: Hall) -> None:
    hall.check_in(0)
    hall.serve()
    mine = hall.check_in(1)
    bill(hall, 1)
    counts = []
    for more in (2, 3):
        with Statements(hall.database) as page:
            client.get(link(mine))
        with Statements(hall.database) as part:
            client.get(f"{link(mine)}/now")
        counts.append((page.count, part.count))
        hall.check_in(more)
    assert counts == [(11, 8)] * 2


def test_the_part_alone(client: FlaskClient, hall: Hall) -> None:
    mine = hall.check_in(0)
    text = client.get(f"{link(mine)}/now").text
    assert "<html" not in text
    assert "data-now" in text


def test_called_missed_and_done(client: FlaskClient, hall: Hall) -> None:
    mine = hall.check_in(0)
    hall.call(doctor=1)
    called = client.get(link(mine)).text
    assert "轮到您了" in called
    assert "请到 二诊室" in called
    hall.act(service.pass_over, mine)
    assert "请到诊室门口或分诊台报到" in client.get(link(mine)).text
    hall.act(service.return_ticket, mine)
    hall.serve()
    assert "已完成" in client.get(link(mine)).text


def test_a_link_ends_with_its_day_and_the_nights_with_the_morning(
    client: FlaskClient, hall: Hall, clock: FixedClock
) -> None:
    mine = hall.check_in(0)
    tuesday = MONDAY + dt.timedelta(days=1)
    clock.set(at_local(MONDAY, dt.time(23, 59)))
    assert client.get(link(mine)).status_code == 200
    clock.set(at_local(tuesday, dt.time(7, 59)))
    assert client.get(link(mine)).status_code == 200
    clock.set(at_local(tuesday, dt.time(8)))
    for path in ("", "/now"):
        answer = client.get(link(mine) + path)
        assert answer.status_code == 410
        assert "这个链接已过期" in answer.text
    assert client.post(f"{link(mine)}/pay", data={}).status_code in (410, 422)


def test_a_forged_link_opens_nothing(client: FlaskClient, hall: Hall) -> None:
    mine = hall.check_in(0)
    hall_key = links.screen_key(SECRET, hall.hall_id)
    for path in (link(mine, "another-secret"), f"{link(mine)}x", "/t/x", f"/t/{hall_key}"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "请重新扫号票上的二维码" in answer.text


def test_a_ticket_that_never_was(client: FlaskClient) -> None:
    assert client.get(link(new_id())).status_code == 404


def test_too_many_uses_are_refused_and_the_minute_forgives(
    client: FlaskClient, hall: Hall, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "_uses", Limiter(2))
    mine, other = hall.check_in(0), hall.check_in(1)
    assert [client.get(link(mine)).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get(link(other)).status_code == 200
    clock.advance(dt.timedelta(minutes=1))
    assert client.get(link(mine)).status_code == 200


def test_from_a_bill_to_its_code(client: FlaskClient, hall: Hall) -> None:
    mine, invoice = hall.check_in(0), bill(hall, 0)
    text = client.get(link(mine)).text
    assert "血常规（五分类）" in text
    assert "¥25.00" in text
    form = {"invoice_id": str(invoice), "amount_fen": "2500"}
    answers = [client.post(f"{link(mine)}/pay", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert payments(hall, invoice) == ["created"]
    assert "data-paying" in client.get(link(mine)).text
    with hall.database.write(SYSTEM) as session:
        (payment,) = bills.list_payments(session, invoice)
        billing.store_code(session, payment.id, "weixin://wxpay/bizpayurl?pr=abc")
    assert 'src="data:image/png;base64,' in client.get(f"{link(mine)}/now").text


def test_another_patients_bill_is_neither_shown_nor_paid(client: FlaskClient, hall: Hall) -> None:
    mine, invoice = hall.check_in(0), bill(hall, 1)
    assert "待缴费用" not in client.get(link(mine)).text
    form = {"invoice_id": str(invoice), "amount_fen": "2500"}
    assert client.post(f"{link(mine)}/pay", data=form).status_code == 404
    assert payments(hall, invoice) == []


def test_another_amount_than_is_due_is_refused(client: FlaskClient, hall: Hall) -> None:
    mine, invoice = hall.check_in(0), bill(hall, 0)
    form = {"invoice_id": str(invoice), "amount_fen": "1"}
    assert client.post(f"{link(mine)}/pay", data=form).status_code == 409
    for wrong in ({}, {"invoice_id": "x", "amount_fen": "1"}, form | {"amount_fen": "-1"}):
        assert client.post(f"{link(mine)}/pay", data=wrong).status_code == 422
    assert payments(hall, invoice) == []


@pytest.mark.parametrize("amount", ["", "-1", "2,500", "9" * 5000])
def test_an_amount_that_is_none_is_refused(client: FlaskClient, hall: Hall, amount: str) -> None:
    mine = hall.check_in(0)
    form = {"invoice_id": str(bill(hall, 0)), "amount_fen": amount}
    assert client.post(f"{link(mine)}/pay", data=form).status_code == 422
