"""Money at the counter by HTTP: parts, prepaid account, refunds by line, cash that waits."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import AccountState, InvoiceState
from backend.billing.verify import verify_ledger
from backend.billing.views import InvoiceView
from backend.identity.rules import ROLE_PERMISSIONS, Role
from backend.kernel.ids import Id, new_id
from tests.factories.bills import open_bill
from tests.factories.databases import SYSTEM
from tests.factories.front_desk import VisitWorld
from tests.factories.webapp import ActorSwitch, staff_actor

DESK = "/backoffice/front-desk"
HTMX = {"HX-Request": "true"}


def hand(world: VisitWorld, patient_id: Id | None = None) -> str:
    return f"{DESK}/patients/{patient_id or world.patient_id}"


@pytest.fixture
def bill(world: VisitWorld) -> Id:
    """A blood count at ¥25 that has to be paid."""
    return open_bill(world.database, world.clinic.hospital_id, world.patient_id)


def bill_of(world: VisitWorld, invoice_id: Id) -> InvoiceView:
    with world.database.read(SYSTEM) as session:
        assert verify_ledger(session).problems == []
        return bills.get_invoice(session, invoice_id)


def post(client: FlaskClient, url: str, **form: str) -> tuple[int, str]:
    answer = client.post(url, data={"_key": new_id().hex, **form}, headers=HTMX)
    return answer.status_code, answer.text


def top_up(client: FlaskClient, world: VisitWorld, yuan: str) -> None:
    client.post(f"{hand(world)}/account")
    client.post(f"{hand(world)}/account/top-up", data={"amount": yuan, "_key": new_id().hex})
    with world.database.read(SYSTEM) as session:
        (made,) = [b for b in bills.list_open_invoices(session, world.patient_id) if b.is_top_up]
    assert post(client, f"{hand(world)}/invoices/{made.id}/cash", received=yuan)[0] == 200


def test_cash_for_a_part_and_a_code_for_the_rest(
    client: FlaskClient, world: VisitWorld, bill: Id
) -> None:
    url = f"{hand(world)}/invoices/{bill}"
    status, text = post(client, f"{url}/cash", received="20", part="10")
    assert status == 200
    assert "已收 ¥20.00，找零 ¥10.00" in text
    assert "还需支付" in text
    assert re.search(r"已付 · 现金</span><span class=\"money\">¥10\.00", text)
    assert 'data-due-fen="1500"' in text
    status, text = post(client, f"{url}/qr", amount_fen="1500", part="20")
    assert (status, "应付金额已经变化" in text) == (409, True)
    assert post(client, f"{url}/qr", amount_fen="1500")[0] == 200
    with world.database.read(SYSTEM) as session:
        open_one = bills.find_open_payments(session, [bill])[bill]
    assert open_one.amount_fen == 1500
    world.report_paid(open_one.out_trade_no or "", 1500)
    assert bill_of(world, bill).state is InvoiceState.PAID
    receipt = client.get(f"{url}/print").text
    assert "现金 ¥10.00" in receipt
    assert "微信支付 ¥15.00" in receipt
    assert re.findall(r"收据号</span><span>(\w+)", receipt) == ["S202600000001", "S202600000002"]
    assert "其中已退" not in receipt


def test_a_payer_who_does_not_go_on_has_the_cash_back(
    client: FlaskClient, world: VisitWorld, bill: Id
) -> None:
    url = f"{hand(world)}/invoices/{bill}"
    post(client, f"{url}/cash", received="10", part="10")
    status, text = post(client, f"{url}/parts-back")
    assert status == 200
    assert "待领现金" in text
    assert bill_of(world, bill).due_fen == 2500
    with world.database.read(SYSTEM) as session:
        (waiting,) = bills.list_cash_to_hand_over(session, world.patient_id)
    status, text = post(client, f"{hand(world)}/refunds/{waiting.id}/hand-over")
    assert (status, "已退现金 ¥10.00" in text, "待领现金" in text) == (200, True, False)
    assert post(client, f"{hand(world)}/refunds/{waiting.id}/hand-over")[0] == 409
    assert post(client, f"{url}/parts-back")[0] == 409
    bill_of(world, bill)


def test_lines_are_refunded_to_where_they_came_from(
    client: FlaskClient, world: VisitWorld, bill: Id
) -> None:
    url = f"{hand(world)}/invoices/{bill}"
    post(client, f"{url}/cash", received="25")
    page = client.get(f"{url}/refund").text
    assert "血常规" in page
    assert "可退 ¥25.00" in page
    charge = bill_of(world, bill).lines[0].charge_id
    assert post(client, f"{url}/refund", reason="误开")[0] == 422
    assert post(client, f"{url}/refund", reason=" ", **{f"fen-{charge}": "5"})[0] == 422
    assert post(client, f"{url}/refund", reason="误开", **{f"fen-{charge}": "25.01"})[0] == 409
    assert post(client, f"{url}/refund", reason="误开", **{f"fen-{charge}": "5"})[0] == 204
    assert "退费已办：现金 ¥5.00" in client.get(hand(world)).text
    assert "其中已退</span><span>¥5.00" in client.get(f"{url}/print").text
    assert post(client, f"{url}/refund", reason="误开", all="1")[0] == 204
    assert "现金 ¥20.00" in client.get(hand(world)).text
    assert bill_of(world, bill).state is InvoiceState.REFUNDED
    assert "误开" in client.get(f"{url}/refund").text


def test_what_was_done_is_not_refunded(
    client: FlaskClient, world: VisitWorld, bill: Id, switch: ActorSwitch
) -> None:
    url = f"{hand(world)}/invoices/{bill}"
    post(client, f"{url}/cash", received="25")
    line = bill_of(world, bill).lines[0]
    with world.database.write(SYSTEM) as session:
        billing.mark_executed(session, source_kind="order", source_id=line.source_id)
    page = client.get(f"{url}/refund").text
    assert "已执行" in page
    status, text = post(client, f"{url}/refund", reason="误开", all="1")
    assert (status, "撤销执行" in text) == (409, True)
    reverse = f"{url}/charges/{line.charge_id}/reverse"
    assert client.post(reverse, data={"reason": "退药"}).status_code == 403
    cashier = switch.actor
    switch.actor = staff_actor(world.clinic.hospital_id, *ROLE_PERMISSIONS[Role.DOCTOR])
    executed = re.search(r'hx-get="([^"]+/executed)"', client.get(hand(world)).text)
    assert executed is not None
    assert reverse in client.get(executed[1]).text
    assert post(client, reverse, reason=" ")[0] == 422
    status, text = post(client, reverse, reason="退药")
    assert (status, "已撤销执行" in text) == (200, True)
    assert reverse not in client.get(executed[1]).text
    assert post(client, reverse, reason="退药")[0] == 409
    switch.actor = cashier
    assert post(client, f"{url}/refund", reason="退药", all="1")[0] == 204


def test_a_visit_is_cancelled_and_not_refunded_by_its_line(
    client: FlaskClient, world: VisitWorld
) -> None:
    visit = world.book()
    url = f"{hand(world)}/invoices/{visit.invoice.id}"
    post(client, f"{url}/cash", received="25")
    status, text = post(client, f"{url}/refund", reason="误开", all="1")
    assert (status, "退号" in text) == (409, True)


def test_a_form_sent_twice_takes_the_balance_once(
    client: FlaskClient, world: VisitWorld, bill: Id
) -> None:
    """The second sending finds another balance and another due: it is the same form all the same."""
    top_up(client, world, "10")
    url = f"{hand(world)}/invoices/{bill}/prepaid"
    for _ in range(2):
        status, text = post(client, url, _key="one form")
        assert (status, "已从预交金支付 ¥10.00" in text) == (200, True)
    assert bill_of(world, bill).paid_fen == 1000


def test_the_account_from_opening_to_closing(
    client: FlaskClient, world: VisitWorld, bill: Id
) -> None:
    account = f"{hand(world)}/account"
    assert "还没有预交金账户" in client.get(account).text
    top_up(client, world, "40")
    page = client.get(account).text
    assert "¥40.00" in page
    assert "充值" in page
    status, text = post(client, f"{hand(world)}/invoices/{bill}/prepaid", part="5")
    assert (status, "已从预交金支付 ¥5.00" in text) == (200, True)
    status, text = post(client, f"{hand(world)}/invoices/{bill}/prepaid")
    assert (status, "已从预交金支付 ¥20.00" in text) == (200, True)
    assert bill_of(world, bill).state is InvoiceState.PAID
    assert client.post(f"{account}/close").status_code == 409
    assert client.post(f"{account}/freeze", data={"reason": " "}).status_code == 422
    assert client.post(f"{account}/freeze", data={"reason": "卡丢失"}).status_code == 303
    assert "已冻结" in client.get(account).text
    form = {"amount": "", "reason": "不再使用", "_key": "w1"}
    assert client.post(f"{account}/withdraw", data=form).status_code == 409
    assert client.post(f"{account}/unfreeze", data={"reason": "找到了"}).status_code == 303
    for _again in range(2):
        assert client.post(f"{account}/withdraw", data=form).status_code == 303
    with world.database.read(SYSTEM) as session:
        found = bills.find_account(session, world.patient_id, hospital_id=world.clinic.hospital_id)
    assert found is not None
    assert found.balance_fen == 0
    assert client.post(f"{account}/close").status_code == 303
    page = client.get(account).text
    assert "已关闭" in page
    assert "退回余额" in page


def test_a_balance_too_low_says_so(client: FlaskClient, world: VisitWorld, bill: Id) -> None:
    url = f"{hand(world)}/invoices/{bill}/prepaid"
    assert post(client, url)[0] == 404
    client.post(f"{hand(world)}/account")
    status, text = post(client, url)
    assert (status, "余额不足" in text) == (409, True)
    top_up(client, world, "10")
    status, text = post(client, url)
    assert (status, "已从预交金支付 ¥10.00" in text) == (200, True)
    assert bill_of(world, bill).due_fen == 1500


def test_a_top_up_is_given_up(client: FlaskClient, world: VisitWorld, bill: Id) -> None:
    client.post(f"{hand(world)}/account")
    client.post(f"{hand(world)}/account/top-up", data={"amount": "10", "_key": "t"})
    with world.database.read(SYSTEM) as session:
        (made,) = [b for b in bills.list_open_invoices(session, world.patient_id) if b.is_top_up]
    status, text = post(client, f"{hand(world)}/invoices/{made.id}/cancel-top-up")
    assert (status, "充值已取消" in text) == (200, True)
    assert post(client, f"{hand(world)}/invoices/{bill}/cancel-top-up")[0] == 409
    assert bill_of(world, made.id).state is InvoiceState.VOID


def test_another_patients_money_is_not_there(
    client: FlaskClient, world: VisitWorld, bill: Id
) -> None:
    post(client, f"{hand(world)}/invoices/{bill}/cash", received="10", part="10")
    post(client, f"{hand(world)}/invoices/{bill}/parts-back")
    with world.database.read(SYSTEM) as session:
        (waiting,) = bills.list_cash_to_hand_over(session, world.patient_id)
    other = hand(world, world.other_id)
    for url in (
        f"{other}/invoices/{bill}/prepaid",
        f"{other}/invoices/{bill}/parts-back",
        f"{other}/invoices/{bill}/refund",
        f"{other}/invoices/{bill}/cancel-top-up",
        f"{other}/refunds/{waiting.id}/hand-over",
        f"{other}/account/freeze",
    ):
        assert post(client, url, reason="x")[0] == 404, url
    assert client.get(f"{other}/invoices/{bill}/refund").status_code == 404


def test_the_account_page_shows_the_name_masked(client: FlaskClient, world: VisitWorld) -> None:
    top_up(client, world, "10")
    page = client.get(f"{hand(world)}/account").text
    assert "王*国" in page
    with world.database.read(SYSTEM) as session:
        found = bills.find_account(session, world.patient_id, hospital_id=world.clinic.hospital_id)
    assert found is not None
    assert found.state is AccountState.OPEN
