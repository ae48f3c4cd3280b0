"""Runs of reconciliation: begun, filled with a bill's lines, matched; each difference becomes a money case.

due → fetching → matched, or failed and fetched again. Everything here may be repeated: the same bill again
changes nothing, a case that a person has closed stays closed, and a difference that later evidence explains
closes its own case. Fetching itself happens outside, between ``begin_run`` and ``store_bill``.
"""

from __future__ import annotations

import datetime as dt

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.errors import RunUnknown
from backend.billing.models import BillItem, Difference, MoneyCase, ReconciliationRun
from backend.billing.ports import Bill, BillRow, BillRowKind, GatewayUnknown
from backend.billing.rules import BillChannel, CaseKind, CaseState, DifferenceKind, RunState
from backend.billing.services import bill_matching, card_bills, cases, strays
from backend.billing.services.bill_matching import Evidence, Finding
from backend.kernel import audit
from backend.kernel.bulk import copy_rows
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name, lock_row
from backend.kernel.uow import now

_COLUMNS = (
    "run_id",
    "line",
    "kind",
    "number",
    "out_trade_no",
    "amount_fen",
    "channel_number",
    "happened_at",
    "is_final",
)
_CASE_KINDS = {
    DifferenceKind.OURS_ONLY: CaseKind.BILL_OURS_ONLY,
    DifferenceKind.THEIRS_ONLY: CaseKind.BILL_THEIRS_ONLY,
    DifferenceKind.AMOUNT_DIFFERS: CaseKind.BILL_AMOUNT_DIFFERS,
}


def plan_run(
    session: Session, channel: BillChannel, day: dt.date, due_at: dt.datetime
) -> ReconciliationRun:
    """The run of that channel and day; made, due at ``due_at``, when there is none."""
    lock_name(session, f"reconcile:{channel.value}")
    run = session.scalar(
        select(ReconciliationRun).where(
            ReconciliationRun.channel == channel, ReconciliationRun.business_date == day
        )
    )
    if run is None:
        run = ReconciliationRun(
            id=new_id(),
            channel=channel,
            business_date=day,
            state=RunState.DUE,
            next_try_at=due_at,
        )
        session.add(run)
        session.flush()
        _audit(session, "billing.plan_reconciliation", run)
    return run


def begin_run(session: Session, run_id: Id) -> bool:
    """Take the run in hand; False while somebody else fetches it."""
    run = _lock(session, run_id)
    since = run.fetching_since
    is_held = since is not None and now(session) - since < rules.FETCH_LEASE
    if run.state is RunState.FETCHING and is_held:
        return False
    run.state = rules.move(rules.RUN_MOVES, run.state, RunState.FETCHING)
    run.fetching_since = now(session)
    _audit(session, "billing.begin_reconciliation", run)
    return True


def request_run(session: Session, run_id: Id) -> None:
    """Somebody asks for a run once more: the next tick of the clock takes it. RunUnknown (404)."""
    run = lock_row(session, ReconciliationRun, run_id)
    if run is None:
        raise RunUnknown
    if run.state in (RunState.FAILED, RunState.MATCHED):
        run.state = rules.move(rules.RUN_MOVES, run.state, RunState.DUE)
    run.next_try_at = min(run.next_try_at, now(session))
    _audit(session, "billing.request_reconciliation", run)


def fail_run(session: Session, run_id: Id, why: str) -> None:
    """There is no bill to be had, or none that can be believed: later again."""
    run = _lock(session, run_id)
    run.state = rules.move(rules.RUN_MOVES, run.state, RunState.FAILED)
    run.tries += 1
    run.failure = why[:120]
    run.fetching_since = None
    run.next_try_at = now(session) + rules.retry_after(run.tries)
    _audit(session, "billing.fail_reconciliation", run)


def store_bill(session: Session, run_id: Id, bill: Bill, published_from: dt.datetime) -> None:
    """Keep the lines of a fetched bill, in constant memory; nothing to do when it is the stored one.

    GatewayUnknown, and nothing is stored, when the bill lists a number twice, contradicts itself, or is
    empty too soon (see ``rules.is_empty_believed``).
    """
    run = _lock(session, run_id)
    if run.bill_digest == bill.digest:
        return
    session.execute(delete(BillItem).where(BillItem.run_id == run.id))
    lines = (_values(run.id, line, row) for line, row in enumerate(bill.rows, start=1))
    count = copy_rows(session, BillItem, _COLUMNS, lines)
    if not count and not rules.is_empty_believed(
        our_count=bill_matching.count_ours(session, run),
        now=now(session),
        published_from=published_from,
    ):
        raise GatewayUnknown("an empty bill for a day on which we took money")
    if run.channel is BillChannel.BANK_CARD:
        card_bills.put_our_numbers(session, run.id)
    if bill_matching.has_doubled_lines(session, run):
        raise GatewayUnknown("a bill that lists a number twice")
    run.bill_digest = bill.digest
    figures = bill_matching.bill_figures(session, run)
    run.bill_payments, run.bill_payments_fen, run.bill_refunds, run.bill_refunds_fen = figures
    _audit(session, "billing.store_bill", run, lines=count, digest=bill.digest)


