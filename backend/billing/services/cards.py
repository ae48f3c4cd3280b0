"""Bank card acts: the intent, the terminal that is held for it, and how it ended. Talks to no bank."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.errors import CardNumberInvalid, PaymentInFlight
from backend.billing.models import CardAct, CardSettlement, CardTerminal, Payment, Refund
from backend.billing.ports import BatchTotals, CardAnswer, CardOrder, Line, OriginalSale, SignedOn
from backend.billing.rules import Channel, Tender
from backend.billing.rules.cards import (
    CARD_MOVES,
    HOLD_SECONDS,
    CardActKind,
    CardActState,
    mask_card_number,
    read_card_number,
)
from backend.billing.services.payments import start_qr_payment
from backend.kernel import audit
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import claim, lock_row
from backend.kernel.uow import keys, now, today

NUMBER_CONTEXT = "billing_card_act.card_number"
KEY_CONTEXT = "billing_card_terminal.mac_key"
_OPEN = (CardActState.CREATED, CardActState.SENDING, CardActState.REVERSING)


@dataclass(frozen=True, slots=True)
class HeldTerminal:
    """A terminal that is ours for a moment; without a line it has to sign on first."""

    id: Id
    terminal_id: str
    line: Line | None


@dataclass(frozen=True, slots=True)
class CardActView:
    """What a step has to know about an act."""

    id: Id
    kind: CardActKind
    state: CardActState
    terminal_id: str | None
    attempts: int
    sent_at: dt.datetime | None
    rrn: str


# --- intents -----------------------------------------------------------------------------


def start_card_payment(
    session: Session,
    *,
    invoice_id: Id,
    amount_fen: int,
    swiped: str,
    channel: Channel | None = None,
    key: str | None = None,
) -> Payment:
    """Begin to pay a bill by the card that was swiped; the bank is asked after this transaction.

    CardNumberInvalid (422); PaymentInFlight (409) while another try is open; otherwise the errors of
    ``start_qr_payment``. The number is sealed now and wiped when the act has ended; ``key`` makes the
    command idempotent and knows nothing of the number.
    """
    number = read_card_number(swiped)
    if number is None:
        raise CardNumberInvalid
    payment = start_qr_payment(
        session,
        invoice_id=invoice_id,
        amount_fen=amount_fen,
        tender=Tender.BANK_CARD,
        channel=channel,
        key=key,
    )
    known = session.scalar(select(CardAct).where(CardAct.payment_id == payment.id))
    if known is not None:
        if known.card_number_masked != mask_card_number(number):
            raise PaymentInFlight(payment_id=str(payment.id))
        return payment
    _new_act(session, payment, CardActKind.SALE, payment.amount_fen, number)
    return payment


def start_card_refund(session: Session, refund_id: Id) -> CardAct:
    """The act of a refund, made once; it needs no card."""
    known = session.scalar(select(CardAct).where(CardAct.refund_id == refund_id))
    if known is not None:
        return known
    refund = session.get_one(Refund, refund_id)
    payment = session.get_one(Payment, refund.payment_id)
    act = _new_act(session, payment, CardActKind.REFUND, refund.amount_fen, None)
    act.refund_id = refund.id
    return act


def _new_act(
    session: Session, payment: Payment, kind: CardActKind, amount_fen: int, number: str | None
) -> CardAct:
    act = CardAct(
        id=new_id(),
        hospital_id=payment.hospital_id,
        payment_id=payment.id,
        kind=kind,
        state=CardActState.CREATED,
        amount_fen=amount_fen,
        card_number_sealed=keys(session).seal(number, NUMBER_CONTEXT) if number else None,
        card_number_masked=mask_card_number(number) if number else "",
        attempts=0,
        created_at=now(session),
    )
    session.add(act)
    session.flush()
    _audit_act(session, act, "created")
    return act


# --- reads of a step ---------------------------------------------------------------------


def find_act(
    session: Session, *, payment_id: Id | None = None, refund_id: Id | None = None
) -> CardActView | None:
    """The sale of a payment, or the act of a refund."""
    statement = select(CardAct).where(
        CardAct.refund_id == refund_id
        if refund_id is not None
        else (CardAct.payment_id == payment_id) & (CardAct.kind == CardActKind.SALE)
    )
    act = session.scalar(statement)
    if act is None:
        return None
    return CardActView(
        act.id, act.kind, act.state, act.terminal_id, act.attempts, act.sent_at, act.rrn
    )


def get_order(session: Session, act_id: Id, *, with_card: bool = True) -> CardOrder:
    """The message an act is about; the number is opened for the moment of sending."""
    act = session.get_one(CardAct, act_id)
    number = None
    if with_card and act.card_number_sealed is not None:
        number = keys(session).open(act.card_number_sealed, NUMBER_CONTEXT)
    return CardOrder(act.stan or "", act.amount_fen, act.sent_at or now(session), number)


def is_repeat(session: Session, act_id: Id) -> bool:
    """True when the message was sent before, and unanswered."""
    return session.get_one(CardAct, act_id).attempts > 1


def get_original(session: Session, act_id: Id) -> OriginalSale:
    """The sale an act reverses (its own) or refunds (its payment's)."""
    act = session.get_one(CardAct, act_id)
    sale = act
    if act.kind is CardActKind.REFUND:
        sale = session.scalars(
            select(CardAct).where(
                CardAct.payment_id == act.payment_id, CardAct.kind == CardActKind.SALE
            )
        ).one()
    return OriginalSale(
        sale.batch or 0, sale.stan or "", sale.trace_date or today(session), sale.rrn
    )


# --- the terminal ------------------------------------------------------------------------


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
    """The terminal's next trace number of today: from 1, without a gap."""
    terminal = _lock_terminal(session, terminal_id)
    if terminal.trace_date != today(session):
        terminal.trace_date, terminal.last_trace = today(session), 0
    terminal.last_trace += 1
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


# --- how an act goes on ------------------------------------------------------------------


def begin_act(session: Session, act_id: Id, held: HeldTerminal, line: Line) -> bool:
    """The last word before sending: from here on silence means reversal. False when it was withdrawn.

    A repeated refund keeps its trace number, by which the bank knows it.
    """
    act = _lock_act(session, act_id)
    if act.state not in (CardActState.CREATED, CardActState.SENDING, CardActState.DECLINED):
        return False
    is_repeat = act.kind is CardActKind.REFUND and act.state is CardActState.SENDING
    if is_repeat and act.terminal_id != line.terminal_id:
        return False  # another worker's: only its own terminal's number says that it is the same
    if not is_repeat:
        if act.state is CardActState.SENDING:
            return False  # another worker's, and a sale is sent once
        act.stan, act.trace_date = next_stan(session, held.id), today(session)
        act.terminal_id, act.batch = line.terminal_id, line.batch
        act.sent_at = now(session)
        _set(session, act, CardActState.SENDING)
    else:
        _audit_act(session, act, "repeated")
    act.attempts += 1
    return True


def unsend_act(session: Session, act_id: Id) -> None:
    """No connection came about, so nothing was sent: the act waits again."""
    act = _lock_act(session, act_id)
    if act.state is CardActState.SENDING and act.attempts <= 1:
        act.attempts = 0
        _set(session, act, CardActState.CREATED)


def doubt_act(session: Session, act_id: Id) -> None:
    """No believable answer: a sale is to be reversed; a refund stays as it is, to be repeated."""
    act = _lock_act(session, act_id)
    if act.kind is CardActKind.SALE and act.state is CardActState.SENDING:
        _set(session, act, CardActState.REVERSING)


def withdraw_act(session: Session, act_id: Id) -> bool:
    """Give it up before anything was sent; False when it is too late for that."""
    act = _lock_act(session, act_id)
    if act.state is CardActState.CREATED:
        _end(session, act, CardActState.WITHDRAWN)
    return act.state is CardActState.WITHDRAWN


def answer_act(session: Session, act_id: Id, answer: CardAnswer) -> None:
    """The bank has answered a sale or a refund."""
    act = _lock_act(session, act_id)
    act.response_code, act.rrn = answer.response_code, answer.rrn
    act.auth_code = answer.auth_code
    wanted = CardActState.APPROVED if answer.is_approved else CardActState.DECLINED
    _end(session, act, wanted)


def reverse_act(session: Session, act_id: Id, answer: CardAnswer) -> None:
    """The bank has confirmed that the sale is undone, or never was."""
    act = _lock_act(session, act_id)
    if act.state is CardActState.REVERSING:
        act.response_code = answer.response_code
        _end(session, act, CardActState.REVERSED)


def _end(session: Session, act: CardAct, state: CardActState) -> None:
    act.card_number_sealed = None
    act.ended_at = now(session)
    _set(session, act, state)


def _set(session: Session, act: CardAct, state: CardActState) -> None:
    act.state = rules.move(CARD_MOVES, act.state, state)
    _audit_act(session, act, state.value)


def _audit_act(session: Session, act: CardAct, what: str) -> None:
    audit.record(
        session,
        f"billing.card_{act.kind.value}_{what}",
        entity="card_act",
        entity_id=act.id,
        payment_id=act.payment_id,
        amount_fen=act.amount_fen,
        terminal=act.terminal_id,
        stan=act.stan,
        code=act.response_code,
    )


def _lock_act(session: Session, act_id: Id) -> CardAct:
    act = lock_row(session, CardAct, act_id)
    if act is None:
        raise LookupError(f"card act {act_id}")
    return act


def _lock_terminal(session: Session, terminal_id: Id) -> CardTerminal:
    terminal = lock_row(session, CardTerminal, terminal_id)
    if terminal is None:
        raise LookupError(f"card terminal {terminal_id}")
    return terminal


def _audit_terminal(session: Session, action: str, terminal: CardTerminal) -> None:
    audit.record(session, action, entity="card_terminal", entity_id=terminal.id)


# --- settlement --------------------------------------------------------------------------


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
    """The batch is closed; the terminal goes on with the next."""
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
