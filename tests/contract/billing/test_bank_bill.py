"""The bank's daily file over HTTP, matched with what the terminals did: both ways, reversals, faults, the command."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select

from backend import reconciling
from backend.billing import queries, service, tasks
from backend.billing.models import BillItem
from backend.billing.ports import GatewayUnknown
from backend.billing.queries import DifferenceView, RunView
from backend.billing.rules import BillChannel, DifferenceKind, PaymentState, RefundState, RunState
from backend.bootstrap import Program
from backend.channels.bank_bill import BankBillSource
from backend.channels.bank_card import BankCardGateway
from tests.contract.wechat.sandbox_process import Sandbox
from tests.factories.card_desk import GOOD, MUTE, POOR, CardDesk, open_card_desk
from tests.factories.databases import SYSTEM
from tests.factories.webapp import make_settings

DAY = dt.date(2026, 11, 23)


@pytest.fixture
def desk(sandbox_process: Sandbox, tmp_path: Path) -> Iterator[CardDesk]:
    with open_card_desk(sandbox_process, tmp_path) as desk:
        sandbox_process.put("/sandbox/clock", offset_seconds=offset(desk))
        yield desk
        sandbox_process.put("/sandbox/clock", offset_seconds=0)


@pytest.fixture
def source(desk: CardDesk) -> BankBillSource:
    return BankBillSource(desk.bank)


def offset(desk: CardDesk) -> float:
    """What takes the bank to the desk's present."""
    return (desk.clock.now() - dt.datetime.now(dt.UTC)).total_seconds()


def reconcile(desk: CardDesk, source: BankBillSource) -> RunView:
    desk.sandbox.put("/sandbox/clock", offset_seconds=offset(desk) + 86400)
    run_id = tasks.reconcile(desk.database, source, DAY, service.apply_trade_status)
    desk.sandbox.put("/sandbox/clock", offset_seconds=offset(desk))
    with desk.database.read(SYSTEM) as session:
        return queries.get_run(session, run_id)


def differences(desk: CardDesk, run: RunView) -> list[DifferenceView]:
    with desk.database.read(SYSTEM) as session:
        return queries.list_differences(session, run.id, hospital_id=None)


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


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drop_row", DifferenceKind.OURS_ONLY),
        ("extra_row", DifferenceKind.THEIRS_ONLY),
        ("wrong_amount", DifferenceKind.AMOUNT_DIFFERS),
    ],
)
def test_a_wrong_file_is_a_difference_and_a_right_one_settles_it(
    fault: str, kind: DifferenceKind, desk: CardDesk, source: BankBillSource
) -> None:
    desk.swipe(GOOD)
    desk.swipe(GOOD)
    desk.sandbox.put("/sandbox/faults", bill=fault, count=1)
    (difference,) = differences(desk, reconcile(desk, source))
    assert (difference.kind, difference.is_open) == (kind, True)
    assert desk.problems() == []
    right = reconcile(desk, source)
    assert right.open_differences == (1 if kind is DifferenceKind.THEIRS_ONLY else 0)
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


def test_the_command_covers_cards(desk: CardDesk, source: BankBillSource) -> None:
    desk.swipe(GOOD)
    folder = desk.sandbox.directory
    settings = make_settings(folder, wechatpay_file=folder / "merchant.json")
    program = Program(settings, None, desk.database, bills=(source,))  # type: ignore[arg-type]
    console = Console(record=True, width=80)
    assert reconciling.run(console, program, DAY, "bank_card") == reconciling.NO_BILL
    said = console.export_text()
    assert all(word in said for word in ("bank_card", "2026-11-23", "not_published"))
    status = reconciling.run(console, program, DAY, "bank_card", is_next_morning=True)
    assert status == reconciling.EXPLAINED, console.export_text()
    with desk.database.read(SYSTEM) as session:
        (found,) = queries.list_runs(session, channel=BillChannel.BANK_CARD)
    assert found.is_explained