def list_evidence(session: Session, run_id: Id) -> list[Evidence]:
    """Lines that say more about our documents than we know; to be applied before matching."""
    run = session.get_one(ReconciliationRun, run_id)
    if run.channel in rules.SELF_RESOLVING:
        return []
    return bill_matching.find_evidence(session, run)


def match_run(session: Session, run_id: Id) -> ReconciliationRun:
    """Hold the stored lines against our books: figures, differences, their cases."""
    run = _lock(session, run_id)
    matched = bill_matching.count_matched(session, run)
    ours = bill_matching.our_figures(session, run)
    run.matched, run.cross_day = matched
    run.our_payments, run.our_payments_fen, run.our_refunds, run.our_refunds_fen = ours
    run.carried = bill_matching.count_carried(session, run)
    known = {
        (row.kind, row.item_kind, row.number): row
        for row in session.scalars(select(Difference).where(Difference.run_id == run.id))
    }
    found: set[tuple[DifferenceKind, BillRowKind, str]] = set()
    for finding in (
        *bill_matching.find_line_differences(session, run),
        *bill_matching.find_unlisted(session, run),
    ):
        found.add(finding.key)
        _note(session, run, finding, known.get(finding.key))
    for key, difference in known.items():
        if key not in found:
            _settle(session, difference, _("再次核对时双方已一致"))
    _settle_listed_since(session, run)
    run.state = rules.move(rules.RUN_MOVES, run.state, RunState.MATCHED)
    run.fetching_since, run.failure, run.matched_at = None, "", now(session)
    _audit(session, "billing.match_bill", run, matched=run.matched, differences=len(found))
    return run


def _note(
    session: Session, run: ReconciliationRun, finding: Finding, known: Difference | None
) -> None:
    """Remember a difference with its case. One that is known, and not settled meanwhile, is left as it is."""
    if known is not None and known.settled_at is None:
        return
    case = _open_case(session, run, finding)
    if known is not None:
        known.settled_at, known.case_id = None, case.id
        known.our_fen, known.their_fen = finding.our_fen, finding.their_fen
        return
    session.add(
        Difference(
            id=new_id(),
            run_id=run.id,
            kind=finding.kind,
            item_kind=finding.item_kind,
            number=finding.number,
            our_fen=finding.our_fen,
            their_fen=finding.their_fen,
            happened_at=finding.happened_at,
            case_id=case.id,
            found_at=now(session),
        )
    )


def _open_case(session: Session, run: ReconciliationRun, finding: Finding) -> MoneyCase:
    """The case of a difference. Money that nobody here knows goes through the books: into suspense, or out of it."""
    if finding.kind is DifferenceKind.THEIRS_ONLY:
        stray = strays.keep_stray(session, run.channel, finding)
        if stray is not None:
            return stray
    fen = finding.their_fen if finding.our_fen is None else finding.our_fen
    return cases.open_case(
        session,
        _CASE_KINDS[finding.kind],
        reference=finding.number,
        hospital_id=finding.hospital_id,
        amount_fen=fen or 0,
        payment_id=finding.payment_id,
        refund_id=finding.refund_id,
        bill_channel=run.channel.value,
        business_date=run.business_date.isoformat(),
        our_fen=finding.our_fen,
        their_fen=finding.their_fen,
    )


def _settle_listed_since(session: Session, run: ReconciliationRun) -> None:
    """Documents that another day's bill missed and this one lists, over the same amount."""
    listed = (
        select(Difference)
        .join(
            BillItem,
            (BillItem.number == Difference.number)
            & (BillItem.kind == Difference.item_kind)
            & (BillItem.amount_fen == Difference.our_fen),
        )
        .where(
            BillItem.run_id == run.id,
            Difference.run_id != run.id,
            Difference.kind == DifferenceKind.OURS_ONLY,
            Difference.settled_at.is_(None),
        )
    )
    for difference in session.scalars(listed):
        _settle(session, difference, _("%(day)s 的账单已列出", day=run.business_date.isoformat()))


def _settle(session: Session, difference: Difference, reason: str) -> None:
    """Both sides agree by now. A stray's case stays open: its money still lies in suspense."""
    if difference.settled_at is not None:
        return
    difference.settled_at = now(session)
    case = session.get_one(MoneyCase, difference.case_id)
    if case.kind in _CASE_KINDS.values() and case.state is CaseState.OPEN:
        cases.close_settled_cases(session, case.kind, case.reference, reason)


def _values(run_id: Id, line: int, row: BillRow) -> tuple[object, ...]:
    return (
        run_id,
        line,
        row.kind.value,
        row.number[:64],
        row.out_trade_no[:64],
        row.amount_fen,
        row.channel_number[:64],
        row.happened_at,
        row.is_final,
    )


def _lock(session: Session, run_id: Id) -> ReconciliationRun:
    run = lock_row(session, ReconciliationRun, run_id)
    if run is None:
        raise LookupError(f"no reconciliation run {run_id}")
    return run


def _audit(session: Session, action: str, run: ReconciliationRun, **detail: int | str) -> None:
    audit.record(
        session,
        action,
        entity="reconciliation_run",
        entity_id=run.id,
        bill_channel=run.channel,
        business_date=run.business_date,
        state=run.state,
        facts=detail,
    )
