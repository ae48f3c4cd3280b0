"""The bank's daily file over HTTP, matched with what the terminals did: both ways, reversals, spoiled files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.billing import queries
from backend.billing.models import BillItem
from backend.billing.ports import GatewayUnknown
from backend.billing.rules import DifferenceKind, PaymentState, RefundState, RunState
from backend.channels.bank_bill import BankBillSource
from backend.channels.bank_card import BankCardGateway
from tests.contract.wechat.sandbox_process import Sandbox
from tests.factories.card_desk import GOOD, MUTE, POOR, CardDesk, open_card_desk
from tests.factories.databases import SYSTEM
from tests.factories.desk_bills import DAY, differences, in_its_present, reconcile


@pytest.fixture
def desk(sandbox_process: Sandbox, tmp_path: Path) -> Iterator[CardDesk]:
    with open_card_desk(sandbox_process, tmp_path) as desk, in_its_present(desk):
        yield desk


@pytest.fixture
def source(desk: CardDesk) -> BankBillSource:
    return BankBillSource(desk.bank)


def test_a_day_of_cards_agrees(desk: CardDesk, source: BankBillSource) -> None:
    bill, payment_id = desk.swipe(GOOD)
    _bill, other = desk.swipe(GOOD)
    desk.swipe(POOR)
    refund_id = desk.refund(bill, 2500)
    assert desk.refund_state(refund_id) is RefundState.SUCCEEDED
    run = reconcile(desk, source)
    assert (run.state, run.matched, run.is_explained) == (RunState.MATCHED, 3, True)
    assert (run.bill_payments_fen, run.bill_refunds_fen) == (5000, 2500)
    assert (run.our_payments_fen, run.our_refunds_fen) == (5000, 2500)
    with desk.database.read(SYSTEM) as session:
        numbers = set(session.scalars(select(BillItem.number)))
        orders = {queries.get_payment(session, one).out_trade_no for one in (payment_id, other)}
        refund_no = queries.get_refund(session, refund_id).out_refund_no
        assert numbers == {*orders, refund_no}
    again = reconcile(desk, source)
    assert (again.id, again.matched, again.differences) == (run.id, 3, 0)
    assert desk.problems() == []


def test_a_reversed_sale_is_on_no_bill_and_no_difference(
    desk: CardDesk, source: BankBillSource
) -> None:
    _bill, payment_id = desk.swipe(MUTE)
    assert not desk.check(payment_id)
    run = reconcile(desk, source)
    assert (run.matched, run.differences, run.bill_payments) == (0, 0, 0)


def test_a_sale_that_waits_for_its_reversal_is_not_taken_for_paid(
    desk: CardDesk, source: BankBillSource
) -> None:
    _bill, payment_id = desk.swipe(MUTE)
    run = reconcile(desk, source)
    (difference,) = differences(desk, run)
    assert (difference.kind, difference.number) == (
        DifferenceKind.THEIRS_ONLY,
        desk.payment(payment_id).out_trade_no,
    )
    assert desk.payment(payment_id).state is PaymentState.UNKNOWN
    assert not desk.check(payment_id)
    assert desk.payment(payment_id).state is PaymentState.CLOSED
    # The bank's file without it closes the case.
    assert reconcile(desk, source).is_explained
    assert desk.problems() == []


@pytest.mark.parametrize("fault", ["corrupt", "cut"])
def test_a_spoiled_download_is_never_read(
    fault: str, desk: CardDesk, source: BankBillSource
) -> None:
    desk.swipe(GOOD)
    desk.sandbox.put("/sandbox/faults", bill=fault, count=1)
    assert reconcile(desk, source).state is RunState.FAILED
    assert reconcile(desk, source).is_explained


def test_a_stranger_gets_nothing(desk: CardDesk) -> None:
    config = replace(desk.bank.config, bill_token="another")
    with pytest.raises(GatewayUnknown, match="HTTP 401"):
        BankBillSource(BankCardGateway(lambda: config)).fetch_bill(DAY)
