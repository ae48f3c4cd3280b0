"""The front desk by HTTP: find, have in hand, book, take money, check in, give back, print."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from backend.billing import queries as bills
from backend.billing import service as billing
from backend.billing.rules import InvoiceState, PaymentState
from backend.billing.views import InvoiceView, PaymentView
from backend.journeys.visit_status import Stage, get_visit_status
from backend.kernel.audit import AuditEvent
from backend.kernel.ids import Id
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.queueing.rules import TicketState
from backend.scheduling import queries as appointments
from backend.scheduling.rules import AppointmentState
from tests.factories.databases import SYSTEM
from tests.factories.front_desk import CARD, PHONE, VisitWorld
from tests.factories.people import id_number

DESK = "/backoffice/front-desk"
HTMX = {"HX-Request": "true"}


def hand(world: VisitWorld) -> str:
    return f"{DESK}/patients/{world.patient_id}"


def visits(world: VisitWorld) -> list[appointments.AppointmentView]:
    with world.database.read(SYSTEM) as session:
        return appointments.list_appointments(session, patient_id=world.patient_id)


def stages(world: VisitWorld) -> list[Stage]:
    with world.database.read(SYSTEM) as session:
        return [s.stage for s in get_visit_status(session, patient_id=world.patient_id)]


def payments(world: VisitWorld, invoice_id: Id) -> list[PaymentView]:
    with world.database.read(SYSTEM) as session:
        return bills.list_payments(session, invoice_id)


def invoice(world: VisitWorld) -> InvoiceView:
    with world.database.read(SYSTEM) as session:
        return bills.list_invoices(session, world.patient_id)[0]


@pytest.mark.parametrize("text", ["王建", "wjg", "wangjian"])
def test_people_are_found_as_one_types(client: FlaskClient, text: str) -> None:
    page = client.post(DESK, data={"q": text}, follow_redirects=True)
    assert "<html" in page.text
    assert quote(text) not in page.request.url
    assert "王建国" in page.text
    assert PHONE not in page.text
    assert id_number(1) not in page.text
    part = client.post(DESK, data={"q": text}, headers=HTMX)
    assert part.text.lstrip().startswith('<div id="results"')
    assert "王建国" in part.text
    assert "李秀英" not in part.text


@pytest.mark.parametrize("text", [CARD, PHONE, id_number(1)])
def test_a_scanned_number_opens_the_record(
    client: FlaskClient, world: VisitWorld, text: str
) -> None:
    answer = client.post(DESK, data={"q": text})
    assert answer.status_code == 303
    assert answer.headers["Location"] == hand(world)
    assert "王建国" in client.post(DESK, data={"q": text}, headers=HTMX).text


def test_nothing_found_says_what_to_do(client: FlaskClient) -> None:
    assert "请患者出示卡或证件" in client.get(DESK).text
    assert "没有找到这位患者" in client.post(DESK, data={"q": "赵"}, follow_redirects=True).text
    assert "再输入一点" in client.post(DESK, data={"q": "13"}, follow_redirects=True).text


def test_searched_words_in_an_address_are_sealed(client: FlaskClient) -> None:
    """Addresses end up in histories and logs; a changed or invented one searches for nothing."""
    address = client.post(DESK, data={"q": "赵一"}).headers["Location"]
    assert "没有找到这位患者" in client.get(address).text
    link = re.search(r'href="([^"]+/patients/new\?s=[^"]+)"', client.get(address).text)
    assert link
    assert 'value="赵一"' in client.get(link[1]).text
    for forged in (address[:-6] + "AAAAAA", f"{DESK}?s=x", f"{DESK}?s=%E8%B5%B5", f"{DESK}?q=王"):
        assert "请患者出示卡或证件" in client.get(forged).text


def test_the_patient_in_hand_is_masked_and_the_reading_is_audited(
    client: FlaskClient, world: VisitWorld
) -> None:
    page = client.get(hand(world))
    assert page.status_code == 200
    for words in ("王建国", "138****1111", "没有要缴的费用", "今天和以后没有就诊"):
        assert words in page.text
    assert PHONE not in page.text
    with world.database.read(SYSTEM) as session:
        seen = session.scalar(
            select(func.count())
            .select_from(AuditEvent)
            .where(AuditEvent.action == "patients.read", AuditEvent.patient_id == world.patient_id)
        )
    assert seen == 1


def test_revealing_one_field(client: FlaskClient, world: VisitWorld) -> None:
    assert client.post(f"{hand(world)}/reveal/phone").text == PHONE
    assert client.post(f"{hand(world)}/reveal/id_number").text == id_number(1)
    assert client.post(f"{hand(world)}/reveal/address").text == "未登记"
    assert client.post(f"{hand(world)}/reveal/name").status_code == 404


def test_whom_to_book_with(client: FlaskClient, world: VisitWorld) -> None:
    url = f"{hand(world)}/bookable"
    everyone = client.get(url, headers=HTMX).text
    assert "医生0" in everyone
    assert "医生1" in everyone
    assert "医生1" not in client.get(f"{url}?who=医生0").text
    assert "没有可挂的班次" in client.get(f"{url}?day=2026-11-24").text
    assert client.get(f"{url}?day=soon").status_code == 422


def test_book_pay_cash_check_in_and_give_back(client: FlaskClient, world: VisitWorld) -> None:
    form = {"schedule_id": str(world.schedule_ids[0]), "_key": "k1"}
    booked = client.post(f"{hand(world)}/appointments", data=form, headers=HTMX)
    assert booked.status_code == 200
    assert booked.headers["HX-Retarget"] == "#hand"
    assert "已留号，请收费" in booked.text
    assert "主任医师挂号费" in booked.text
    assert stages(world) == [Stage.TO_PAY]
    client.post(f"{hand(world)}/appointments", data=form, headers=HTMX)
    assert len(visits(world)) == 1

    bill = invoice(world)
    cash = f"{hand(world)}/invoices/{bill.id}/cash"
    short = client.post(cash, data={"received": "20", "_key": "c1"}, headers=HTMX)
    assert short.status_code == 422
    assert "少于应付金额" in short.text
    paid = client.post(cash, data={"received": "30", "_key": "c1"}, headers=HTMX)
    assert "已收 ¥30.00，找零 ¥5.00" in paid.text
    again = client.post(cash, data={"received": "30", "_key": "c1"}, headers=HTMX)
    assert again.status_code == 200
    assert len(payments(world, bill.id)) == 1
    assert stages(world) == [Stage.BOOKED]

    visit = f"{hand(world)}/appointments/{visits(world)[0].id}"
    ticket = client.post(f"{visit}/check-in", headers=HTMX)
    assert "已报到：A001 号" in ticket.text
    assert stages(world) == [Stage.WAITING]
    assert "前面 0 人" in client.get(f"{hand(world)}/tickets").text

    assert client.post(f"{visit}/refund", data={"_key": "r1"}, headers=HTMX).status_code == 422
    form = {"reason": "患者改期", "_key": "r1"}
    back = client.post(f"{visit}/refund", data=form, headers=HTMX)
    assert "请退还现金 ¥25.00" in back.text
    assert invoice(world).state is InvoiceState.REFUNDED
    assert stages(world) == [Stage.CANCELLED]
    with world.database.read(SYSTEM) as session:
        left = queues.list_tickets_of_patient(session, world.patient_id)
    assert [t.state for t in left] == [TicketState.LEFT]
    assert client.post(f"{visit}/refund", data=form, headers=HTMX).status_code == 200
    assert client.get(f"{hand(world)}/invoices/{bill.id}/print").status_code == 409


def test_a_qr_payment_is_shown_until_it_is_paid(client: FlaskClient, world: VisitWorld) -> None:
    bill = world.book().invoice
    qr = f"{hand(world)}/invoices/{bill.id}/qr"
    wrong = client.post(qr, data={"amount_fen": "100", "_key": "q1"}, headers=HTMX)
    assert wrong.status_code == 409
    begun = client.post(qr, data={"amount_fen": "2500", "_key": "q2"}, headers=HTMX)
    assert "正在生成付款码" in begun.text
    payment = payments(world, bill.id)[0]
    look = f"{hand(world)}/payments/{payment.id}"
    assert client.get(f"{look}?seen=created", headers=HTMX).status_code == 204
    # The page opened again goes on asking.
    assert "正在生成付款码" in client.get(hand(world)).text
    with world.database.write(SYSTEM) as session:
        billing.store_code(session, payment.id, "weixin://wxpay/bizpayurl?pr=1")
    shown = client.get(f"{look}?seen=created", headers=HTMX)
    assert shown.status_code == 200
    assert "data:image/svg+xml" in shown.text
    assert client.get(f"{look}?seen=pending", headers=HTMX).status_code == 204
    cash = client.post(
        f"{hand(world)}/invoices/{bill.id}/cash", data={"received": "25", "_key": "c"}, headers=HTMX
    )
    assert cash.status_code == 409
    world.report_paid(payment.out_trade_no or "")
    done = client.get(f"{look}?seen=pending", headers=HTMX)
    assert done.headers["HX-Retarget"] == "#hand"
    assert "支付成功" in done.text
    assert stages(world) == [Stage.BOOKED]


def test_a_qr_payment_is_cancelled_for_cash(client: FlaskClient, world: VisitWorld) -> None:
    bill = world.book().invoice
    form = {"amount_fen": "2500", "_key": "q"}
    client.post(f"{hand(world)}/invoices/{bill.id}/qr", data=form, headers=HTMX)
    payment = payments(world, bill.id)[0]
    answer = client.post(f"{hand(world)}/payments/{payment.id}/cancel", headers=HTMX)
    assert "正在取消支付" in answer.text
    assert payments(world, bill.id)[0].state is PaymentState.CLOSING


def test_an_unpaid_place_is_given_up(client: FlaskClient, world: VisitWorld) -> None:
    visit = world.book()
    answer = client.post(f"{hand(world)}/appointments/{visit.appointment.id}/give-up", headers=HTMX)
    assert "已放弃" in answer.text
    assert visits(world)[0].state is AppointmentState.CANCELLED
    assert invoice(world).state is InvoiceState.VOID


def test_a_visit_that_has_begun_is_not_given_back(client: FlaskClient, world: VisitWorld) -> None:
    visit = world.booked()
    ticket_id = world.check_in(visit)
    with world.database.write(SYSTEM) as session:
        queueing.call_next(
            session,
            queue_id=world.queue_id,
            room_id=world.clinic.room_id,
            practitioner_id=world.clinic.practitioner_ids[0],
        )
        queueing.start_serving(session, ticket_id)
    answer = client.post(
        f"{hand(world)}/appointments/{visit.appointment.id}/refund",
        data={"reason": "患者改期", "_key": "r"},
        headers=HTMX,
    )
    assert answer.status_code == 409
    assert "已经就诊" in answer.text


def test_tickets_and_receipts_on_paper(client: FlaskClient, world: VisitWorld) -> None:
    visit = world.booked()
    ticket_id = world.check_in(visit)
    paper = client.get(f"{hand(world)}/tickets/{ticket_id}/print")
    for words in ("A001", "王*国", "排队号票", "data:image/svg+xml"):
        assert words in paper.text
    assert "王建国" not in paper.text
    receipt = client.get(f"{hand(world)}/invoices/{visit.invoice.id}/print")
    with world.database.read(SYSTEM) as session:
        number = bills.get_invoice(session, visit.invoice.id).number
    assert number == "202600000001"
    for words in ("主任医师挂号费", "¥25.00", "现金", number):
        assert words in receipt.text
    assert number in client.get(f"{hand(world)}/bills").text
    unpaid = world.book(schedule=1)
    assert client.get(f"{hand(world)}/invoices/{unpaid.invoice.id}/print").status_code == 409


def test_without_scripts_the_page_follows(client: FlaskClient, world: VisitWorld) -> None:
    form = {"schedule_id": str(world.schedule_ids[0]), "_key": "k1"}
    answer = client.post(f"{hand(world)}/appointments", data=form)
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"])
    assert "已留号，请收费" in page.text
    assert re.search(r'name="_key" value="[0-9a-f]{32}"', page.text)
