"""The first half of ``xinglin ledger verify``: replays the ledger from the documents and explains every fen.

Every entry must be exactly what the rules say its charge, payment, refund or case posts; every
document must have its entries; account totals must equal the documents'; bills must equal their
charges and payments, prepaid balances their postings; numbers must have no gaps (``documents``).
Each problem names its row. Never writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.models import (
    Charge,
    JournalEntry,
    MoneyCase,
    Payment,
    Posting,
    Refund,
    RefundLine,
)
from backend.billing.rules import (
    CaseKind,
    ChargeState,
    EntryKind,
    Line,
    RefundState,
    Tender,
)
from backend.billing.verify.closing import check_closings
from backend.billing.verify.documents import check_documents
from backend.billing.verify.reconciliation import check_reconciliation
from backend.kernel.ids import Id
from backend.kernel.verify import VerifyReport

CHUNK = 1000
_CHARGES_OF_PAID = [ChargeState.PAID, ChargeState.REFUNDED]
#: What a document should have posted: a kind of entry and its lines.
Expected = dict[EntryKind, tuple[Line, ...]]


def verify_ledger(session: Session) -> VerifyReport:
    """Replay everything; the report says how many rows were checked and names each wrong one."""
    report = VerifyReport()
    replay = _Replay(session, report)
    replay.documents("charges", Charge, _expect_charge)
    replay.documents("payments", Payment, _expect_payment)
    replay.refunds()
    replay.documents("money cases", MoneyCase, _expect_case)
    replay.find_orphans()
    replay.check_totals()
    check_documents(session, report)
    check_reconciliation(session, report)
    check_closings(session, report)
    return report


def _expect_charge(charge: Any) -> Expected:
    expected: Expected = {
        EntryKind.CHARGE_RAISED: rules.charge_raised(charge.category, charge.amount_fen)
    }
    if charge.account_id is not None and charge.state in _CHARGES_OF_PAID:
        expected[EntryKind.DEPOSIT_TOPPED_UP] = rules.deposit_topped_up(
            charge.amount_fen, charge.account_id
        )
    if charge.state is ChargeState.CANCELLED:
        expected[EntryKind.CHARGE_CANCELLED] = rules.charge_cancelled(
            charge.category, charge.amount_fen
        )
    return expected


def _expect_payment(payment: Any) -> Expected:
    if not payment.received_fen:
        return {}
    if payment.is_suspended and payment.released_at is None:
        return {
            EntryKind.PAYMENT_SUSPENDED: rules.payment_suspended(
                payment.tender, payment.received_fen
            )
        }
    expected: Expected = {
        EntryKind.PAYMENT_RECEIVED: rules.payment_received(
            payment.tender, payment.received_fen, payment.account_id
        )
    }
    if payment.is_suspended:
        expected[EntryKind.PAYMENT_RELEASED] = rules.payment_released(payment.received_fen)
    return expected


def _expect_case(case: Any) -> Expected:
    tender = case.tender or Tender.WECHAT_NATIVE
    if case.kind is CaseKind.UNKNOWN_REFUND:
        return {EntryKind.STRAY_REFUNDED: rules.stray_refunded(tender, case.amount_fen)}
    if case.kind is not CaseKind.UNKNOWN_ORDER:
        return {}
    return {EntryKind.STRAY_RECEIVED: rules.payment_suspended(tender, case.amount_fen)}


def _expect_refund(
    refund: Any, payment: Any, parts: list[tuple[rules.PriceCategory, int]], holder: Id | None
) -> Expected:
    expected: Expected = (
        {EntryKind.SUSPENSE_OWED: rules.suspense_owed(refund.amount_fen)}
        if payment.is_suspended
        else {EntryKind.REFUND_OWED: rules.refund_owed(parts, holder)}
    )
    if refund.state is RefundState.SUCCEEDED:
        expected[EntryKind.REFUND_PAID] = rules.refund_paid(
            payment.tender, refund.amount_fen, payment.account_id
        )
    return expected


class _Replay:
    """One pass over the documents; remembers what each account should hold."""

    def __init__(self, session: Session, report: VerifyReport) -> None:
        self._session = session
        self._report = report
        self._totals: dict[str, int] = defaultdict(int)
        self._entries_seen = 0

    def documents(self, what: str, model: Any, expect: Callable[[Any], Expected]) -> None:
        """Compare the entries of every row of ``model`` with what the rules post for it."""
        for rows in self._chunks(model):
            self._report.count(what, len(rows))
            self._compare(what, {row.id: self._expected(what, row.id, expect, row) for row in rows})

    def refunds(self) -> None:
        """Refunds need their lines and their payment's tender to say what they post."""
        for rows in self._chunks(Refund):
            self._report.count("refunds", len(rows))
            parts: dict[Id, list[tuple[rules.PriceCategory, int]]] = defaultdict(list)
            lines = (
                select(
                    RefundLine.refund_id, Charge.category, RefundLine.amount_fen, Charge.account_id
                )
                .join(Charge, Charge.id == RefundLine.charge_id)
                .where(RefundLine.refund_id.in_([row.id for row in rows]))
            )
            holders: dict[Id, Id] = {}
            for refund_id, category, amount_fen, account_id in self._session.execute(lines):
                parts[refund_id].append((category, amount_fen))
                if account_id is not None:
                    holders[refund_id] = account_id
            payments = {
                row.id: row
                for row in self._session.execute(
                    select(
                        Payment.id, Payment.tender, Payment.is_suspended, Payment.account_id
                    ).where(Payment.id.in_({row.payment_id for row in rows}))
                )
            }
            expected = {
                row.id: self._expected(
                    "refunds",
                    row.id,
                    _expect_refund,
                    row,
                    payments[row.payment_id],
                    parts[row.id],
                    holders.get(row.id),
                )
                for row in rows
            }
            self._compare("refunds", expected)

    def _expected(
        self, what: str, row_id: Id, expect: Callable[..., Expected], *of: Any
    ) -> Expected:
        """What a document should have posted; one that the rules cannot post for is a problem itself."""
        try:
            return expect(*of)
        except ValueError as error:
            self._report.problem(f"{what}: {row_id} cannot be posted: {error}")
            return {}

    def find_orphans(self) -> None:
        """Entries that belong to no document at all."""
        total = self._session.scalar(select(func.count()).select_from(JournalEntry)) or 0
        if total == self._entries_seen:
            return
        documents = (Charge, Payment, Refund, MoneyCase)
        orphans = select(JournalEntry.id, JournalEntry.kind, JournalEntry.source_id).where(
            *(
                ~select(model.id).where(model.id == JournalEntry.source_id).exists()
                for model in documents
            )
        )
        found = self._session.execute(orphans).all()
        for entry_id, kind, source_id in found:
            self._report.problem(
                f"journal entry {entry_id} ({kind.value}) has no document {source_id}"
            )
        if not found:
            self._report.problem(
                f"{total} journal entries are there, {self._entries_seen} explained"
            )

    def check_totals(self) -> None:
        """What each account holds against what the documents say it should."""
        sums = select(Posting.account, func.sum(Posting.amount_fen)).group_by(Posting.account)
        held = {account: int(fen) for account, fen in self._session.execute(sums)}
        for account in sorted({*held, *self._totals}):
            self._report.count("accounts")
            if account not in rules.ACCOUNTS:
                self._report.problem(f"account {account} is not in the chart of accounts")
            holds, should = held.get(account, 0), self._totals.get(account, 0)
            if holds != should:
                self._report.problem(
                    f"account {account} holds {holds} fen, the documents say {should}"
                )
        if total := sum(held.values()):
            self._report.problem(f"all postings together are {total} fen, not 0")

    def _chunks(self, model: Any) -> Iterator[list[Any]]:
        """All rows by id, ``CHUNK`` at a time, as plain rows (no entity is kept)."""
        last: Id | None = None
        while True:
            statement = select(*model.__table__.c).order_by(model.id).limit(CHUNK)
            if last is not None:
                statement = statement.where(model.id > last)
            rows = list(self._session.execute(statement))
            if rows:
                yield rows
            if len(rows) < CHUNK:
                return
            last = rows[-1].id

    def _compare(self, what: str, expected: Mapping[Id, Expected]) -> None:
        found: dict[Id, dict[EntryKind, tuple[Id, list[Any]]]] = defaultdict(dict)
        entries = (
            select(
                JournalEntry.id.label("entry_id"),
                JournalEntry.kind,
                JournalEntry.source_id,
                Posting.line,
                Posting.account,
                Posting.amount_fen,
                Posting.holder_id,
            )
            .outerjoin(Posting, Posting.entry_id == JournalEntry.id)
            .where(JournalEntry.source_id.in_(expected))
        )
        for row in self._session.execute(entries):
            entry = found[row.source_id].setdefault(row.kind, (row.entry_id, []))
            if row.line is not None:
                entry[1].append(row)
        for source_id, wanted in expected.items():
            entries_of = found.get(source_id, {})
            self._entries_seen += len(entries_of)
            self._report.count("journal entries", len(entries_of))
            for kind, lines in wanted.items():
                for line in lines:
                    self._totals[line.account] += line.amount_fen
                if kind in entries_of:
                    self._compare_lines(kind, source_id, *entries_of[kind], lines)
                elif lines:
                    self._report.problem(f"{what}: {source_id} has not posted {kind.value}")
            for kind in entries_of.keys() - wanted.keys():
                self._report.problem(
                    f"journal entry {entries_of[kind][0]}: {source_id} must not post {kind.value}"
                )

    def _compare_lines(
        self,
        kind: EntryKind,
        source_id: Id,
        entry_id: Id,
        postings: list[Any],
        lines: Iterable[Line],
    ) -> None:
        self._report.count("postings", len(postings))
        missing = list(lines)
        for posting in postings:
            line = Line(posting.account, posting.amount_fen, posting.holder_id)
            if line in missing:
                missing.remove(line)
                continue
            self._report.problem(
                f"posting {posting.line} of entry {entry_id} ({kind.value} of {source_id}):"
                f" {line.amount_fen} fen on {line.account} is not explained"
            )
        for line in missing:
            self._report.problem(
                f"entry {entry_id} ({kind.value} of {source_id}) lacks"
                f" {line.amount_fen} fen on {line.account}"
            )
        if imbalance := sum(posting.amount_fen for posting in postings):
            self._report.problem(f"entry {entry_id} does not balance: {imbalance} fen too much")
