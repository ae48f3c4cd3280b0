"""Reads of shifts and days: what a cashier has in hand, what was closed, what a day holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing.errors import ShiftUnknown
from backend.billing.models import CashierShift, DayClose, DayLine, ShiftLine
from backend.billing.queries.bills import is_foreign
from backend.billing.queries.movements import (
    open_cashiers,
    sum_day,
    sum_ledger_day,
    unclosed_moves,
)
from backend.billing.rules import (
    MONEY_ACCOUNTS,
    TENDER_ACCOUNTS,
    Channel,
    MovementKind,
    Tender,
    can_close_day,
)
from backend.kernel.clock import business_date
from backend.kernel.ids import Id
from backend.kernel.uow import now


@dataclass(frozen=True, slots=True)
class MoveLine:
    """How often and how much; what went out is negative. ``channel`` only in a day's lines."""

    tender: Tender
    kind: MovementKind
    count: int
    fen: int
    channel: Channel | None = None


def net_of(lines: Iterable[MoveLine]) -> int:
    """Money that came less money that went, in fen. What a balance paid came when the account was topped up."""
    return sum(line.fen for line in lines if line.tender is not Tender.PREPAID)


@dataclass(frozen=True, slots=True)
class ShiftView:
    """A shift: closed for good, or (``id`` None) what its cashier has in hand now."""

    id: Id | None
    hospital_id: Id
    account_id: Id
    label: str
    opened_at: dt.datetime | None
    closed_at: dt.datetime | None
    entries: int
    cash_fen: int
    #: The float (备用金) beside what was counted; before the count, what it was last time.
    float_fen: int
    counted_fen: int
    difference_fen: int
    pieces: dict[int, int]
    reason: str
    handed_to: str
    lines: tuple[MoveLine, ...]

    @property
    def net_fen(self) -> int:
        """Everything taken less everything given back; see ``net_of``."""
        return net_of(self.lines)


@dataclass(frozen=True, slots=True)
class DayView:
    """A hospital's business date: frozen (``closed_at``), or as the ledger has it by now."""

    business_date: dt.date
    closed_at: dt.datetime | None
    closed_by: str
    note: str
    open_cashiers: dict[str, int]
    can_close: bool
    lines: tuple[MoveLine, ...]

    @property
    def net_fen(self) -> int:
        """Everything taken less everything given back; see ``net_of``."""
        return net_of(self.lines)


def last_shift(session: Session, account_id: Id) -> CashierShift | None:
    """The newest closed shift of a cashier."""
    return session.scalar(
        select(CashierShift)
        .where(CashierShift.account_id == account_id)
        .order_by(CashierShift.closed_at.desc())
        .limit(1)
    )


def list_unclosed(
    session: Session, account_id: Id, *, hospital_id: Id, last: CashierShift | None
) -> list[Any]:
    """A cashier's moves that no shift has. Whatever the last close did not see was begun that day or later."""
    since = business_date(last.closed_at) - dt.timedelta(days=1) if last is not None else None
    return unclosed_moves(session, account_id, hospital_id=hospital_id, since=since)


def sum_moves(moves: Iterable[Any]) -> dict[tuple[Tender, MovementKind], tuple[int, int]]:
    """Count and fen of each tender and kind."""
    lines: dict[tuple[Tender, MovementKind], tuple[int, int]] = {}
    for move in moves:
        key = Tender(move.tender), MovementKind(move.kind)
        count, fen = lines.get(key, (0, 0))
        lines[key] = count + 1, fen + int(move.fen)
    return dict(sorted(lines.items()))


def get_open_shift(session: Session, account_id: Id, *, hospital_id: Id, label: str) -> ShiftView:
    """What a cashier has in hand now (3 statements at most)."""
    last = last_shift(session, account_id)
    moves = list_unclosed(session, account_id, hospital_id=hospital_id, last=last)
    lines = tuple(MoveLine(*key, *sums) for key, sums in sum_moves(moves).items())
    first = moves[0].posted_at if moves else None
    return ShiftView(
        id=None,
        hospital_id=hospital_id,
        account_id=account_id,
        label=label,
        opened_at=last.closed_at if last is not None else first,
        closed_at=None,
        entries=len(moves),
        cash_fen=sum(line.fen for line in lines if line.tender is Tender.CASH),
        float_fen=last.float_fen if last is not None else 0,
        counted_fen=0,
        difference_fen=0,
        pieces={},
        reason="",
        handed_to="",
        lines=lines,
    )


def get_shift(session: Session, shift_id: Id) -> ShiftView:
    """One closed shift; ShiftUnknown (404), also for another hospital's."""
    shift = session.get(CashierShift, shift_id)
    if shift is None or is_foreign(session, shift.hospital_id):
        raise ShiftUnknown
    return _shift_views(session, [shift])[0]


