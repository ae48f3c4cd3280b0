"""What an identified person can do: the menu, check-in, and the entry into paying and printing."""

from __future__ import annotations

from dataclasses import replace

from kiosk_agent.flows import paying, printing
from kiosk_agent.flows.common import (
    Instant,
    Move,
    begin_check_in,
    go,
    refused_problem,
    trouble,
    wait,
)
from kiosk_agent.flows.events import Answered, LoadDepartments, Refused, Touched
from kiosk_agent.flows.state import Done, Purpose, State, Step


def enter(state: State, purpose: Purpose | None, now: Instant) -> Move:
    """Begin `purpose`; a single candidate is taken without another question."""
    state = replace(state, purpose=purpose)
    match purpose:
        case None:
            return go(state, Step.MENU, now), ()
        case Purpose.REGISTER:
            return go(state, Step.DONE, now, done=Done.REGISTERED), ()
        case Purpose.VISIT:
            return wait(state, "departments"), (LoadDepartments(state.session),)
        case Purpose.CHECK_IN:
            return _enter_check_in(state, now)
        case Purpose.PAY:
            return _enter_pay(state, now)
        case Purpose.REPRINT:
            return _enter_reprint(state, now)


def _enter_check_in(state: State, now: Instant) -> Move:
    ready = [item for item in state.home.appointments if item.can_check_in]
    if len(ready) == 1:
        return begin_check_in(state, ready[0].appointment_id)
    if ready:
        return go(state, Step.APPOINTMENTS, now), ()
    if state.home.tickets:
        return trouble(state, "already_checked_in", now, "reprint"), ()
    if state.home.due and any(item.state == "held" for item in state.home.appointments):
        return trouble(state, "pay_first", now, "pay"), ()
    return trouble(state, "no_appointment", now, "visit"), ()


def _enter_pay(state: State, now: Instant) -> Move:
    if not state.home.due:
        return trouble(state, "nothing_due", now, "menu"), ()
    if len(state.home.due) == 1:
        return paying.propose(state, state.home.due[0], now)
    return go(state, Step.DUE, now), ()


def _enter_reprint(state: State, now: Instant) -> Move:
    if not state.home.tickets:
        return trouble(state, "nothing_to_print", now, "menu"), ()
    if len(state.home.tickets) == 1:
        return printing.begin_ticket(state, state.home.tickets[0], now, reprint=True)
    return go(state, Step.TICKETS, now), ()


def touched_menu(state: State, event: Touched, now: Instant) -> Move:
    """A tile of the menu."""
    return enter(state, Purpose(event.value), now)


def touched_appointment(state: State, event: Touched, now: Instant) -> Move:
    """Which of several appointments to check in for."""
    known = {item.appointment_id for item in state.home.appointments if item.can_check_in}
    return begin_check_in(state, event.value) if event.value in known else (state, ())


def touched_ticket(state: State, event: Touched, now: Instant) -> Move:
    """Which of several tickets to print again."""
    for ticket in state.home.tickets:
        if ticket.ticket_id == event.value:
            return printing.begin_ticket(state, ticket, now, reprint=True)
    return state, ()


def checked_in(state: State, event: Answered, now: Instant) -> Move:
    """A ticket number exists: put it on paper."""
    return printing.begin_ticket(state, event.result, now, reprint=False)


def check_in_refused(state: State, event: Refused, now: Instant) -> Move:
    """Not now: in the backend's words; one who has just paid is offered the receipt."""
    then = ("print_receipt",) if paying.has_paid(state) else ("menu",)
    return refused_problem(state, event, now, *then), ()


def home_loaded(state: State, event: Answered, now: Instant) -> Move:
    """Fresh facts for the menu; a notice that came along stays."""
    shown = go(replace(state, home=event.result), Step.MENU, now)
    return replace(shown, notice=state.notice), ()
