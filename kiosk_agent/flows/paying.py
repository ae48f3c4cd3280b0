"""Pay by QR: begin, show the code, watch, close, and end as succeeded, closed or unknown.

A payment is never retried blindly: its state is only ever asked. What cannot be learned while
the person stands here ends on a screen that says so, and is resolved in the background.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk_agent.flows import printing
from kiosk_agent.flows.common import (
    Instant,
    Move,
    begin_check_in,
    finish,
    go,
    refused_problem,
    to_menu,
    trouble,
    wait,
)
from kiosk_agent.flows.events import (
    Answered,
    CancelPayment,
    LeavePayment,
    PollPayment,
    Refused,
    SettlePayment,
    StartPayment,
    Touched,
)
from kiosk_agent.flows.state import State, Step
from kiosk_agent.messages import Invoice, Payment

POLL_SECONDS = 1.0
AWAY_POLL_SECONDS = 2.0


def has_paid(state: State) -> bool:
    """Whether the payment in hand has succeeded."""
    return state.payment is not None and state.payment.state == "succeeded"


def propose(state: State, invoice: Invoice, now: Instant) -> Move:
    """Show what is due, line by line, before any code."""
    return go(replace(state, invoice=invoice), Step.CONFIRM_DUE, now), ()


def touched_due(state: State, event: Touched, now: Instant) -> Move:
    """Which of several invoices to pay."""
    for invoice in state.home.due:
        if invoice.invoice_id == event.value:
            return propose(state, invoice, now)
    return state, ()


def begin(state: State, amount_fen: int) -> Move:
    """Ask for a code over exactly `amount_fen`, the amount the person saw."""
    if state.invoice is None:
        return state, ()
    booking_id = state.booking.appointment_id if state.booking else ""
    effect = StartPayment(state.session, state.invoice.invoice_id, amount_fen, booking_id)
    return wait(replace(state, agreed_fen=amount_fen, payment=None), "payment"), (effect,)


def touched_pay(state: State, event: Touched, now: Instant) -> Move:
    """Pay the shown invoice (first time, or again after a code that ended unpaid)."""
    amount = state.agreed_fen or (state.invoice.total_fen if state.invoice else 0)
    return begin(state, amount)


def ask_changed(state: State, shown_fen: int, due_fen: int, now: Instant) -> Move:
    """The amount is not the one the person saw: nothing is paid without a new yes."""
    if state.invoice is None:
        return state, ()
    old = replace(state, agreed_fen=shown_fen)
    invoice = state.invoice.model_copy(update={"total_fen": due_fen})
    return go(replace(old, invoice=invoice), Step.AMOUNT_CHANGED, now), ()


def touched_agree(state: State, event: Touched, now: Instant) -> Move:
    """Yes to the new amount."""
    return begin(state, state.invoice.total_fen) if state.invoice else (state, ())


def started(state: State, event: Answered, now: Instant) -> Move:
    """An order exists: show its code (once the platform gives one) until it expires."""
    payment: Payment = event.result
    shown = go(replace(state, payment=payment, is_timed_out=False), Step.PAY, now)
    if payment.expires_at is not None and shown.deadline is not None:
        left = max(0.0, (payment.expires_at - now.time).total_seconds())
        shown = replace(shown, deadline=min(shown.deadline, now.ticks + left))
    return judge(shown, payment, now)


def start_refused(state: State, event: Refused, now: Instant) -> Move:
    """The amount differs, or the backend says why not."""
    due = event.fields.get("due_fen")
    if event.code == "amount_differs" and isinstance(due, int):
        return ask_changed(state, state.agreed_fen, due, now)
    return refused_problem(state, event, now, "menu"), ()


def polled(state: State, event: Answered, now: Instant) -> Move:
    """The state of the payment in hand; an answer about another payment is not looked at."""
    payment: Payment = event.result
    if state.payment is None or payment.payment_id != state.payment.payment_id:
        return state, ()
    if state.step not in (Step.PAY, Step.CLOSING):
        return state, ()
    code_url = payment.code_url or state.payment.code_url
    known = payment.model_copy(update={"code_url": code_url})
    return judge(replace(state, payment=known, is_unreachable=False), known, now)


def judge(state: State, payment: Payment, now: Instant) -> Move:
    """What follows from `payment`: go on, stop, or ask again."""
    if payment.state == "succeeded":
        return _succeeded(state, payment, now)
    if not payment.is_final:
        return state, (PollPayment(state.session, payment.payment_id, POLL_SECONDS),)
    settle = SettlePayment(payment.payment_id, payment.state)
    if state.step is not Step.CLOSING:
        return _failed(state, payment, now), (settle,)
    if state.is_timed_out:
        clean, effects = finish(state)
        return clean, (settle, *effects)
    shown, effects = to_menu(state, now, "payment_cancelled")
    return shown, (settle, *effects)


def _failed(state: State, payment: Payment, now: Instant) -> State:
    if not payment.outcome_words:
        return trouble(state, "payment_failed", now, "pay_again", "menu")
    # The backend knows more (a place lost meanwhile, money on its way back): its words, and the
    # menu before another try.
    shown = trouble(state, "payment_ended", now, "menu", "pay_again")
    problem = replace(shown.problem, detail=payment.outcome_words) if shown.problem else None
    return replace(shown, problem=problem)


def _succeeded(state: State, payment: Payment, now: Instant) -> Move:
    settle = SettlePayment(payment.payment_id, payment.state)
    if state.booking is not None:
        waiting, effects = begin_check_in(state, state.booking.appointment_id)
    else:
        waiting, effects = printing.begin_receipt(state, now)
    return waiting, (settle, *effects)


def poll_failed(state: State, now: Instant) -> Move:
    """The backend is away: say so, keep the code, keep asking."""
    if state.payment is None or state.step not in (Step.PAY, Step.CLOSING):
        return state, ()
    again = PollPayment(state.session, state.payment.payment_id, AWAY_POLL_SECONDS)
    return replace(state, is_unreachable=True), (again,)


def poll_refused(state: State, event: Refused, now: Instant) -> Move:
    """The session ended or the payment is not ours: the outcome cannot be learned here."""
    return _give_up(state, now) if state.step in (Step.PAY, Step.CLOSING) else (state, ())


def close(state: State, now: Instant, *, timed_out: bool) -> Move:
    """Ask for the order to be closed and watch how it ends."""
    if state.payment is None:
        return state, ()
    shown = go(replace(state, is_timed_out=timed_out), Step.CLOSING, now)
    return shown, (CancelPayment(state.session, state.payment.payment_id),)


def close_asked(state: State, now: Instant) -> Move:
    """The request to close is in, refused or lost: polling, which goes on, tells the end."""
    return state, ()


def closing_timed_out(state: State, now: Instant) -> Move:
    """Neither paid nor closed in time."""
    return _give_up(state, now)


def _give_up(state: State, now: Instant) -> Move:
    if state.payment is None:
        return finish(state)
    left = LeavePayment(state.payment.payment_id)
    # The background now owns payment, held slot and session: the screen keeps none of them.
    bare = replace(state, payment=None, booking=None, invoice=None, session="")
    return go(bare, Step.PAYMENT_UNKNOWN, now), (left,)
