"""Money over the real wire: code, payment, notification, query, close and refund, with faults."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from backend.billing import queries, service
from backend.billing.rules import CaseKind, InvoiceState, PaymentState, RefundState
from backend.contracts.billing import PaymentCheckDue, RefundCheckDue
from backend.kernel.audit import AuditEvent
from backend.kernel.ids import Id
from backend.kernel.outbox import RetryLater
from tests.contract.billing.conftest import Shop
from tests.contract.wechat.sandbox_process import http
from tests.factories.bills import refund_part
from tests.factories.databases import SYSTEM


def ask(shop: Shop, payment_id: Id) -> None:
    """The timer comes: ask the platform about a payment."""
    shop.cashier.check_order(
        shop.world.database, PaymentCheckDue(shop.world.hospital_id, payment_id)
    )


def test_a_scanned_code_is_paid_by_notification(shop: Shop) -> None:
    invoice_id, payment_id, code_url = shop.show_code()
    assert code_url.startswith(("weixin://", "https://qr.alipay.com/"))
    shop.sandbox.pay(code_url)
    assert shop.wait_answer() == 200
    assert shop.bill(invoice_id).state is InvoiceState.PAID
    payment = shop.payment(payment_id)
    assert payment.state is PaymentState.SUCCEEDED
    assert payment.paid_at is not None
    assert shop.problems() == []


def test_a_notification_told_three_times_counts_once(shop: Shop) -> None:
    shop.sandbox.put("/sandbox/faults", notification="repeat", times=3, count=1)
    invoice_id, payment_id, code_url = shop.show_code()
    shop.sandbox.pay(code_url)
    assert [shop.wait_answer() for _time in range(3)] == [200, 200, 200]
    assert shop.bill(invoice_id).state is InvoiceState.PAID
    assert shop.payment(payment_id).received_fen == 2500
    assert shop.problems() == []


def test_notifications_out_of_order_each_find_their_bill(shop: Shop) -> None:
    shop.sandbox.put("/sandbox/faults", notification="reorder", times=2, count=2)
    bills = [shop.show_code() for _visit in range(2)]
    for _invoice_id, _payment_id, code_url in bills:
        shop.sandbox.pay(code_url)
    assert [shop.wait_answer() for _bill in bills] == [200, 200]
    assert {shop.bill(invoice_id).state for invoice_id, _p, _c in bills} == {InvoiceState.PAID}
    assert shop.problems() == []


@pytest.mark.parametrize("forgery", ["signature", "signtest", "timestamp", "serial", "cipher"])
def test_a_forged_notification_moves_nothing_but_is_remembered(shop: Shop, forgery: str) -> None:
    shop.sandbox.put(
        "/sandbox/faults", notification="forge", forgery=forgery, count=1, then_genuine=True
    )
    invoice_id, _payment_id, code_url = shop.show_code()
    shop.sandbox.pay(code_url)
    assert sorted([shop.wait_answer(), shop.wait_answer()]) == [200, 401]
    assert shop.bill(invoice_id).state is InvoiceState.PAID
    with shop.world.database.read(SYSTEM) as session:
        refusals = session.scalars(
            select(AuditEvent).where(AuditEvent.action.endswith(".refuse_notification"))
        ).all()
    assert len(refusals) == 1
    assert shop.problems() == []


def test_nonsense_sent_to_the_route_is_refused(shop: Shop) -> None:
    invoice_id, _payment_id, _code_url = shop.show_code()
    url = shop.notify_url
    for body in (b"", b"{}", b"\xff", b"x" * 100_000):
        assert http("POST", url, data=body).status_code == 401
    assert http("GET", url).status_code in (404, 405)
    assert shop.bill(invoice_id).state is InvoiceState.OPEN


def test_an_amount_that_differs_is_frozen(shop: Shop) -> None:
    shop.sandbox.put("/sandbox/faults", notification="forge", forgery="amount", count=1)
    invoice_id, payment_id, code_url = shop.show_code()
    shop.sandbox.pay(code_url)
    assert shop.wait_answer() == 200
    assert shop.payment(payment_id).state is PaymentState.FROZEN
    assert shop.bill(invoice_id).state is InvoiceState.OPEN
    with shop.world.database.read(SYSTEM) as session:
        assert [case.kind for case in queries.list_open_cases(session)] == [CaseKind.AMOUNT_DIFFERS]
    assert shop.problems() == []


def test_a_dropped_notification_is_made_up_for_by_asking(shop: Shop) -> None:
    shop.sandbox.put("/sandbox/faults", notification="drop", count=1)
    invoice_id, payment_id, code_url = shop.show_code()
    shop.sandbox.pay(code_url)
    ask(shop, payment_id)
    assert shop.bill(invoice_id).state is InvoiceState.PAID
    assert shop.problems() == []


@pytest.mark.parametrize("fault", ["lost_answer", "error500", "bad_signature"])
def test_an_unbelievable_create_answer_is_unknown_until_asked(shop: Shop, fault: str) -> None:
    shop.sandbox.put("/sandbox/faults", api=fault, count=1, operation="native")
    invoice_id, payment_id, code_url = shop.show_code()
    assert code_url == ""
    assert shop.payment(payment_id).state is PaymentState.UNKNOWN
    with pytest.raises(RetryLater):
        ask(shop, payment_id)
    payment = shop.payment(payment_id)
    assert payment.state is PaymentState.PENDING
    shop.sandbox.pay(payment.code_url or "")
    assert shop.wait_answer() == 200
    assert shop.bill(invoice_id).state is InvoiceState.PAID
    assert len(shop.sandbox.get("/sandbox/orders")["orders"]) == 1


def test_a_cancelled_code_takes_no_money(shop: Shop) -> None:
    invoice_id, payment_id, code_url = shop.show_code()
    with shop.world.database.write(SYSTEM) as session:
        service.cancel_payment(session, payment_id)
    shop.dispatcher.drain()
    assert shop.payment(payment_id).state is PaymentState.CLOSED
    refused = http("POST", f"{shop.sandbox.url}/phone/pay", json={"code_url": code_url})
    assert refused.status_code >= 400
    assert shop.bill(invoice_id).state is InvoiceState.OPEN


def test_money_paid_while_the_bill_was_ending_is_kept_for_it(shop: Shop) -> None:
    shop.sandbox.put("/sandbox/faults", notification="drop", count=1)
    invoice_id, payment_id, code_url = shop.show_code()
    shop.sandbox.pay(code_url)
    with shop.world.database.write(SYSTEM) as session:
        service.void_invoice(session, invoice_id, reason="hold_expired")
    shop.dispatcher.drain()
    assert shop.payment(payment_id).state is PaymentState.SUCCEEDED
    assert shop.bill(invoice_id).state is InvoiceState.PAID
    assert shop.problems() == []


@pytest.mark.parametrize("lost", [False, True])
def test_a_refund_comes_back_once(shop: Shop, lost: bool) -> None:
    invoice_id, _payment_id, code_url = shop.show_code()
    shop.sandbox.pay(code_url)
    assert shop.wait_answer() == 200
    if lost:
        shop.sandbox.put("/sandbox/faults", api="lost_answer", count=1, operation="refund")
    with shop.world.database.write(SYSTEM) as session:
        [refund] = refund_part(session, invoice_id, 2500)
        refund_id = refund.id
    shop.dispatcher.drain()
    if shop.tells_refunds:
        assert shop.wait_answer() == 200
    shop.cashier.check_refund(
        shop.world.database, RefundCheckDue(shop.world.hospital_id, refund_id)
    )
    with shop.world.database.read(SYSTEM) as session:
        assert queries.get_refund(session, refund_id).state is RefundState.SUCCEEDED
    assert shop.bill(invoice_id).state is InvoiceState.REFUNDED
    assert shop.problems() == []


def test_a_refund_the_platform_cannot_pay_is_a_case(shop: Shop) -> None:
    invoice_id, _payment_id, code_url = shop.show_code()
    shop.sandbox.pay(code_url)
    assert shop.wait_answer() == 200
    shop.sandbox.put("/sandbox/faults", refund="not_enough", count=1)
    with shop.world.database.write(SYSTEM) as session:
        refund_part(session, invoice_id, 100)
    shop.dispatcher.drain()
    with shop.world.database.read(SYSTEM) as session:
        assert [case.kind for case in queries.list_open_cases(session)] == [
            CaseKind.REFUND_ABNORMAL
        ]
    assert shop.problems() == []
