"""Money's moves: each ledger entry that moved a tender's money, with who moved it, where and why.

The amounts are the documents'; the ledger's verifier proves that they are what was posted.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Select, Subquery, case, exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from backend.billing.models import Invoice, JournalEntry, Payment, Posting, Refund, ShiftEntry
from backend.billing.rules import MONEY_ACCOUNTS, Channel, EntryKind, MovementKind, Tender
from backend.kernel.ids import Id
from backend.kernel.permissions import ActorKind

#: Bills of this series are top-ups of prepaid accounts.
TOP_UP_SERIES = "D%"
_RECEIVED = (EntryKind.PAYMENT_RECEIVED, EntryKind.PAYMENT_SUSPENDED)


def movements(*conditions: Any, actor_id: Id | None = None) -> Subquery:
    """A table of moves: entry_id, tender, kind, channel, actor, signed fen.

    ``conditions`` are on the ledger entry; ``actor_id`` leaves only what that account moved.
    """
    received = _of(Payment, Payment.received_fen, MovementKind.TOP_UP, MovementKind.PAYMENT)
    received = received.select_from(JournalEntry).join(
        Payment, Payment.id == JournalEntry.source_id
    )
    given = _of(Refund, -Refund.amount_fen, MovementKind.WITHDRAWAL, MovementKind.REFUND)
    given = (
        given.select_from(JournalEntry)
        .join(Refund, Refund.id == JournalEntry.source_id)
        .join(Payment, Payment.id == Refund.payment_id)
    )
    of_bill = Invoice.id == Payment.invoice_id
    if actor_id is not None:
        received = received.where(Payment.actor_id == actor_id)
        given = given.where(Refund.actor_id == actor_id)
    return union_all(
        received.join(Invoice, of_bill).where(JournalEntry.kind.in_(_RECEIVED), *conditions),
        given.join(Invoice, of_bill).where(JournalEntry.kind == EntryKind.REFUND_PAID, *conditions),
    ).subquery("movements")


def _of(
    document: type[Payment | Refund], fen: Any, top_up: MovementKind, other: MovementKind
) -> Select[Any]:
    kind = case((Invoice.series.like(TOP_UP_SERIES), top_up.value), else_=other.value)
    return select(
        JournalEntry.id.label("entry_id"),
        JournalEntry.posted_at.label("posted_at"),
        Payment.tender.label("tender"),
        kind.label("kind"),
        document.channel.label("channel"),
        document.actor_kind.label("actor_kind"),
        document.actor_id.label("actor_id"),
        document.actor_label.label("actor_label"),
        fen.label("fen"),
    )


def in_no_shift(moves: Subquery) -> Any:
    """True of a move that no closed shift has."""
    return ~exists(literal(1)).where(ShiftEntry.entry_id == moves.c.entry_id)


def day_of_hospital(hospital_id: Id, day: dt.date) -> tuple[Any, ...]:
    """The conditions of a hospital's business date."""
    return JournalEntry.hospital_id == hospital_id, JournalEntry.business_date == day


def sum_day(session: Session, hospital_id: Id, day: dt.date) -> list[Any]:
    """Rows (tender, kind, channel, count, fen) of a hospital's business date."""
    moves = movements(*day_of_hospital(hospital_id, day))
    keys = (moves.c.tender, moves.c.kind, moves.c.channel)
    rows = select(*keys, func.count(), func.sum(moves.c.fen)).group_by(*keys).order_by(*keys)
    return list(session.execute(rows))


def sum_ledger_day(session: Session, hospital_id: Id, day: dt.date) -> dict[str, int]:
    """What was posted to each money account on a hospital's business date."""
    rows = session.execute(
        select(Posting.account, func.sum(Posting.amount_fen))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(*day_of_hospital(hospital_id, day), Posting.account.in_(MONEY_ACCOUNTS))
        .group_by(Posting.account)
    )
    return {account: int(fen) for account, fen in rows}


def count_payments(
    session: Session, hospital_id: Id, first: dt.date, last: dt.date
) -> list[tuple[dt.date, Channel, int]]:
    """Payments that paid, top-ups among them, by business date and channel."""
    keys = (JournalEntry.business_date, Payment.channel)
    rows = session.execute(
        select(*keys, func.count())
        .join(Payment, Payment.id == JournalEntry.source_id)
        .where(
            JournalEntry.kind == EntryKind.PAYMENT_RECEIVED,
            JournalEntry.hospital_id == hospital_id,
            JournalEntry.business_date >= first,
            JournalEntry.business_date <= last,
        )
        .group_by(*keys)
    )
    return [(day, Channel(channel), int(number)) for day, channel, number in rows]


def sum_ledger_days(
    session: Session, hospital_id: Id, first: dt.date, last: dt.date
) -> dict[dt.date, int]:
    """What all money accounts together took, net, on each business date that had postings to them."""
    rows = session.execute(
        select(JournalEntry.business_date, func.sum(Posting.amount_fen))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(
            JournalEntry.hospital_id == hospital_id,
            JournalEntry.business_date >= first,
            JournalEntry.business_date <= last,
            Posting.account.in_(MONEY_ACCOUNTS),
        )
        .group_by(JournalEntry.business_date)
    )
    return {row[0]: int(row[1]) for row in rows}


def open_cashiers(session: Session, hospital_id: Id, day: dt.date) -> dict[str, int]:
    """Staff with moves of that day that no closed shift has: label and their money in fen, without balances'."""
    moves = movements(*day_of_hospital(hospital_id, day))
    rows = session.execute(
        select(
            moves.c.actor_label,
            func.sum(case((moves.c.tender == Tender.PREPAID, 0), else_=moves.c.fen)),
        )
        .where(moves.c.actor_kind == ActorKind.STAFF, in_no_shift(moves))
        .group_by(moves.c.actor_label)
        .order_by(moves.c.actor_label)
    )
    return {label: int(fen) for label, fen in rows}


def unclosed_moves(
    session: Session, account_id: Id, *, hospital_id: Id, since: dt.date | None
) -> list[Any]:
    """A cashier's moves that no closed shift has, oldest first; ``since`` a business date bounds the search."""
    conditions = [JournalEntry.hospital_id == hospital_id]
    if since is not None:
        conditions.append(JournalEntry.business_date >= since)
    moves = movements(*conditions, actor_id=account_id)
    rows = select(moves).where(in_no_shift(moves))
    return list(session.execute(rows.order_by(moves.c.posted_at, moves.c.entry_id)))
