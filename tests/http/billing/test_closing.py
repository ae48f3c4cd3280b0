"""The pages of shifts and days: what is shown, counted, refused, and to whom."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.billing import queries, service
from backend.billing.backoffice import days, shifts
from backend.kernel.clock import FixedClock, at_local
from backend.kernel.ids import Id, new_id
from backend.kernel.permissions import Actor, Permission
from backend.organization.service import add_hospital
from backend.web_parts import Parts
from tests.factories.billing import MoneyWorld
from tests.factories.databases import SYSTEM
from tests.factories.statements import Statements
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

SHIFT, DAYS = "/backoffice/shift", "/backoffice/day-close"
DAY = dt.date(2026, 11, 23)
NEXT = DAY + dt.timedelta(days=1)


def cashier(hospital_id: Id, number: int = 9) -> Actor:
    return staff_actor(hospital_id, Permission.BILLING_SHIFT_CLOSE, account_id=Id(int=number))


@pytest.fixture
def switch(world: MoneyWorld) -> ActorSwitch:
    switch = ActorSwitch()
    switch.actor = cashier(world.hospital_id)
    return switch


@pytest.fixture
def client(world: MoneyWorld, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    parts = Parts(nav=shifts.NAV + days.NAV)
    app = make_app(world.database, tmp_path, switch, shifts.blueprint, days.blueprint, parts=parts)
    return app.test_client()


@pytest.fixture
def taken(world: MoneyWorld) -> Id:
    """25 yuan in cash."""
    invoice_id = world.bill("REG-ASSOC")
    with world.database.write(cashier(world.hospital_id)) as session:
        return service.pay_cash(session, invoice_id=invoice_id, received_fen=10000).id


def count(**fields: str) -> dict[str, str]:
    return {"pieces-2000": "1", "pieces-500": "1", "handed_to": "鄢丽丽", "seen": "1", **fields}


def finance(world: MoneyWorld, switch: ActorSwitch) -> None:
    switch.actor = staff_actor(
        world.hospital_id, Permission.BILLING_DAY_CLOSE, account_id=Id(int=11)
    )


def test_nothing_in_hand(client: FlaskClient) -> None:
    page = client.get(SHIFT).text
    assert "本班还没有收退款" in page
    assert "还没有班结过" in page
    assert client.post(f"{SHIFT}/close", data=count(seen="0")).status_code == 409


def test_a_shift_is_counted_closed_and_printed(
    client: FlaskClient, world: MoneyWorld, taken: Id
) -> None:
    page = client.get(SHIFT).text
    for words in ("现金", "收费", "¥25.00", 'data-cash="2500"', "100 元", "1 角"):
        assert words in page
    answer = client.post(f"{SHIFT}/close", data=count())
    assert answer.status_code == 303
    report = client.get(answer.location).text
    for words in ("收费员交款单", "鄢丽丽", "20 元", "¥25.00", "2026-11-23 08:30", "签字"):
        assert words in report
    page = client.get(SHIFT).text
    assert "本班还没有收退款" in page
    assert answer.location.rpartition("/")[2] in page


def test_the_float_stays_in_the_drawer(client: FlaskClient, taken: Id) -> None:
    answer = client.post(f"{SHIFT}/close", data=count(**{"pieces-10000": "5", "float": "500"}))
    assert answer.status_code == 303
    report = client.get(answer.location).text
    for words in ("备用金", "-¥500.00", "¥525.00", "¥25.00"):
        assert words in report
    assert "相符" in client.get(SHIFT).text


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"float": "五百"}, 422, "金额写法有误"),
        ({"pieces-500": ""}, 422, "实点与应有相差 -¥5.00"),
        ({"pieces-500": "x"}, 422, "张数有误"),
        ({"pieces-500": "99999"}, 422, "张数有误"),
        ({"handed_to": " "}, 422, "请写明交给谁"),
        ({"seen": "2"}, 409, "数字已经变化"),
    ],
)
def test_what_is_wrong_closes_nothing(
    fields: dict[str, str], status: int, words: str, client: FlaskClient, taken: Id
) -> None:
    answer = client.post(f"{SHIFT}/close", data=count(**fields), headers={"HX-Request": "true"})
    assert (answer.status_code, words in answer.text) == (status, True)
    assert "¥25.00" in client.get(SHIFT).text


def test_another_cashiers_report_is_not_found(
    client: FlaskClient, world: MoneyWorld, taken: Id, switch: ActorSwitch
) -> None:
    url = client.post(f"{SHIFT}/close", data=count()).location
    switch.actor = cashier(world.hospital_id, 10)
    assert client.get(url).status_code == 404
    assert client.get(f"{SHIFT}/{new_id()}").status_code == 404
    switch.actor = staff_actor(world.hospital_id, Permission.BILLING_PRICE_READ)
    assert client.get(SHIFT).status_code == 403
    assert client.get(DAYS).status_code == 403
    assert client.post(f"{DAYS}/{DAY}/close").status_code == 403
    finance(world, switch)
    assert client.get(f"{DAYS}/shifts/{url.rpartition('/')[2]}").status_code == 200
    with world.database.write(SYSTEM) as session:
        other = add_hospital(session, code="H2", name="另一家医院").id
    switch.actor = staff_actor(other, Permission.BILLING_DAY_CLOSE)
    assert client.get(f"{DAYS}/shifts/{url.rpartition('/')[2]}").status_code == 404
    assert "这一天没有收退款" in client.get(f"{DAYS}/{DAY}").text


def test_a_day_is_closed_once_it_is_over(
    client: FlaskClient, world: MoneyWorld, taken: Id, switch: ActorSwitch, clock: FixedClock
) -> None:
    finance(world, switch)
    page = client.get(f"{DAYS}/{DAY}").text
    assert "次日 0:10 以后可以日结" in page
    assert client.post(f"{DAYS}/{DAY}/close").status_code == 409
    clock.set(at_local(NEXT, dt.time(8)))
    assert "1 天有收退款还没有日结" in client.get(DAYS).text
    page = client.get(f"{DAYS}/{DAY}").text
    for words in ("还没有班结的收费员", "T001", "¥25.00", "窗口"):
        assert words in page
    refused = client.post(f"{DAYS}/{DAY}/close", headers={"HX-Request": "true"})
    assert (refused.status_code, "还有 1 位收费员没有班结" in refused.text) == (422, True)
    assert client.post(f"{DAYS}/{DAY}/close", data={"note": "夜班未交"}).status_code == 303
    page = client.get(f"{DAYS}/{DAY}").text
    for words in ("已日结", "夜班未交", "数字不再变化", "2026-11-24 08:00"):
        assert words in page
    assert client.post(f"{DAYS}/{DAY}/close", data={"note": "再来"}).status_code == 409
    assert "过去一个月都已日结" in client.get(DAYS).text
    assert client.get(f"{DAYS}/2026-13-01").status_code == 404


def test_a_fixed_number_of_statements(
    client: FlaskClient, world: MoneyWorld, taken: Id, switch: ActorSwitch
) -> None:
    with Statements(world.database) as statements:
        client.get(SHIFT)
    assert statements.count <= 4
    finance(world, switch)
    for url, most in ((DAYS, 2), (f"{DAYS}/{DAY}", 6)):
        with Statements(world.database) as statements:
            client.get(url)
        assert statements.count <= most
    with world.database.read(SYSTEM) as session:
        assert queries.get_day(session, world.hospital_id, DAY).net_fen == 2500
