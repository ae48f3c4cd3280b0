"""The editors of the price list over HTTP: forms, stale forms, undo, imports with their preview, refusals."""

from __future__ import annotations

import io
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from backend.billing.models import PriceItem
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission
from backend.organization.service import add_hospital
from tests.factories.billing import MoneyWorld
from tests.factories.databases import SYSTEM
from tests.factories.webapp import ActorSwitch, staff_actor

PAGE = "/backoffice/prices"
HEAD = "编码,名称,单位,类别,单价,生效日期\n"
LATER = "2026-12-01"


@pytest.fixture(autouse=True)
def _clerk(switch: ActorSwitch, world: MoneyWorld) -> None:
    switch.actor = staff_actor(
        world.hospital_id, Permission.BILLING_PRICE_READ, Permission.BILLING_PRICE_WRITE
    )


@pytest.fixture
def ct(world: MoneyWorld) -> str:
    """The address of an item."""
    with world.database.read(SYSTEM) as session:
        found: Id = session.scalars(select(PriceItem.id).where(PriceItem.code == "CT-CHEST")).one()
    return f"{PAGE}/{found}"


def version(client: FlaskClient, address: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', client.get(address).text)
    assert found is not None
    return found[1]


def plan(client: FlaskClient, address: str, price: str, day: str = LATER) -> TestResponse:
    return client.post(
        f"{address}/prices",
        data={"version": version(client, address), "price": price, "effective_from": day},
    )


def test_the_list_leads_to_the_editors_for_those_who_may(
    client: FlaskClient, ct: str, switch: ActorSwitch, world: MoneyWorld
) -> None:
    plan(client, ct, "200")
    page = client.get(PAGE).text
    assert f'href="{ct}"' in page
    assert "新增项目" in page
    assert "¥200.00" in page
    switch.actor = staff_actor(world.hospital_id, Permission.BILLING_PRICE_READ)
    page = client.get(PAGE).text
    assert "新增项目" not in page
    assert ct not in page


def test_a_new_item_or_what_is_wrong_with_each_field(client: FlaskClient) -> None:
    form = {
        "code": "mr-1", "name": "头颅MR平扫", "unit": "次", "category": "imaging",
        "price": "5x", "effective_from": LATER,
    }  # fmt: skip
    wrong = client.post(PAGE, data=form)
    assert wrong.status_code == 422
    assert "金额写法有误" in wrong.text
    assert 'value="头颅MR平扫"' in wrong.text
    answer = client.post(PAGE, data={**form, "price": "500"})
    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert "MR-1" in page
    assert "尚未生效" in page
    assert client.post(PAGE, data={**form, "price": "500"}).status_code == 409


def test_money_paid_ahead_is_no_category_of_a_price(client: FlaskClient, ct: str) -> None:
    for page in (f"{PAGE}/new", ct):
        assert 'value="deposit"' not in client.get(page).text
    form = {"code": "PRE-1", "name": "预交金", "unit": "次", "category": "deposit"}
    made = client.post(PAGE, data={**form, "price": "500", "effective_from": LATER})
    assert made.status_code == 422
    assert "这个类别不能用于价目" in made.text
    edited = client.post(f"{ct}/words", data={**form, "version": version(client, ct)})
    assert edited.status_code == 422
    for category in ("deposit", "预交金"):
        text = HEAD + f"PRE-1,预交金,次,{category},500,{LATER}\n"
        shown = client.post(f"{PAGE}/import/preview", data={"text": text})
        assert shown.status_code == 422
        assert f"没有“{category}”这个类别" in shown.text


def test_a_price_is_planned_cancelled_and_the_cancelling_undone(
    client: FlaskClient, ct: str
) -> None:
    assert plan(client, ct, "200", "2026-11-23").status_code == 422
    assert plan(client, ct, "180").status_code == 422
    assert plan(client, ct, "200").status_code == 303
    page = client.get(ct).text
    cancel = re.search(rf'action="({ct}/prices/[^"]+/cancel)"', page)
    assert cancel is not None
    stale = client.post(cancel[1], data={"version": "1"})
    assert (stale.status_code, "别人已经修改过" in stale.text) == (409, True)
    assert client.post(cancel[1], data={"version": version(client, ct)}).status_code == 303
    page = client.get(ct).text
    assert "已取消这次调价" in page
    undo = re.search(rf'action="({ct}/prices/20000/{LATER}/again)"', page)
    assert undo is not None
    assert client.post(undo[1]).status_code == 303
    page = client.get(ct).text
    assert page.count("待生效") == 1
    for act in ("登记调价", "取消未生效的调价"):
        assert act in page  # the history names each


def test_a_stale_form_shows_what_the_other_changed_keeps_what_was_typed_and_then_saves(
    client: FlaskClient, ct: str
) -> None:
    opened = version(client, ct)
    form = {"version": opened, "name": "胸部CT（旧表单）", "unit": "次", "category": "imaging"}
    other = {"version": opened, "name": "胸部CT（别人）", "unit": "次", "category": "ultrasound"}
    assert client.post(f"{ct}/words", data=other).status_code == 303
    stale = client.post(f"{ct}/words", data=form)
    assert stale.status_code == 409
    assert "您打开这页以后，别人已经修改过" in stale.text
    assert "胸部CT（别人）" in stale.text
    assert 'value="胸部CT（旧表单）"' in stale.text
    assert (
        client.post(f"{ct}/words", data={**form, "version": version(client, ct)}).status_code == 303
    )
    assert "胸部CT（旧表单）" in client.get(ct).text


def test_an_item_is_switched_off_and_on_by_undo(client: FlaskClient, ct: str) -> None:
    assert client.post(f"{ct}/close", data={"version": "99"}).status_code == 409
    assert client.post(f"{ct}/close", data={"version": version(client, ct)}).status_code == 303
    page = client.get(ct).text
    assert "已停用" in page
    undo = re.search(rf'action="({ct}/open\?version=\d+)"', page)
    assert undo is not None
    assert "CT-CHEST" not in client.get(PAGE).text
    assert "CT-CHEST" in client.get(f"{PAGE}?state=inactive").text
    client.post(undo[1])
    assert "CT-CHEST" in client.get(PAGE).text
    assert client.get(f"{PAGE}?state=nonsense").status_code == 422


def preview(client: FlaskClient, text: str) -> TestResponse:
    file = (io.BytesIO(text.encode("gb18030")), "prices.csv")
    return client.post(f"{PAGE}/import/preview", data={"file": file})


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_an_import_is_shown_first_and_then_carried_out(client: FlaskClient, ct: str) -> None:
    text = HEAD + f"CT-CHEST,胸部CT平扫,次,放射影像,210,{LATER}\nNEW-1,心脏CT,次,放射影像,900,\n"
    page = preview(client, text)
    assert page.status_code == 200
    assert "调价 1" in page.text
    assert "新增 1" in page.text
    assert "¥180.00" in page.text
    assert "待生效" not in client.get(ct).text
    form = {
        "text": text,
        "digest": hidden(page.text, "digest"),
        "effective_from": hidden(page.text, "effective_from"),
    }
    answer = client.post(f"{PAGE}/import", data=form)
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "待生效" in client.get(ct).text


def test_wrong_rows_are_named_and_cannot_be_confirmed(client: FlaskClient) -> None:
    text = HEAD + "CT-CHEST,胸部CT平扫,次,放射影像,二百,\nNEW-1,心脏CT,次,放射影像,900,\n"
    page = preview(client, text)
    assert page.status_code == 422
    assert "1 行有错误" in page.text
    assert "确认导入" not in page.text
    forced = client.post(f"{PAGE}/import", data={"text": text, "digest": "x"})
    assert forced.status_code == 422
    assert "NEW-1" not in client.get(f"{PAGE}?state=changing").text


def test_a_list_that_changed_since_the_preview_is_shown_again(client: FlaskClient, ct: str) -> None:
    text = HEAD + f"CT-CHEST,胸部CT平扫,次,放射影像,210,{LATER}\n"
    page = preview(client, text)
    plan(client, ct, "190", "2026-11-25")
    form = {"text": text, "digest": hidden(page.text, "digest")}
    answer = client.post(f"{PAGE}/import", data=form)
    assert answer.status_code == 409
    assert "预览之后价目表有了变化" in answer.text
    assert "¥190.00" in answer.text


def test_an_empty_form_and_an_unreadable_file_say_what_to_do(client: FlaskClient) -> None:
    assert "请选择文件" in client.post(f"{PAGE}/import/preview").text
    file = (io.BytesIO(b"\xff\xfe\x00\x81"), "prices.csv")
    answer = client.post(f"{PAGE}/import/preview", data={"file": file})
    assert answer.status_code == 422
    big = (io.BytesIO(b"a" * 400_001), "prices.csv")
    assert "文件太大" in client.post(f"{PAGE}/import/preview", data={"file": big}).text


def test_only_those_who_may_and_only_their_own(
    client: FlaskClient, ct: str, switch: ActorSwitch, world: MoneyWorld
) -> None:
    commands = (f"{ct}/words", f"{ct}/prices", f"{ct}/close", f"{ct}/open", f"{PAGE}/import", PAGE)
    switch.actor = staff_actor(world.hospital_id, Permission.BILLING_PRICE_READ)
    assert client.get(ct).status_code == 403
    assert all(client.post(address).status_code == 403 for address in commands)
    with world.database.write(SYSTEM) as session:
        other = add_hospital(session, code="H2", name="别的医院").id
    switch.actor = staff_actor(other, Permission.BILLING_PRICE_WRITE)
    assert client.get(ct).status_code == 404
    assert client.post(f"{ct}/close").status_code == 404
