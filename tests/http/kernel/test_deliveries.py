"""The page of dead deliveries, its mark on the start page and in the metrics; the dead never make us unready."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from backend.journeys import today
from backend.kernel import dead_deliveries
from backend.kernel.dispatcher import Dispatcher
from backend.kernel.outbox import DeliveryState, OutboxDelivery, OutboxEvent
from backend.kernel.permissions import Permission
from backend.kernel.uow import Database, now
from backend.kernel.web import deliveries
from tests.factories.clinic import make_clinic
from tests.factories.databases import SYSTEM
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

PAGE = "/backoffice/deliveries"
BROKEN = "billing.payment_succeeded>settlement"


def bury(database: Database, subscriber: str = BROKEN, days: int = 3) -> int:
    with database.write(SYSTEM, housekeeping=True) as session:
        event = OutboxEvent(
            name=subscriber.partition(">")[0],
            version=1,
            payload={"words": "secret-payload"},
            occurred_at=now(session) - dt.timedelta(days=days),
            request_id="",
        )
        session.add(event)
        session.flush()
        row = OutboxDelivery(
            event_id=event.id,
            subscriber=subscriber,
            state=DeliveryState.DEAD,
            due_at=now(session),
            attempts=10,
            last_error="PriceUnknown",
        )
        session.add(row)
        session.flush()
        return row.id


@pytest.fixture
def switch(sqlite_database: Database) -> ActorSwitch:
    made = ActorSwitch()
    hospital_id = make_clinic(sqlite_database).hospital_id
    made.actor = staff_actor(hospital_id, Permission.KERNEL_DELIVERY_MANAGE)
    return made


@pytest.fixture
def client(sqlite_database: Database, tmp_path: Path, switch: ActorSwitch) -> FlaskClient:
    return make_app(sqlite_database, tmp_path, switch, deliveries.blueprint).test_client()


def test_nothing_dead_says_so(client: FlaskClient) -> None:
    assert "没有未送达的通知" in client.get(PAGE).text


def test_groups_show_count_age_and_error_and_lead_to_their_rows(
    client: FlaskClient, sqlite_database: Database
) -> None:
    number = bury(sqlite_database)
    bury(sqlite_database, days=5)
    page = client.get(PAGE).text
    assert "billing.payment_succeeded" in page
    assert "5 天前" in page
    assert "PriceUnknown" in page
    assert "程序里已没有这个接收方" in page
    assert "全部重投" not in page
    rows = client.get(PAGE, query_string={"subscriber": BROKEN}).text
    assert f'action="{PAGE}/{number}/discard"' in rows
    assert "secret-payload" not in page + rows


def test_a_row_is_retried_discarded_and_restored(
    client: FlaskClient, sqlite_database: Database
) -> None:
    number = bury(sqlite_database)
    answer = client.post(f"{PAGE}/{number}/discard", data={"reason": ""})
    assert answer.status_code == 422
    data = {"reason": "已人工补录", "subscriber": BROKEN}
    answer = client.post(f"{PAGE}/{number}/discard", data=data)
    assert (answer.status_code, answer.location) == (
        303,
        f"{PAGE}?subscriber=billing.payment_succeeded%3Esettlement",
    )
    page = client.get(PAGE).text
    assert "已人工补录" in page
    assert client.post(f"{PAGE}/{number}/discard", data=data).status_code == 409
    assert client.post(f"{PAGE}/{number}/restore").status_code == 303
    assert client.post(f"{PAGE}/{number}/retry").status_code == 303
    again = client.post(f"{PAGE}/{number}/retry")
    assert again.status_code == 409
    assert "已经被处理过了" in again.text
    assert client.post(f"{PAGE}/retry-all", data={"subscriber": BROKEN}).status_code == 409


def test_only_those_who_may(
    client: FlaskClient, switch: ActorSwitch, sqlite_database: Database
) -> None:
    number = bury(sqlite_database)
    hospital_id = switch.actor.hospital_id if switch.actor else None
    assert hospital_id is not None
    switch.actor = staff_actor(hospital_id, Permission.IDENTITY_SESSION_OWN)
    assert client.get(PAGE).status_code == 403
    for act in (f"{number}/retry", f"{number}/discard", f"{number}/restore", "retry-all"):
        assert client.post(f"{PAGE}/{act}", data={"reason": "x"}).status_code == 403
    switch.actor = None
    assert client.get(PAGE).status_code == 401


def test_the_metrics_alarm_and_readiness_does_not(
    client: FlaskClient, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    Dispatcher(sqlite_database).beat()
    assert "xinglin_dead_deliveries 0.0" in client.get("/metrics").text
    bury(sqlite_database)
    bury(sqlite_database)
    text = client.get("/metrics").text
    assert "xinglin_dead_deliveries 2.0" in text
    assert f'xinglin_dead_deliveries_by_subscriber{{subscriber="{BROKEN}"}} 2.0' in text
    assert client.get("/readyz").status_code == 200

    def away(_session: object) -> dict[str, int]:
        raise OperationalError("", {}, Exception("away"))

    monkeypatch.setattr(dead_deliveries, "count_by_subscriber", away)
    text = client.get("/metrics").text
    assert "xinglin_dead_deliveries NaN" in text
    assert "xinglin_dead_deliveries_by_subscriber{" not in text


def test_the_start_page_marks_them_for_those_who_may_act(
    sqlite_database: Database, switch: ActorSwitch
) -> None:
    actor = switch.actor
    assert actor is not None
    assert actor.hospital_id is not None
    with sqlite_database.read() as session:
        assert today.dead_deliveries(session, actor) is None
    bury(sqlite_database)
    with sqlite_database.read() as session:
        fact = today.dead_deliveries(session, actor)
        nobody = today.dead_deliveries(session, staff_actor(actor.hospital_id))
    assert fact is not None
    assert (fact.figure, fact.tone, fact.endpoint) == ("1", "bad", "deliveries.dead_list")
    assert nobody is None
