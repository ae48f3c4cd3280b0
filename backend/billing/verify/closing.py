"""Closed shifts and days are what the ledger says: recomputed from their entries and compared."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.billing import queries
from backend.billing.models import CashierShift, DayClose, DayLine, ShiftEntry, ShiftLine
from backend.billing.rules import Tender
from backend.kernel.ids import Id
from backend.kernel.verify import VerifyReport

Sums = dict[tuple[str, ...], tuple[int, int]]


def check_closings(session: Session, report: VerifyReport) -> None:
    """Add to ``report`` every closed shift or day whose sums are not those of its entries."""
    _shifts(session, report)
    _days(session, report)


def _shifts(session: Session, report: VerifyReport) -> None:
    moves = queries.movements()
    keys = (ShiftEntry.shift_id, moves.c.tender, moves.c.kind)
    counted = (
        select(*keys, func.count(), func.sum(moves.c.fen))
        .join(moves, moves.c.entry_id == ShiftEntry.entry_id)
        .group_by(*keys)
    )
    moved: dict[Id, Sums] = defaultdict(dict)
    for shift_id, tender, kind, count, fen in session.execute(counted):
        moved[shift_id][Tender(tender).value, str(kind)] = int(count), int(fen)
    noted: dict[Id, Sums] = defaultdict(dict)
    for line in session.scalars(select(ShiftLine)):
        noted[line.shift_id][line.tender.value, line.kind.value] = line.count, line.amount_fen
    for shift in session.scalars(select(CashierShift)):
        report.count("cashier shifts")
        if moved[shift.id] != noted[shift.id]:
            report.problem(f"shift {shift.id} of {shift.label} is not what its entries add up to")
        cash = sum(fen for (tender, _k), (_n, fen) in moved[shift.id].items() if tender == "cash")
        entries = sum(count for count, _fen in moved[shift.id].values())
        if (shift.cash_fen, shift.entries) != (cash, entries):
            report.problem(
                f"shift {shift.id} of {shift.label} notes {shift.cash_fen} fen of cash in"
                f" {shift.entries} entries, they are {cash} in {entries}"
            )
    others = (
        select(ShiftEntry.entry_id, CashierShift.id)
        .join(CashierShift, CashierShift.id == ShiftEntry.shift_id)
        .join(moves, moves.c.entry_id == ShiftEntry.entry_id)
        .where(or_(moves.c.actor_id.is_(None), moves.c.actor_id != CashierShift.account_id))
    )
    for entry_id, shift_id in session.execute(others):
        report.problem(f"journal entry {entry_id} in shift {shift_id} is another cashier's")


def _days(session: Session, report: VerifyReport) -> None:
    lines: dict[Id, Sums] = defaultdict(dict)
    for line in session.scalars(select(DayLine)):
        key = line.tender.value, line.kind.value, line.channel.value
        lines[line.day_id][key] = line.count, line.amount_fen
    for closed in session.scalars(select(DayClose)):
        report.count("closed days")
        name = f"closed day {closed.business_date} of hospital {closed.hospital_id}"
        sums: Sums = {
            (tender.value, str(kind), channel.value): (int(count), int(fen))
            for tender, kind, channel, count, fen in queries.sum_day(
                session, closed.hospital_id, closed.business_date
            )
        }
        if sums != lines[closed.id]:
            report.problem(f"{name} is not what the moves of that day add up to")
        for account in queries.disagreeing_accounts(
            session, closed.hospital_id, closed.business_date
        ):
            report.problem(f"{name}: {account} holds other postings than its moves")
