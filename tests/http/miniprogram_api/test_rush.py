"""The opening rush over HTTP: every face of the page, what programs are told, what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from backend.billing import queries as bills
from backend.kernel.clock import FixedClock
from backend.kernel.ids import new_id
from backend.kernel.uow import Database
from backend.scheduling import queries, rules, service
from miniprogram_api import rush
from miniprogram_api.limits import Limiter
from tests.factories.bills import open_bill
from tests.factories.databases import SYSTEM
from tests.factories.rush import OPENS, Morning, make_morning, make_rush_app
from tests.factories.statements import Statements

PROGRAM = {"Accept": "application/json"}
A_SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def morning(sqlite_database: Database, clock: FixedClock) -> Morning:
    clock.set(OPENS - dt.timedelta(minutes=5))
    return make_morning(sqlite_database)


@pytest.fixture
def client(morning: Morning, tmp_path: Path) -> Iterator[FlaskClient]:
    with make_rush_app(morning, tmp_path).test_client() as client:
        yield client


def arrive(client: FlaskClient, path: str) -> dict[str, Any]:
    answer = client.post(f"{path}/arrive", headers=PROGRAM)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def now(client: FlaskClient, path: str) -> dict[str, Any]:
    told: dict[str, Any] = client.get(f"{path}/now").get_json()
    return told


def book(client: FlaskClient, path: str, schedule_id: object = "") -> Any:
    form = {"schedule_id": str(schedule_id)}
    return client.post(f"{path}/book", data=form, headers=PROGRAM)


def test_too_early_the_page_says_when(
    client: FlaskClient, morning: Morning, clock: FixedClock
) -> None:
    clock.set(OPENS - dt.timedelta(minutes=16))
    text = client.get(morning.link(0)).text
    assert "07:00 放号" in text
    assert "从 06:45 起可以排队" in text
    assert "开始排队" not in text
    answer = client.post(f"{morning.link(0)}/arrive", headers=PROGRAM)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "rush_not_open")


def test_one_number_a_person_however_often_they_ask(client: FlaskClient, morning: Morning) -> None:
    assert "开始排队" in client.get(morning.link(1)).text
    assert [arrive(client, morning.link(n))["number"] for n in (1, 0, 1, 1, 2)] == [1, 2, 1, 1, 3]
    told = now(client, morning.link(2))
    assert (told["state"], told["ahead"]) == ("early", 2)
    text = client.get(morning.link(2)).text
    assert "患*2" in text
    assert "患者2" not in text
    assert "07:00 开始" in text


def test_a_whole_morning(client: FlaskClient, morning: Morning, clock: FixedClock) -> None:
    """Eight people, six places: the first six choose in peace, the others are told at once."""
    links = [morning.link(n) for n in range(8)]
    for link in links:
        arrive(client, link)
    clock.set(OPENS)
    states = [now(client, link)["state"] for link in links]
    assert states == ["your_turn"] * 6 + ["waiting"] * 2
    assert now(client, links[7])["doubtful"]
    page = client.get(links[0]).text
    assert "请在 07:03 前选好" in page
    assert page.count("余 3") == 2
    refused = book(client, links[7])
    assert (refused.status_code, refused.get_json()["code"]) == (409, "not_your_turn")
    taken = [book(client, link, morning.schedule_ids[0]).status_code for link in links[:4]]
    assert taken == [200, 200, 200, 409]
    assert [book(client, link).status_code for link in links[3:6]] == [200] * 3
    clock.advance(A_SECOND)
    assert [now(client, link)["state"] for link in links[6:]] == ["sold_out"] * 2
    assert "号已经挂完" in client.get(links[6]).text
    assert "请在 07:15 前付款" in client.get(links[0]).text


def test_another_lines_session_is_not_booked_with_this_turn(
    client: FlaskClient, morning: Morning, clock: FixedClock
) -> None:
    arrive(client, morning.link(0))
    clock.set(OPENS)
    assert now(client, morning.link(0))["state"] == "your_turn"
    assert book(client, morning.link(0), new_id()).status_code == 404
    assert book(client, morning.link(0), "x").status_code == 422
    assert book(client, morning.link(0)).status_code == 200
    assert book(client, morning.link(0)).status_code == 409


def test_a_turn_nobody_used_is_over(
    client: FlaskClient, morning: Morning, clock: FixedClock
) -> None:
    arrive(client, morning.link(0))
    clock.set(OPENS)
    assert now(client, morning.link(0))["state"] == "your_turn"
    clock.advance(rules.TURN)
    assert book(client, morning.link(0)).status_code == 409
    assert now(client, morning.link(0))["state"] == "none"
    assert now(client, morning.link(1))["state"] == "none"
    text = client.get(morning.link(0)).text
    assert "轮到您时没有办理" in text
    assert "重新排队" in text
    assert arrive(client, morning.link(0))["state"] in ("waiting", "your_turn")


def test_leaving_and_coming_back_is_to_stand_behind(client: FlaskClient, morning: Morning) -> None:
    arrive(client, morning.link(0))
    arrive(client, morning.link(1))
    assert client.post(f"{morning.link(0)}/leave").status_code == 303
    assert arrive(client, morning.link(0))["number"] == 3


def test_a_question_costs_no_query(client: FlaskClient, morning: Morning) -> None:
    arrive(client, morning.link(0))
    now(client, morning.link(0))
    with Statements(morning.database) as sent:
        for _ in range(20):
            assert now(client, morning.link(0))["number"] == 1
    assert sent.count == 0


def test_pages_take_a_fixed_number_of_queries(
    client: FlaskClient, morning: Morning, clock: FixedClock
) -> None:
    counts = []
    for more in (1, 2):
        arrive(client, morning.link(more))
        now(client, morning.link(more))
        with Statements(morning.database) as sent:
            client.get(morning.link(more))
        counts.append(sent.count)
    assert counts[0] == counts[1] <= 8


def test_from_the_place_to_its_code(
    client: FlaskClient, morning: Morning, clock: FixedClock
) -> None:
    path = morning.link(0)
    arrive(client, path)
    clock.set(OPENS)
    now(client, path)
    assert client.post(f"{path}/book", data={}).status_code == 303
    page = client.get(path).text
    assert "主任医师挂号费" in page
    assert "¥25.00" in page
    with morning.database.read(SYSTEM) as session:
        (mine,) = queries.list_appointments(session, patient_id=morning.clinic.patient_ids[0])
    form = {"invoice_id": str(mine.invoice_id), "amount_fen": "2500"}
    assert client.post(f"{path}/pay", data=form).status_code == 303
    assert client.post(f"{morning.link(1)}/pay", data=form).status_code == 404
    assert client.post(f"{path}/pay", data={}).status_code == 422
    with morning.database.read(SYSTEM) as session:
        assert mine.invoice_id is not None
        assert len(bills.list_payments(session, mine.invoice_id)) == 1


def test_another_patients_bill_is_not_paid(client: FlaskClient, morning: Morning) -> None:
    clinic = morning.clinic
    theirs = open_bill(morning.database, clinic.hospital_id, clinic.patient_ids[1])
    form = {"invoice_id": str(theirs), "amount_fen": "2500"}
    assert client.post(f"{morning.link(0)}/pay", data=form).status_code == 404


@pytest.mark.parametrize("path", ["", "/now"])
def test_forged_and_ended_links_open_nothing(
    client: FlaskClient, morning: Morning, clock: FixedClock, path: str
) -> None:
    assert client.get(morning.link(0, "another-secret") + path).status_code == 404
    assert client.get("/r/x" + path).status_code == 404
    clock.set(OPENS + dt.timedelta(days=15))
    assert client.get(morning.link(0) + path).status_code == 410


@pytest.mark.parametrize("act", ["arrive", "book", "leave", "pay"])
def test_a_forged_link_does_nothing(client: FlaskClient, morning: Morning, act: str) -> None:
    assert client.post(f"{morning.link(0, 'another-secret')}/{act}").status_code == 404


def test_hammering_is_refused_and_costs_nobody_their_number(
    client: FlaskClient, morning: Morning, monkeypatch: pytest.MonkeyPatch, clock: FixedClock
) -> None:
    monkeypatch.setattr(rush, "_uses", Limiter(3))
    path = morning.link(0)
    answers = [client.post(f"{path}/arrive", headers=PROGRAM).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert arrive(client, morning.link(1))["number"] == 2
    clock.advance(dt.timedelta(minutes=1))
    assert now(client, path)["number"] == 1


def test_from_sold_out_to_the_waiting_list_and_its_offer(
    client: FlaskClient, morning: Morning, clock: FixedClock
) -> None:
    links = [morning.link(n) for n in range(8)]
    for link in links:
        arrive(client, link)
    clock.set(OPENS)
    now(client, links[0])
    for link in links[:6]:
        assert book(client, link).status_code == 200
    clock.advance(A_SECOND)
    assert now(client, links[6])["state"] == "sold_out"
    assert "加入候补" in client.get(links[6]).text
    assert client.post(f"{links[6]}/wait").status_code == 303
    assert "您在候补 2 位医生的号" in client.get(links[6]).text
    assert client.post(f"{links[6]}/wait").status_code == 303  # a double tap
    assert "您在候补 2 位医生的号" in client.get(links[6]).text
    assert client.post(f"{links[7]}/wait").status_code == 303
    assert client.post(f"{links[7]}/unwait").status_code == 303
    assert "加入候补" in client.get(links[7]).text
    with morning.database.write(SYSTEM) as session:
        (mine,) = queries.list_appointments(session, patient_id=morning.clinic.patient_ids[0])
        service.release_hold(session, mine.id)
    text = client.get(links[6]).text
    assert "待支付" in text
    assert "请在 07:30 前付款" in text
