"""A channel's bill against our books: agreement, every way to differ, midnight, repeats, later evidence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import delete, func, select

from backend.billing import queries, service, tasks
from backend.billing.models import BillItem, MoneyCase
from backend.billing.ports import (
    BillNotPublished,
    BillRow,
    GatewayUnknown,
    RefundState,
    RefundStatus,
)
from backend.billing.queries import DifferenceView, RunView
from backend.billing.rules import (
    BillChannel,
    CaseKind,
    CaseState,
    DifferenceKind,
    PaymentState,
    RunState,
)
from backend.billing.verify import verify_ledger
from backend.kernel.clock import FixedClock, at_local
from backend.kernel.ids import Id
from tests.factories.billing import MoneyWorld, paid
from tests.factories.bills import refund_part
from tests.factories.channel_bills import ScriptedBills, back, line, reconcile, settle
from tests.factories.databases import SYSTEM

DAY = dt.date(2026, 11, 23)
NEXT = DAY + dt.timedelta(days=1)
DUE = 2500


def at(hour: int, minute: int = 0, day: dt.date = DAY) -> dt.datetime:
    return at_local(day, dt.time(hour, minute))


@pytest.fixture
def source() -> ScriptedBills:
    return ScriptedBills()


@pytest.fixture
def sell(world: MoneyWorld) -> Callable[[dt.datetime], tuple[Id, str]]:
    """A bill paid by WeChat at that moment: payment and number."""

    def act(moment: dt.datetime) -> tuple[Id, str]:
        payment_id, number = world.start_qr(world.bill("REG-ASSOC"), DUE)
        world.report(paid(number, DUE, moment))
        return payment_id, number

    return act


def refunded(world: MoneyWorld, payment_id: Id, fen: int = 1000) -> str:
    """A part refund that has gone through: its number."""
    with world.database.write(SYSTEM) as session:
        payment = queries.get_payment(session, payment_id)
        [made] = refund_part(session, payment.invoice_id, fen)
        number = made.out_refund_no
    world.report_refund(RefundStatus(number, None, RefundState.SUCCESS, fen))
    return number


def differences(world: MoneyWorld, run: RunView) -> list[DifferenceView]:
    with world.database.read(SYSTEM) as session:
        return queries.list_differences(session, run.id, hospital_id=world.hospital_id)


def close(world: MoneyWorld, case_id: Id, reason: str) -> None:
    with world.database.write(SYSTEM) as session:
        service.close_case(session, case_id, reason=reason)


def case_kinds(world: MoneyWorld) -> list[CaseKind]:
    with world.database.read(SYSTEM) as session:
        return sorted(case.kind for case in queries.list_open_cases(session))


def problems(world: MoneyWorld) -> list[str]:
    with world.database.read(SYSTEM) as session:
        return verify_ledger(session).problems


Sell = Callable[[dt.datetime], tuple[Id, str]]


def test_a_day_that_agrees(world: MoneyWorld, source: ScriptedBills, sell: Sell) -> None:
    (first, one), (_second, two) = sell(at(9)), sell(at(10))
    refund = refunded(world, first)
    source.add(DAY, line(one, DUE, at(9)), line(two, DUE, at(10)), back(refund, one, 1000, at(11)))
    run = reconcile(world, source, DAY)
    assert (run.state, run.is_explained, run.matched, run.differences) == (
        RunState.MATCHED,
        True,
        3,
        0,
    )
    assert (run.bill_payments, run.bill_payments_fen) == (2, 2 * DUE)
    assert (run.bill_refunds, run.bill_refunds_fen, run.bill_net_fen) == (1, 1000, 4000)
    assert (run.our_payments_fen, run.our_refunds_fen) == (2 * DUE, 1000)
    assert problems(world) == []


def test_every_way_to_differ_is_a_case_with_both_amounts(
    world: MoneyWorld, source: ScriptedBills, sell: Sell
) -> None:
    (_a, missing), (_b, other) = sell(at(9)), sell(at(10))
    source.add(DAY, line(other, DUE + 1, at(10)), line("STRANGER1", 8800, at(12)))
    source.add(DAY, back("UNASKED1", "STRANGER1", 800, at(13)))
    run = reconcile(world, source, DAY)
    found = {(d.kind, d.number): (d.our_fen, d.their_fen) for d in differences(world, run)}
    assert found == {
        (DifferenceKind.OURS_ONLY, missing): (DUE, None),
        (DifferenceKind.AMOUNT_DIFFERS, other): (DUE, DUE + 1),
        (DifferenceKind.THEIRS_ONLY, "STRANGER1"): (None, 8800),
        (DifferenceKind.THEIRS_ONLY, "UNASKED1"): (None, 800),
    }
    assert case_kinds(world) == [
        CaseKind.BILL_AMOUNT_DIFFERS,
        CaseKind.BILL_OURS_ONLY,
        CaseKind.UNKNOWN_ORDER,
        CaseKind.UNKNOWN_REFUND,
    ]
    assert (run.open_differences, run.is_explained) == (4, False)
    # What the channel took and gave back without us stands in the books, in suspense.
    assert problems(world) == []


def test_again_changes_nothing_and_closed_cases_stay_closed(
    world: MoneyWorld, source: ScriptedBills, sell: Sell
) -> None:
    sell(at(9))
    source.add(DAY, line("STRANGER1", 8800, at(12)))
    run = reconcile(world, source, DAY)
    for difference in differences(world, run):
        close(world, difference.case_id, "已与渠道核实")
    before = differences(world, run)
    again = reconcile(world, source, DAY)
    assert again.id == run.id
    assert differences(world, again) == before
    assert again.is_explained
    assert case_kinds(world) == []
    with world.database.read(SYSTEM) as session:
        assert session.scalar(select(func.count()).select_from(BillItem)) == 1
        assert session.scalar(select(func.count()).select_from(MoneyCase)) == 2
    assert problems(world) == []


def test_a_payment_on_the_other_side_of_midnight_is_no_difference(
    world: MoneyWorld, source: ScriptedBills, sell: Sell, clock: FixedClock
) -> None:
    (_a, late), (_b, early) = sell(at(23, 59)), sell(at(0, 1, NEXT))
    # The platform's clock is behind ours for one, ahead for the other.
    source.add(DAY, line(early, DUE, at(23, 59)))
    source.add(NEXT, line(late, DUE, at(0, 1, NEXT)))
    clock.set(at(10, 30, NEXT))
    first = reconcile(world, source, DAY)
    assert (first.differences, first.carried, first.matched, first.cross_day) == (0, 1, 1, 1)
    clock.set(at(10, 30, NEXT + dt.timedelta(days=1)))
    second = reconcile(world, source, NEXT)
    assert (second.differences, second.carried, second.matched, second.cross_day) == (0, 0, 1, 1)
    assert case_kinds(world) == []


def test_a_payment_near_midnight_that_neither_day_lists_is_missed_once(
    world: MoneyWorld, source: ScriptedBills, sell: Sell, clock: FixedClock
) -> None:
    _id, lost = sell(at(23, 50))
    clock.set(at(23, 0, NEXT))
    first = reconcile(world, source, DAY)
    assert (first.differences, first.carried) == (0, 1)
    second = reconcile(world, source, NEXT)
    assert [(d.kind, d.number) for d in differences(world, second)] == [
        (DifferenceKind.OURS_ONLY, lost)
    ]


def test_later_evidence_closes_its_own_case(
    world: MoneyWorld, source: ScriptedBills, sell: Sell, clock: FixedClock
) -> None:
    (_a, moved), (_b, forgotten) = sell(at(9)), sell(at(10))
    clock.set(at(10, 30, NEXT))
    source.add(DAY, line("STRANGER1", 8800, at(12)))
    run = reconcile(world, source, DAY)
    assert run.open_differences == 3
    # The next day's bill lists one; a corrected bill of the day lists the other.
    source.add(NEXT, line(moved, DUE, at(9, 0, NEXT)))
    reconcile(world, source, NEXT)
    source.add(DAY, line(forgotten, DUE, at(10)))
    reconcile(world, source, DAY)
    reasons = {d.number: (d.is_open, d.is_settled, d.reason) for d in differences(world, run)}
    assert reasons[moved] == (False, True, "2026-11-24 的账单已列出")
    assert reasons[forgotten] == (False, True, "再次核对时双方已一致")
    assert reasons["STRANGER1"] == (True, False, "")


def test_the_bill_tells_what_we_have_not_heard(
    world: MoneyWorld, source: ScriptedBills, sell: Sell
) -> None:
    """Paid while every notification and every answer was lost; a refund whose success nobody told."""
    payment_id, number = world.start_qr(world.bill("REG-ASSOC"), DUE)
    sold, order = sell(at(9))
    with world.database.write(SYSTEM) as session:
        [made] = refund_part(session, queries.get_payment(session, sold).invoice_id, DUE)
        refund_id, refund_no = made.id, made.out_refund_no
    source.add(DAY, line(number, DUE, at(9, 30)), line(order, DUE, at(9)))
    source.add(DAY, back(refund_no, order, DUE, at(11)))
    run = reconcile(world, source, DAY)
    assert (run.differences, run.matched) == (0, 3)
    with world.database.read(SYSTEM) as session:
        assert queries.get_payment(session, payment_id).state is PaymentState.SUCCEEDED
        assert queries.get_payment(session, payment_id).paid_at == at(9, 30)
        assert queries.get_refund(session, refund_id).state == "succeeded"
    assert problems(world) == []


def test_a_refund_the_channel_still_works_on_is_no_difference(
    world: MoneyWorld, source: ScriptedBills, sell: Sell
) -> None:
    sold, order = sell(at(9))
    with world.database.write(SYSTEM) as session:
        [made] = refund_part(session, queries.get_payment(session, sold).invoice_id, DUE)
        number = made.out_refund_no
    source.add(DAY, line(order, DUE, at(9)), back(number, order, DUE, at(11), is_final=False))
    run = reconcile(world, source, DAY)
    assert (run.differences, run.matched) == (0, 2)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (BillNotPublished("STATEMENT_CREATING"), tasks.NOT_PUBLISHED),
        (GatewayUnknown("the download broke off"), "the download broke off"),
    ],
)
def test_a_bill_that_cannot_be_had_is_asked_for_again_with_growing_waits(
    error: Exception, why: str, world: MoneyWorld, source: ScriptedBills, clock: FixedClock
) -> None:
    clock.set(at(10, 0, NEXT))
    source.fail_next.extend([error, error])
    for wait in (5, 10):
        run = reconcile(world, source, DAY)
        assert (run.state, run.failure) == (RunState.FAILED, why)
        assert run.next_try_at == clock.now() + dt.timedelta(minutes=wait)
    run = reconcile(world, source, DAY)
    assert (run.state, run.failure, run.tries) == (RunState.MATCHED, "", 2)


def broken(rows: list[BillRow]) -> list[BillRow]:
    return [*rows, rows[0]]


def test_a_bill_that_lists_a_number_twice_changes_nothing(
    world: MoneyWorld, source: ScriptedBills, sell: Sell
) -> None:
    _id, number = sell(at(9))
    source.add(DAY, *broken([line(number, DUE, at(9))]))
    run = reconcile(world, source, DAY)
    assert (run.state, run.failure) == (RunState.FAILED, "a bill that lists a number twice")
    with world.database.read(SYSTEM) as session:
        assert session.scalar(select(func.count()).select_from(BillItem)) == 0
    assert case_kinds(world) == []


def test_an_empty_bill_for_a_day_with_payments_is_not_believed_at_once(
    world: MoneyWorld, source: ScriptedBills, sell: Sell, clock: FixedClock
) -> None:
    sell(at(9))
    clock.set(at(10, 0, NEXT))
    assert reconcile(world, source, DAY).state is RunState.FAILED
    clock.set(at(22, 0, NEXT))
    run = reconcile(world, source, DAY)
    assert (run.state, run.open_differences) == (RunState.MATCHED, 1)


def test_the_clock_plans_each_day_and_fetches_what_is_due(
    world: MoneyWorld, source: ScriptedBills, sell: Sell, clock: FixedClock
) -> None:
    (job,) = tasks.jobs([source], settle)
    clock.set(at(9))
    _id, number = sell(at(9))
    source.add(DAY, line(number, DUE, at(9)))
    job.run(world.database)
    job.run(world.database)
    assert source.fetched == []
    clock.set(at(9, 59, NEXT))
    job.run(world.database)
    assert source.fetched == []
    clock.set(at(10, 0, NEXT))
    job.run(world.database)
    job.run(world.database)
    assert source.fetched == [DAY]
    # Away for three days: every day in between is reconciled, and none twice.
    clock.set(at(10, 0, DAY + dt.timedelta(days=4)))
    job.run(world.database)
    job.run(world.database)
    assert source.fetched == [DAY + dt.timedelta(days=n) for n in range(4)]
    with world.database.read(SYSTEM) as session:
        runs = queries.list_runs(session)
    assert [run.state for run in runs] == [RunState.DUE, *[RunState.MATCHED] * 4]


def test_a_run_of_the_day_itself_is_repeated_once_the_day_is_over(
    world: MoneyWorld, source: ScriptedBills, sell: Sell, clock: FixedClock
) -> None:
    (job,) = tasks.jobs([source], settle)
    _early, number = sell(at(9))
    source.add(DAY, line(number, DUE, at(9)))
    clock.set(at(12))
    assert reconcile(world, source, DAY).is_explained
    _late, number = sell(at(15))
    job.run(world.database)
    assert source.fetched == [DAY]
    source.add(DAY, line(number, DUE, at(15)))
    clock.set(at(10, 0, NEXT))
    job.run(world.database)
    job.run(world.database)
    assert source.fetched == [DAY, DAY]
    assert reconcile(world, source, DAY).matched == 2


def test_one_fetches_at_a_time_and_a_killed_one_is_followed_up(
    world: MoneyWorld, source: ScriptedBills, clock: FixedClock
) -> None:
    clock.set(at(10, 0, NEXT))
    with world.database.write(SYSTEM) as session:
        run = service.plan_run(session, BillChannel.WECHAT, DAY, clock.now())
        assert service.begin_run(session, run.id)
    assert reconcile(world, source, DAY).state is RunState.FETCHING
    assert source.fetched == []
    clock.advance(dt.timedelta(minutes=15))
    (job,) = tasks.jobs([source], settle)
    job.run(world.database)
    assert reconcile(world, source, DAY).state is RunState.MATCHED


def test_a_difference_of_another_hospital_is_not_shown(
    world: MoneyWorld, source: ScriptedBills, sell: Sell, clock: FixedClock
) -> None:
    sell(at(9))
    source.add(DAY, line("STRANGER1", 8800, at(12)))
    run = reconcile(world, source, DAY)
    with world.database.read(SYSTEM) as session:
        seen = queries.list_differences(session, run.id, hospital_id=world.patient_id)
    assert [d.number for d in seen] == ["STRANGER1"]
    with world.database.read(SYSTEM) as session:
        case = session.get_one(MoneyCase, seen[0].case_id)
    assert case.state is CaseState.OPEN


def test_the_verifier_names_a_run_that_was_tampered_with(
    world: MoneyWorld, source: ScriptedBills, sell: Sell
) -> None:
    (_a, one), (_b, two) = sell(at(9)), sell(at(10))
    source.add(DAY, line(one, DUE, at(9)), line(two, DUE, at(10)))
    run = reconcile(world, source, DAY)
    with world.database.read(SYSTEM) as session:
        report = verify_ledger(session)
    assert report.problems == []
    assert (report.counts["reconciliation runs"], report.counts["bill lines"]) == (1, 2)
    assert report.notes == [
        "wechat:clearing holds ¥50.00: ¥50.00 of it is on the channel's bills, ¥0.00 on no bill yet"
    ]
    with world.database.write(SYSTEM, housekeeping=True) as session:
        session.execute(delete(BillItem).where(BillItem.number == one))
    found = problems(world)
    assert len(found) == 2
    assert all(str(run.id) in problem for problem in found)
