"""The pages of reconciliation: what they show, to whom, and what a reason does."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from backend.billing import queries
from backend.billing.backoffice import reconciliation
from backend.billing.ports import BillNotPublished
from backend.billing.queries import RunView
from backend.billing.rules import CaseState, RunState
from backend.kernel.clock import FixedClock, at_local
from backend.kernel.ids import new_id
from backend.kernel.permissions import Permission
from backend.organization.service import add_hospital
from backend.web_parts import Parts
from tests.factories.billing import MoneyWorld, paid
from tests.factories.channel_bills import ScriptedBills, line, reconcile
from tests.factories.databases import SYSTEM
from tests.factories.statements import Statements
from tests.factories.webapp import ActorSwitch, make_app, staff_actor

PAGE = "/backoffice/reconciliation"
DAY = dt.date(2026, 11, 23)
AT = at_local(DAY, dt.time(9, 30))
FINANCE = (Permission.BILLING_RECONCILIATION_READ, Permission.BILLING_CASE_CLOSE)


@pytest.fixture
def switch(world: MoneyWorld) -> ActorSwitch:
    switch = ActorSwitch()
    switch.actor = staff_actor(world.hospital_id, *FINANCE)
    return switch


@pytest.fixture
def client(world: MoneyWorld, switch: ActorSwitch, tmp_path: Path) -> FlaskClient:
    parts = Parts(nav=reconciliation.NAV)
    return make_app(
        world.database, tmp_path, switch, reconciliation.blueprint, parts=parts
    ).test_client()


@pytest.fixture
def run(world: MoneyWorld, clock: FixedClock) -> RunView:
    """Two payments of which the bill knows one, and a stranger's."""
    source = ScriptedBills()
    for _ in range(2):
        _id, number = world.start_qr(world.bill("REG-ASSOC"), 2500)
        world.report(paid(number, 2500, AT))
    source.add(DAY, line(number, 2500, AT), line("STRANGER1", 8800, AT))
    clock.set(at_local(DAY + dt.timedelta(days=1), dt.time(10, 5)))
    return reconcile(world, source, DAY)


def test_an_empty_list_says_when_there_will_be_something(client: FlaskClient) -> None:
    page = client.get(PAGE).text
    assert "还没有对账记录" in page
    assert "所有差异都已说明" in page


def test_the_list_and_a_run_show_both_sides(client: FlaskClient, run: RunView) -> None:
    page = client.get(PAGE).text
    for words in ("2 件差异等待处理", "2026-11-23", "微信支付", "¥113.00", "¥50.00"):
        assert words in page
    assert "2 件差异待处理" in client.get(f"{PAGE}?channel=wechat").text
    assert "还没有对账记录" in client.get(f"{PAGE}?channel=alipay").text
    detail = client.get(f"{PAGE}/{run.id}").text
    for words in ("本院有，账单无", "账单有，本院无", "STRANGER1", "¥88.00", "09:30", "¥63.00"):
        assert words in detail


@pytest.mark.parametrize("query", ["channel=gold", "before=yesterday"])
def test_a_broken_filter_is_refused(query: str, client: FlaskClient) -> None:
    assert client.get(f"{PAGE}?{query}").status_code == 422


def test_a_difference_is_closed_once_with_a_reason(
    client: FlaskClient, world: MoneyWorld, run: RunView
) -> None:
    with world.database.read(SYSTEM) as session:
        first, second = queries.list_differences(session, run.id, hospital_id=None)
    url = f"{PAGE}/{run.id}/differences/{first.id}/close"
    assert client.post(url, data={"reason": " "}).status_code == 422
    assert client.post(url, data={"reason": "渠道漏列，次日补入"}).status_code == 303
    assert client.post(url, data={"reason": "再来一次"}).status_code == 409
    page = client.get(f"{PAGE}/{run.id}").text
    assert "渠道漏列，次日补入" in page
    assert "1 件差异待处理" in page
    other = f"{PAGE}/{new_id()}/differences/{second.id}/close"
    assert client.post(other, data={"reason": "错位"}).status_code == 404
    with world.database.read(SYSTEM) as session:
        assert queries.get_case(session, first.case_id).state is CaseState.CLOSED


def test_asking_again_leaves_it_to_the_clock(
    client: FlaskClient, world: MoneyWorld, run: RunView
) -> None:
    assert client.post(f"{PAGE}/{run.id}/again").status_code == 303
    with world.database.read(SYSTEM) as session:
        found = queries.get_run(session, run.id)
        assert [one.id for one in queries.list_due_runs(session, [found.channel])] == [run.id]
    assert found.state is RunState.DUE
    assert client.post(f"{PAGE}/{new_id()}/again").status_code == 404
    assert client.get(f"{PAGE}/{new_id()}").status_code == 404


def test_a_bill_that_is_not_there_says_so(
    client: FlaskClient, world: MoneyWorld, clock: FixedClock
) -> None:
    source = ScriptedBills()
    source.fail_next.append(BillNotPublished("STATEMENT_CREATING"))
    run = reconcile(world, source, DAY)
    assert "渠道还没有出账单" in client.get(PAGE).text
    assert "还没有核对" in client.get(f"{PAGE}/{run.id}").text


def test_others_are_refused_and_another_hospital_sees_only_nobodys(
    client: FlaskClient, world: MoneyWorld, run: RunView, switch: ActorSwitch
) -> None:
    with world.database.read(SYSTEM) as session:
        differences = queries.list_differences(session, run.id, hospital_id=None)
    ours = next(one for one in differences if one.our_fen)
    switch.actor = staff_actor(world.hospital_id, Permission.BILLING_PRICE_READ)
    assert client.get(PAGE).status_code == 403
    assert client.get(f"{PAGE}/{run.id}").status_code == 403
    assert client.post(f"{PAGE}/{run.id}/again").status_code == 403
    switch.actor = staff_actor(world.hospital_id, Permission.BILLING_RECONCILIATION_READ)
    assert 'name="reason"' not in client.get(f"{PAGE}/{run.id}").text
    with world.database.write(SYSTEM) as session:
        other = add_hospital(session, code="H2", name="另一家医院").id
    switch.actor = staff_actor(other, *FINANCE)
    page = client.get(f"{PAGE}/{run.id}").text
    assert "STRANGER1" in page
    assert ours.number not in page
    url = f"{PAGE}/{run.id}/differences/{ours.id}/close"
    assert client.post(url, data={"reason": "不归我管"}).status_code == 404


def test_a_fixed_number_of_statements(client: FlaskClient, world: MoneyWorld, run: RunView) -> None:
    with Statements(world.database) as statements:
        client.get(PAGE)
    assert statements.count == 2
    with Statements(world.database) as statements:
        client.get(f"{PAGE}/{run.id}")
    assert statements.count == 2
