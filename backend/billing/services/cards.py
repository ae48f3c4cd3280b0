"""Bank card acts: the intent, the terminal that is held for it, and how it ended. Talks to no bank."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.billing import rules
from backend.billing.errors import CardNumberInvalid, PaymentInFlight
from backend.billing.models import CardAct, Payment, Refund
from backend.billing.models.cards import NUMBER_CONTEXT
from backend.billing.ports import CardAnswer, CardOrder, Line, OriginalSale
from backend.billing.rules import Channel, Tender
from backend.billing.rules.cards import (
    CARD_MOVES,
    CardActKind,
    CardActState,
    mask_card_number,
    read_card_number,
)
from backend.billing.services.card_terminals import HeldTerminal, next_stan
from backend.billing.services.payments import start_payment
from backend.kernel import audit
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_row
from backend.kernel.uow import keys, now, today


@dataclass(frozen=True, slots=True)
class CardActView:
    """What a step has to know about an act."""

    id: Id
    state: CardActState
    terminal_id: str | None
    sent_at: dt.datetime | None


# --- intents -----------------------------------------------------------------------------


def start_card_payment(
    session: Session,
    *,
    invoice_id: Id,
    amount_fen: int,
    swiped: str,
    is_part: bool = False,
    channel: Channel | None = None,
    key: str | None = None,
) -> Payment:
    """Begin to pay a bill by the card that was swiped; the bank is asked after this transaction.

    CardNumberInvalid (422); PaymentInFlight (409) while another try is open; otherwise the errors of
    ``start_payment``. The number is sealed now and wiped when the act has ended; ``key`` makes the
    command idempotent and knows nothing of the number.
    """
    number = read_card_number(swiped)
    if number is None:
        raise CardNumberInvalid
    payment = start_payment(
        session,
        invoice_id=invoice_id,
        amount_fen=amount_fen,
        tender=Tender.BANK_CARD,
        is_part=is_part,
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
    return CardActView(act.id, act.state, act.terminal_id, act.sent_at)


def get_order(session: Session, act_id: Id) -> CardOrder:
    """The message an act is about; the number is opened for the moment of sending."""
    act = session.get_one(CardAct, act_id)
    number = None
    if act.card_number_sealed is not None:
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
        act.sent_at, act.attempts = now(session), 0
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
