"""The day's statement with the insurance centre over HTTP: totals that agree, lines where they do not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.billing import queries, service, tasks
from backend.billing.models import BillItem
from backend.billing.rules import DifferenceKind, RunState
from backend.billing.rules.insurance import SETTLING_LONGEST, ClaimState
from backend.channels.insurance import NationalInsurance
from backend.channels.insurance_bill import InsuranceBillSource
from tests.contract.wechat.sandbox_process import Sandbox
from tests.factories.databases import SYSTEM
from tests.factories.desk_bills import DAY, differences, in_its_present, reconcile
from tests.factories.insurance_desk import FUND, Desk, open_insurance_desk


@pytest.fixture
def desk(sandbox_process: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    with open_insurance_desk(sandbox_process, tmp_path) as desk, in_its_present(desk):
        yield desk


@pytest.fixture
def source(desk: Desk) -> InsuranceBillSource:
    centre = desk.clerk.centre
    assert isinstance(centre, NationalInsurance)
    return InsuranceBillSource(centre, partial(tasks.list_insured, desk.database))


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
