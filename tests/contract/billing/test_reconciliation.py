"""Reconciliation over the real wire: the sandbox's own bill, its faults, the command."""

from __future__ import annotations

import datetime as dt

import pytest
from rich.console import Console

from backend import reconciling
from backend.billing import queries, service, tasks
from backend.billing.ports import BillSource
from backend.billing.queries import RunView
from backend.billing.rules import BillChannel, DifferenceKind, PaymentState, RunState
from backend.bootstrap import Program
from backend.channels.alipay import AlipayGateway
from backend.channels.alipay_bill import AlipayBillSource
from backend.kernel.clock import business_date
from backend.kernel.ids import Id
from backend.wechat.bills import WeChatBillSource
from backend.wechat.pay import WeChatPayGateway
from tests.contract.billing.conftest import Shop
from tests.factories.databases import SYSTEM
from tests.factories.webapp import make_settings


@pytest.fixture
def source(shop: Shop) -> BillSource:
    gateway = shop.cashier.gateways[shop.tender]
    if isinstance(gateway, AlipayGateway):
        return AlipayBillSource(gateway)
    assert isinstance(gateway, WeChatPayGateway)
    return WeChatBillSource(gateway)


def today() -> dt.date:
    return business_date(dt.datetime.now(dt.UTC))


def reconcile(shop: Shop, source: BillSource) -> RunView:
    shop.sandbox.put("/sandbox/clock", offset_seconds=2 * 86400)
    run_id = tasks.reconcile(shop.world.database, source, today(), shop.cashier.record)
    shop.sandbox.put("/sandbox/clock", offset_seconds=0)
    return run(shop, run_id)


def run(shop: Shop, run_id: Id) -> RunView:
    with shop.world.database.read(SYSTEM) as session:
        return queries.get_run(session, run_id)


def sell(shop: Shop) -> Id:
    _invoice_id, payment_id, code = shop.show_code()
    shop.sandbox.pay(code)
    assert shop.wait_answer() == 200
    return payment_id


def test_a_day_over_the_wire_agrees(shop: Shop, source: BillSource) -> None:
    sell(shop)
    sell(shop)
    found = reconcile(shop, source)
    assert (found.state, found.matched, found.is_explained) == (RunState.MATCHED, 2, True)
    assert found.bill_payments_fen == found.our_payments_fen == 5000
    assert shop.problems() == []


def test_a_payment_we_never_heard_of_is_learnt_from_the_bill(
    shop: Shop, source: BillSource
) -> None:
    shop.sandbox.put("/sandbox/faults", notification="drop", count=1)
    _invoice_id, payment_id, code = shop.show_code()
    shop.sandbox.pay(code)
    assert shop.payment(payment_id).state is PaymentState.PENDING
    found = reconcile(shop, source)
    assert (found.matched, found.differences) == (1, 0)
    assert shop.payment(payment_id).state is PaymentState.SUCCEEDED
    assert shop.problems() == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drop_row", DifferenceKind.OURS_ONLY),
        ("extra_row", DifferenceKind.THEIRS_ONLY),
        ("wrong_amount", DifferenceKind.AMOUNT_DIFFERS),
    ],
)
def test_a_wrong_bill_is_a_difference_and_a_right_one_settles_it(
    fault: str, kind: DifferenceKind, shop: Shop, source: BillSource
) -> None:
    sell(shop)
    sell(shop)
    shop.sandbox.put("/sandbox/faults", bill=fault, count=1)
    wrong = reconcile(shop, source)
    with shop.world.database.read(SYSTEM) as session:
        (difference,) = queries.list_differences(session, wrong.id, hospital_id=None)
    assert (difference.kind, difference.is_open) == (kind, True)
    assert shop.problems() == []
    right = reconcile(shop, source)
    # Money of a stranger's order lies in suspense until a person says whose it was.
    assert right.open_differences == (1 if kind is DifferenceKind.THEIRS_ONLY else 0)
    assert shop.problems() == []


def test_a_spoiled_download_fails_the_run_and_the_next_try_heals_it(
    shop: Shop, source: BillSource
) -> None:
    sell(shop)
    shop.sandbox.put("/sandbox/faults", bill="corrupt", count=1)
    assert reconcile(shop, source).state is RunState.FAILED
    assert reconcile(shop, source).is_explained


def test_the_command_ends_by_what_it_found(shop: Shop, source: BillSource) -> None:
    sell(shop)
    folder = shop.sandbox.directory
    settings = make_settings(folder, wechatpay_file=folder / "merchant.json")
    program = Program(settings, None, shop.world.database, bills=(source,))  # type: ignore[arg-type]
    console = Console(record=True, width=160)
    day = today()
    assert reconciling.run(console, program, day, "insurance") == reconciling.NO_BILL
    assert reconciling.run(console, program, day, None) == reconciling.NO_BILL
    assert "not_published" in console.export_text()
    shop.sandbox.put("/sandbox/faults", bill="extra_row", count=1)
    status = reconciling.run(console, program, day, source.channel, is_next_morning=True)
    assert status == reconciling.UNEXPLAINED
    said = console.export_text()
    assert f"open: {source.channel} {day} theirs_only payment STRANGER" in said
    assert "theirs ¥88.00" in said
    with shop.world.database.read(SYSTEM) as session:
        (found,) = queries.list_runs(session, channel=BillChannel(source.channel))
        (difference,) = queries.list_differences(session, found.id, hospital_id=None)
    with shop.world.database.write(SYSTEM) as session:
        service.close_case(session, difference.case_id, reason="他院误入，已通知渠道")
    status = reconciling.run(console, program, day, source.channel, is_next_morning=True)
    assert status == reconciling.EXPLAINED
    # The sandbox lives in the present again.
    assert shop.payment(sell(shop)).state is PaymentState.SUCCEEDED
