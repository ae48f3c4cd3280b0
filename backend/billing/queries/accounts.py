"""Reads of prepaid accounts and their statements."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.billing.errors import AccountUnknown
from backend.billing.models import Charge, DepositAccount, JournalEntry, Posting
from backend.billing.queries.bills import is_foreign
from backend.billing.rules import DEPOSIT, AccountKind, ChargeState
from backend.billing.views import AccountView, DayCharge, StatementLine, StatementView
from backend.kernel.clock import day_bounds
from backend.kernel.ids import Id


def account_view(account: DepositAccount) -> AccountView:
    """The view of an account that is at hand."""
    return AccountView(
        id=account.id,
        patient_id=account.patient_id,
        kind=account.kind,
        state=account.state,
        balance_fen=account.balance_fen,
        opened_at=account.opened_at,
    )


def get_account(session: Session, account_id: Id) -> AccountView:
    """One account; AccountUnknown (404)."""
    account = session.get(DepositAccount, account_id)
    if account is None or is_foreign(session, account.hospital_id):
        raise AccountUnknown
    return account_view(account)


def find_account(session: Session, patient_id: Id, *, hospital_id: Id) -> AccountView | None:
    """The patient's outpatient account in this hospital, if there is one."""
    account = session.scalar(
        select(DepositAccount).where(
            DepositAccount.patient_id == patient_id,
            DepositAccount.hospital_id == hospital_id,
            DepositAccount.kind == AccountKind.OUTPATIENT,
        )
    )
    return account_view(account) if account is not None else None


def get_statement(
    session: Session, account_id: Id, *, first: dt.date, last: dt.date
) -> StatementView:
    """What came and went from ``first`` to ``last`` (business dates, both included), from the ledger itself.

    Two statements beside the account's.
    """
    account = get_account(session, account_id)
    of_account = (Posting.holder_id == account_id, Posting.account == DEPOSIT)
    before = session.scalar(
        select(-func.coalesce(func.sum(Posting.amount_fen), 0))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(*of_account, JournalEntry.business_date < first)
    )
    rows = session.execute(
        select(
            JournalEntry.posted_at,
            JournalEntry.business_date,
            JournalEntry.kind,
            JournalEntry.source_id,
            -Posting.amount_fen,
        )
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(*of_account, JournalEntry.business_date.between(first, last))
        .order_by(JournalEntry.posted_at, JournalEntry.id)
    )
    lines = tuple(StatementLine(*row) for row in rows)
    opening_fen = int(before or 0)
    return StatementView(
        account=account,
        first=first,
        last=last,
        opening_fen=opening_fen,
        closing_fen=opening_fen + sum(line.amount_fen for line in lines),
        lines=lines,
    )


def list_day_charges(session: Session, patient_id: Id, day: dt.date) -> list[DayCharge]:
    """What a patient was charged on one business date and not cancelled (一日清单), by category and time."""
    first, after = day_bounds(day)
    rows = session.scalars(
        select(Charge)
        .where(
            Charge.patient_id == patient_id,
            Charge.raised_at >= first,
            Charge.raised_at < after,
            Charge.state != ChargeState.CANCELLED,
            Charge.account_id.is_(None),
        )
        .order_by(Charge.category, Charge.id)
    )
    return [
        DayCharge(
            category=row.category,
            name=row.name,
            unit=row.unit,
            quantity=row.quantity,
            amount_fen=row.amount_fen,
            refunded_fen=row.refunded_fen,
            raised_at=row.raised_at,
        )
        for row in rows
    ]
