"""The bank's terminals: held by one worker at a time, signed on each day, numbered, settled batch by batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.billing.models import CardAct, CardSettlement, CardTerminal
from backend.billing.models.cards import KEY_CONTEXT
from backend.billing.ports import BatchTotals, Line, SignedOn
from backend.billing.rules import CaseKind, Tender
from backend.billing.rules.cards import HOLD_SECONDS, CardActKind, CardActState
from backend.billing.services import cases
from backend.kernel import audit
from backend.kernel.clock import day_bounds
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import claim, lock_row
from backend.kernel.uow import keys, now, today

_OPEN = (CardActState.CREATED, CardActState.SENDING, CardActState.REVERSING)


@dataclass(frozen=True, slots=True)
class HeldTerminal:
    """A terminal that is ours for a moment; without a line it has to sign on first."""

    id: Id
    terminal_id: str
    line: Line | None


def hold_terminal(
    session: Session, terminal_ids: Iterable[str], *, own: str | None = None
) -> HeldTerminal | None:
    """Take a terminal nobody speaks on, for a minute at most; None when all are taken.

    ``own`` is the one terminal on which an unanswered message has to be undone or repeated; every other
    act keeps off a terminal that has an unanswered sale.
    """
    _ensure_terminals(session, terminal_ids)
    wanted = [own] if own is not None else list(terminal_ids)
    moment = now(session)
    doubtful = select(CardAct.terminal_id).where(
        CardAct.state.in_((CardActState.REVERSING, CardActState.SENDING)),
        CardAct.kind == CardActKind.SALE,
        CardAct.terminal_id.is_not(None),
    )
    free = (
        select(CardTerminal)
        .where(
            CardTerminal.terminal_id.in_(wanted),
            (CardTerminal.held_until.is_(None)) | (CardTerminal.held_until <= moment),
        )
        .order_by(CardTerminal.terminal_id)
        .limit(1)
    )
    if own is None:
        free = free.where(CardTerminal.terminal_id.not_in(doubtful))
    found = claim(session, free)
    if not found:
        return None
    terminal = found[0]
    terminal.held_until = moment + dt.timedelta(seconds=HOLD_SECONDS)
    line = None
    if terminal.mac_key_sealed is not None and terminal.signed_on == today(session):
        key = bytes.fromhex(keys(session).open(terminal.mac_key_sealed, KEY_CONTEXT))
        line = Line(terminal.terminal_id, terminal.batch, key)
    return HeldTerminal(terminal.id, terminal.terminal_id, line)


def release_terminal(session: Session, terminal_id: Id) -> None:
    """Let others speak on it."""
    _lock_terminal(session, terminal_id).held_until = None


def next_stan(session: Session, terminal_id: Id) -> str:
    """The terminal's next trace number: without a gap, from 1 again only after 999999.

    A batch may go on over midnight, and the bank knows a message by terminal, batch and trace number.
    """
    terminal = _lock_terminal(session, terminal_id)
    terminal.last_trace = terminal.last_trace % 999_999 + 1
    return f"{terminal.last_trace:06d}"


def store_sign_on(session: Session, terminal_id: Id, signed_on: SignedOn) -> Line:
    """Keep a fresh working key, sealed."""
    terminal = _lock_terminal(session, terminal_id)
    terminal.batch, terminal.signed_on = signed_on.batch, today(session)
    terminal.mac_key_sealed = keys(session).seal(signed_on.mac_key.hex(), KEY_CONTEXT)
    _audit_terminal(session, "billing.sign_on_card_terminal", terminal)
    return Line(terminal.terminal_id, signed_on.batch, signed_on.mac_key)


def forget_sign_on(session: Session, terminal_id: Id) -> None:
    """The bank does not know the key any more."""
    terminal = _lock_terminal(session, terminal_id)
    terminal.mac_key_sealed = None
    _audit_terminal(session, "billing.forget_card_key", terminal)


def _ensure_terminals(session: Session, terminal_ids: Iterable[str]) -> None:
    wanted = set(terminal_ids)
    known = set(
        session.scalars(
            select(CardTerminal.terminal_id).where(CardTerminal.terminal_id.in_(wanted))
        )
    )
    for terminal_id in sorted(wanted - known):
        terminal = CardTerminal(id=new_id(), terminal_id=terminal_id, batch=0, last_trace=0)
        session.add(terminal)
        session.flush()


def batch_totals(session: Session, terminal_id: str, batch: int) -> BatchTotals:
    """What this terminal sold and gave back in a batch, by our books."""
    found = {CardActKind.SALE: (0, 0), CardActKind.REFUND: (0, 0)}
    rows = session.execute(
        select(CardAct.kind, func.sum(CardAct.amount_fen), func.count())
        .where(
            CardAct.terminal_id == terminal_id,
            CardAct.batch == batch,
            CardAct.state == CardActState.APPROVED,
        )
        .group_by(CardAct.kind)
    )
    for kind, amount_fen, count in rows:
        found[kind] = (int(amount_fen), int(count))
    return BatchTotals(*found[CardActKind.SALE], *found[CardActKind.REFUND])


def list_due(session: Session, terminal_ids: Iterable[str]) -> list[str]:
    """Those whose open batch holds a sale or a refund of a day that is over: the bank's day is a calendar day."""
    begins, _ends = day_bounds(today(session))
    statement = (
        select(CardTerminal.terminal_id)
        .join(
            CardAct,
            (CardAct.terminal_id == CardTerminal.terminal_id)
            & (CardAct.batch == CardTerminal.batch),
        )
        .where(
            CardTerminal.terminal_id.in_(tuple(terminal_ids)),
            CardAct.state == CardActState.APPROVED,
            CardAct.ended_at < begins,
        )
        .distinct()
        .order_by(CardTerminal.terminal_id)
    )
    return list(session.scalars(statement))


