"""The price list page: whole and as a fragment, searched, continued, refused, and cheap."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from backend.billing import service
from backend.billing.backoffice import prices
from backend.billing.rules import PriceCategory
from backend.kernel.uow import today
from backend.organization.service import add_hospital
from tests.factories.billing import MoneyWorld
from tests.factories.databases import SYSTEM
from tests.factories.webapp import ActorSwitch, staff_actor

HTMX = {"HX-Request": "true"}


def test_the_page_shows_todays_prices(client: FlaskClient) -> None:
    answer = client.get("/backoffice/prices")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "<html" in page
    assert "胸部CT平扫" in page
    assert "¥180.00" in page
    assert "共 5 项" in page
    assert "放射影像（1）" in page


def test_searching_answers_htmx_with_the_list_alone(client: FlaskClient) -> None:
    answer = client.get("/backoffice/prices?q=xcg", headers=HTMX)
    fragment = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "<html" not in fragment
    assert "血常规" in fragment
    assert "胸部CT平扫" not in fragment


def test_one_category(client: FlaskClient) -> None:
    fragment = client.get("/backoffice/prices?category=drug", headers=HTMX).get_data(as_text=True)
    assert "昂丹司琼片" in fragment
    assert "血常规" not in fragment
    assert client.get("/backoffice/prices?category=nonsense").status_code == 422


def test_nothing_found_says_what_to_do(client: FlaskClient) -> None:
    page = client.get("/backoffice/prices?q=%25%25").get_data(as_text=True)
    assert "没有找到符合条件的项目" in page


def test_long_lists_continue(
    client: FlaskClient, world: MoneyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices.listing, "PAGE", 2)
    first = client.get("/backoffice/prices").get_data(as_text=True)
    assert "after=DRUG-1" in first
    rows = client.get("/backoffice/prices?after=DRUG-1", headers=HTMX).get_data(as_text=True)
    assert "<table" not in rows
    assert "LAB-CBC" in rows
    assert "CT-CHEST" not in rows


def test_only_those_who_may_see_prices_of_their_hospital(
    client: FlaskClient, switch: ActorSwitch, world: MoneyWorld
) -> None:
    with world.database.write(SYSTEM) as session:
        other_id = add_hospital(session, code="H2", name="别的医院").id
        service.set_price(
            session,
            hospital_id=other_id,
            code="OTHER",
            name="别家的项目",
            unit="次",
            category=PriceCategory.OTHER,
            price_fen=1,
            effective_from=today(session),
        )
    assert "别家的项目" not in client.get("/backoffice/prices").get_data(as_text=True)
    switch.actor = staff_actor(world.hospital_id)
    assert client.get("/backoffice/prices").status_code == 403
    switch.actor = None
    assert client.get("/backoffice/prices").status_code == 401


def test_the_page_takes_two_statements_beside_who_asks(
    client: FlaskClient, world: MoneyWorld
) -> None:
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    client.get("/backoffice/prices?q=ct")
    event.remove(world.database.engine, "before_cursor_execute", note)
    assert len(statements) == 2
