"""The day's statement with the insurance centre over HTTP: totals that agree, lines where they do not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select

from backend import reconciling
from backend.billing import queries, service, tasks
from backend.billing.models import BillItem
from backend.billing.queries import DifferenceView, RunView
from backend.billing.rules import BillChannel, DifferenceKind, RunState
from backend.billing.rules.insurance import SETTLING_LONGEST, ClaimState
from backend.bootstrap import Program
from backend.channels.insurance import NationalInsurance
from backend.channels.insurance_bill import InsuranceBillSource
from tests.contract.wechat.sandbox_process import Sandbox
from tests.factories.databases import SYSTEM
from tests.factories.insurance_desk import FUND, Desk, open_insurance_desk
from tests.factories.webapp import make_settings

DAY = dt.date(2026, 11, 23)


@pytest.fixture
def desk(sandbox_process: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    with open_insurance_desk(sandbox_process, tmp_path) as desk:
        sandbox_process.put("/sandbox/clock", offset_seconds=offset(desk))
        yield desk
        sandbox_process.put("/sandbox/clock", offset_seconds=0)


@pytest.fixture
def source(desk: Desk) -> InsuranceBillSource:
    centre = desk.clerk.centre
    assert isinstance(centre, NationalInsurance)
    return InsuranceBillSource(centre, partial(tasks.list_insured, desk.database))


def offset(desk: Desk) -> float:
    """What takes the centre to the desk's present."""
    return (desk.clock.now() - dt.datetime.now(dt.UTC)).total_seconds()


def reconcile(desk: Desk, source: InsuranceBillSource) -> RunView:
    desk.sandbox.put("/sandbox/clock", offset_seconds=offset(desk) + 86400)
    run_id = tasks.reconcile(desk.database, source, DAY, service.apply_trade_status)
    desk.sandbox.put("/sandbox/clock", offset_seconds=offset(desk))
    with desk.database.read(SYSTEM) as session:
        return queries.get_run(session, run_id)


def differences(desk: Desk, run: RunView) -> list[DifferenceView]:
    with desk.database.read(SYSTEM) as session:
        return queries.list_differences(session, run.id, hospital_id=None)


def test_a_day_that_is_not_over_has_no_statement(desk: Desk, source: InsuranceBillSource) -> None:
    run_id = tasks.reconcile(desk.database, source, DAY, service.apply_trade_status)
    with desk.database.read(SYSTEM) as session:
        run = queries.get_run(session, run_id)
    assert (run.state, run.failure) == (RunState.FAILED, "3201: 对账日期未结束")


def test_a_day_that_agrees_needs_its_totals_only(desk: Desk, source: InsuranceBillSource) -> None:
    desk.claim()
    desk.claim("390000001")
    bill, claim_id = desk.claim()
    desk.pay_rest(bill)
    desk.refund(bill)
    assert desk.read(claim_id).state is ClaimState.CANCELLED
    # Nobody asks for lines while the totals agree.
    desk.fault("refuse", "3202")
    run = reconcile(desk, source)
    assert (run.state, run.matched, run.is_explained) == (RunState.MATCHED, 4, True)
    resident = 2500 * 25 // 100 + 2000 // 2
    assert (run.bill_payments_fen, run.bill_refunds_fen) == (2 * FUND + resident, FUND)
    again = reconcile(desk, source)
    assert (again.id, again.matched, again.differences) == (run.id, 4, 0)
    assert desk.problems() == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("drop_row", DifferenceKind.OURS_ONLY),
        ("extra_row", DifferenceKind.THEIRS_ONLY),
        ("wrong_amount", DifferenceKind.AMOUNT_DIFFERS),
    ],
)
def test_totals_that_differ_lead_to_the_lines(
    fault: str, kind: DifferenceKind, desk: Desk, source: InsuranceBillSource
) -> None:
    desk.claim()
    desk.claim()
    desk.sandbox.put("/sandbox/faults", bill=fault)
    wrong = reconcile(desk, source)
    (difference,) = differences(desk, wrong)
    assert (difference.kind, difference.is_open) == (kind, True)
    assert wrong.matched == (2 if kind is DifferenceKind.THEIRS_ONLY else 1)
    assert desk.problems() == []
    desk.sandbox.put("/sandbox/faults", bill="normal")
    right = reconcile(desk, source)
    assert right.open_differences == (1 if kind is DifferenceKind.THEIRS_ONLY else 0)
    assert desk.problems() == []


def test_a_settlement_that_waits_for_its_reversal_is_not_taken_for_paid(
    desk: Desk, source: InsuranceBillSource
) -> None:
    desk.fault("silent", "2207")
    _bill, claim_id = desk.claim()
    assert desk.read(claim_id).state is ClaimState.REVERSING
    run = reconcile(desk, source)
    (difference,) = differences(desk, run)
    assert (difference.kind, difference.number) == (
        DifferenceKind.THEIRS_ONLY,
        desk.payment(claim_id).out_trade_no,
    )
    assert desk.payment(claim_id).received_fen == 0
    desk.check(claim_id, SETTLING_LONGEST.total_seconds())
    assert desk.read(claim_id).state is ClaimState.REVERSED
    assert reconcile(desk, source).is_explained
    assert desk.problems() == []


@pytest.mark.parametrize("infno", ["3201", "9101", "3202", "9102"])
@pytest.mark.parametrize("mode", ["refuse", "silent"])
def test_an_answer_that_does_not_come_fails_the_run_and_stores_nothing(
    infno: str, mode: str, desk: Desk, source: InsuranceBillSource
) -> None:
    desk.claim()
    desk.sandbox.put("/sandbox/faults", bill="wrong_amount")
    desk.fault(mode, infno)
    assert reconcile(desk, source).state is RunState.FAILED
    with desk.database.read(SYSTEM) as session:
        assert session.scalars(select(BillItem)).all() == []
    assert reconcile(desk, source).open_differences == 1


def test_nothing_of_a_person_is_kept(desk: Desk, source: InsuranceBillSource) -> None:
    _bill, _claim_id = desk.claim()
    desk.sandbox.put("/sandbox/faults", bill="extra_row")
    reconcile(desk, source)
    (one,) = tasks.list_insured(desk.database, DAY)
    with desk.database.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert one.person.psn_no not in dump
    assert "31000000000000000000" not in dump


def test_the_command_covers_the_insurance(desk: Desk, source: InsuranceBillSource) -> None:
    desk.claim()
    folder = desk.sandbox.directory
    settings = make_settings(folder, wechatpay_file=folder / "merchant.json")
    program = Program(settings, None, desk.database, bills=(source,))  # type: ignore[arg-type]
    console = Console(record=True, width=160)
    assert reconciling.run(console, program, DAY, "insurance") == reconciling.NO_BILL
    status = reconciling.run(console, program, DAY, "insurance", is_next_morning=True)
    assert status == reconciling.EXPLAINED, console.export_text()
    with desk.database.read(SYSTEM) as session:
        (found,) = queries.list_runs(session, channel=BillChannel.INSURANCE)
    assert found.is_explained