def list_shifts(
    session: Session,
    hospital_id: Id,
    *,
    account_id: Id | None = None,
    closed_from: dt.datetime | None = None,
    closed_before: dt.datetime | None = None,
    limit: int = 30,
) -> list[ShiftView]:
    """Closed shifts of a hospital or one cashier, newest first (2 statements)."""
    statement = select(CashierShift).where(CashierShift.hospital_id == hospital_id)
    if account_id is not None:
        statement = statement.where(CashierShift.account_id == account_id)
    if closed_from is not None:
        statement = statement.where(CashierShift.closed_at >= closed_from)
    if closed_before is not None:
        statement = statement.where(CashierShift.closed_at < closed_before)
    rows = session.scalars(statement.order_by(CashierShift.closed_at.desc()).limit(limit))
    return _shift_views(session, list(rows))


def _shift_views(session: Session, shifts: Sequence[CashierShift]) -> list[ShiftView]:
    lines: dict[Id, list[MoveLine]] = {shift.id: [] for shift in shifts}
    of_shifts = select(ShiftLine).where(ShiftLine.shift_id.in_(lines))
    for line in session.scalars(of_shifts.order_by(ShiftLine.tender, ShiftLine.kind)):
        lines[line.shift_id].append(MoveLine(line.tender, line.kind, line.count, line.amount_fen))
    return [
        ShiftView(
            id=shift.id,
            hospital_id=shift.hospital_id,
            account_id=shift.account_id,
            label=shift.label,
            opened_at=shift.opened_at,
            closed_at=shift.closed_at,
            entries=shift.entries,
            cash_fen=shift.cash_fen,
            float_fen=shift.float_fen,
            counted_fen=shift.counted_fen,
            difference_fen=shift.difference_fen,
            pieces={int(fen): int(number) for fen, number in shift.pieces.items()},
            reason=shift.reason,
            handed_to=shift.handed_to,
            lines=tuple(lines[shift.id]),
        )
        for shift in shifts
    ]


def get_day(session: Session, hospital_id: Id, day: dt.date) -> DayView:
    """A business date of a hospital, frozen or as it stands."""
    closed = session.scalar(
        select(DayClose).where(DayClose.hospital_id == hospital_id, DayClose.business_date == day)
    )
    if closed is None:
        rows = sum_day(session, hospital_id, day)
        return DayView(
            business_date=day,
            closed_at=None,
            closed_by="",
            note="",
            open_cashiers=open_cashiers(session, hospital_id, day),
            can_close=can_close_day(day, now(session)),
            lines=tuple(
                MoveLine(tender, MovementKind(kind), int(count), int(fen), Channel(channel))
                for tender, kind, channel, count, fen in rows
            ),
        )
    lines = session.scalars(
        select(DayLine)
        .where(DayLine.day_id == closed.id)
        .order_by(DayLine.tender, DayLine.kind, DayLine.channel)
    )
    return DayView(
        business_date=day,
        closed_at=closed.closed_at,
        closed_by=closed.closed_by,
        note=closed.note,
        open_cashiers={label: int(fen) for label, fen in closed.open_cashiers.items()},
        can_close=False,
        lines=tuple(
            MoveLine(line.tender, line.kind, line.count, line.amount_fen, line.channel)
            for line in lines
        ),
    )


def list_closed_days(
    session: Session, hospital_id: Id, first: dt.date, last: dt.date
) -> dict[dt.date, tuple[dt.datetime, str]]:
    """Which of these days were closed, when and by whom."""
    rows = session.execute(
        select(DayClose.business_date, DayClose.closed_at, DayClose.closed_by).where(
            DayClose.hospital_id == hospital_id,
            DayClose.business_date >= first,
            DayClose.business_date <= last,
        )
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def disagreeing_accounts(session: Session, hospital_id: Id, day: dt.date) -> list[str]:
    """Money accounts that hold other postings of that day than its moves add up to: none, or the books are wrong."""
    moved = add_up(
        (Tender(tender), int(fen)) for tender, _k, _c, _n, fen in sum_day(session, hospital_id, day)
    )
    posted = sum_ledger_day(session, hospital_id, day)
    return sorted(
        account for account in MONEY_ACCOUNTS if moved.get(account, 0) != posted.get(account, 0)
    )


def add_up(amounts: Iterable[tuple[Tender, int]]) -> dict[str, int]:
    """Amounts by tender as sums by the account their money lies in."""
    sums: dict[str, int] = {}
    for tender, fen in amounts:
        account = TENDER_ACCOUNTS[tender]
        sums[account] = sums.get(account, 0) + fen
    return sums