def has_open_acts(session: Session, terminal_id: str) -> bool:
    """True while something on this terminal is neither done nor undone."""
    return (
        session.scalar(
            select(CardAct.id)
            .where(CardAct.terminal_id == terminal_id, CardAct.state.in_(_OPEN))
            .limit(1)
        )
        is not None
    )


def store_settlement(
    session: Session, held: HeldTerminal, batch: int, totals: BatchTotals, *, is_balanced: bool
) -> None:
    """The batch is closed; the terminal goes on with the next. Totals that are not the bank's open a money case."""
    session.add(
        CardSettlement(
            id=new_id(),
            terminal_id=held.terminal_id,
            batch=batch,
            sales_fen=totals.sales_fen,
            sales=totals.sales,
            refunds_fen=totals.refunds_fen,
            refunds=totals.refunds,
            is_balanced=is_balanced,
            settled_at=now(session),
        )
    )
    terminal = _lock_terminal(session, held.id)
    terminal.batch = batch + 1
    audit.record(
        session,
        "billing.settle_card_batch",
        entity="card_terminal",
        entity_id=terminal.id,
        batch=batch,
        sales_fen=totals.sales_fen,
        refunds_fen=totals.refunds_fen,
        is_balanced=is_balanced,
    )
    if not is_balanced:
        cases.open_case(
            session,
            CaseKind.CARD_BATCH_DIFFERS,
            reference=f"{held.terminal_id} {batch:06d}",
            hospital_id=None,
            amount_fen=totals.sales_fen - totals.refunds_fen,
            tender=Tender.BANK_CARD,
            sales=totals.sales,
            refunds=totals.refunds,
        )


def _lock_terminal(session: Session, terminal_id: Id) -> CardTerminal:
    terminal = lock_row(session, CardTerminal, terminal_id)
    if terminal is None:
        raise LookupError(f"card terminal {terminal_id}")
    return terminal


def _audit_terminal(session: Session, action: str, terminal: CardTerminal) -> None:
    audit.record(session, action, entity="card_terminal", entity_id=terminal.id)
