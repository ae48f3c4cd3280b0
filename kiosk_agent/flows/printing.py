"""Put a ticket or receipt on paper, and say truthfully how that ended.

printed: done. failed: nothing came out, so ordering it again is safe. ambiguous: only a person
can see whether the paper is whole, so it is printed again by their touch alone, never by itself.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk_agent.flows.common import Instant, Move, go, refused_problem, trouble
from kiosk_agent.flows.events import Answered, Print, Refused, Touched
from kiosk_agent.flows.state import Done, PrintJob, State, Step
from kiosk_agent.messages import Ticket

FAILURES = {"paper_out": "paper_out", "cover_open": "cover_open"}


def begin_ticket(state: State, ticket: Ticket, now: Instant, *, reprint: bool) -> Move:
    """Print `ticket`."""
    return _begin(replace(state, ticket=ticket), "ticket", ticket.ticket_id, now, reprint)


def begin_receipt(state: State, now: Instant, *, reprint: bool = False) -> Move:
    """Print the receipt of the invoice in hand."""
    if state.invoice is None:
        return go(state, Step.DONE, now, done=Done.PAID), ()
    return _begin(state, "receipt", state.invoice.invoice_id, now, reprint)


def _begin(state: State, kind: str, subject_id: str, now: Instant, reprint: bool) -> Move:
    shown = go(replace(state, print_job=PrintJob(kind, subject_id)), Step.PRINTING, now)
    return shown, (Print(state.session, kind, subject_id, reprint),)


def ended(state: State, event: Answered, now: Instant) -> Move:
    """The printer has said how it ended."""
    job: PrintJob = event.result
    if state.step is not Step.PRINTING:
        return state, ()
    state = replace(state, print_job=job)
    if job.outcome == "printed":
        return _done(state, now), ()
    if job.outcome == "failed":
        return trouble(state, FAILURES.get(job.code, "printer_failed"), now, "print_again"), ()
    return trouble(state, "print_ambiguous", now, "paper_fine", "print_again"), ()


def _done(state: State, now: Instant) -> State:
    is_ticket = state.print_job is not None and state.print_job.kind == "ticket"
    return go(state, Step.DONE, now, done=Done.TICKET if is_ticket else Done.PAID)


def touched_paper_fine(state: State, event: Touched, now: Instant) -> Move:
    """The person has looked: the paper is whole."""
    return _done(state, now), ()


def touched_again(state: State, event: Touched, now: Instant) -> Move:
    """The person asks for the paper (again)."""
    job = state.print_job
    if job is None:
        return state, ()
    is_reprint = job.outcome == "ambiguous"
    if job.kind == "receipt":
        return begin_receipt(state, now, reprint=is_reprint)
    if state.ticket is None:
        return state, ()
    return begin_ticket(state, state.ticket, now, reprint=is_reprint)


def order_refused(state: State, event: Refused, now: Instant) -> Move:
    """The backend gives no document."""
    return refused_problem(state, event, now, "menu"), ()


def order_lost(state: State, now: Instant) -> Move:
    """The backend went away before the document came: the number is good, the paper waits."""
    return trouble(state, "print_away", now, "print_again"), ()


def timed_out(state: State, now: Instant) -> Move:
    """The printer has not said anything for longer than any driver waits."""
    job = state.print_job
    state = replace(state, print_job=replace(job, outcome="ambiguous") if job else None)
    return trouble(state, "print_ambiguous", now, "paper_fine"), ()
