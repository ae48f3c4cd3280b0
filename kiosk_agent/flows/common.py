"""Moves that every flow shares: go to a step, wait, show a problem, wipe the person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kiosk_agent.flows.events import (
    CancelBooking,
    CheckIn,
    Effect,
    EndSession,
    LeavePayment,
    LoadHome,
    Refused,
)
from kiosk_agent.flows.state import Limits, Notice, Problem, State, Step

Move = tuple[State, tuple[Effect, ...]]


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks: `ticks` monotonic seconds, `time` the hospital's (aware)."""

    ticks: float
    time: datetime


def own_seconds(step: Step, limits: Limits) -> float | None:
    """How long `step` stays without a touch; None: until something happens."""
    match step:
        case Step.HOME:
            return None
        case Step.PAY:
            return limits.payment
        case Step.CLOSING:
            return limits.closing
        case Step.PRINTING:
            return limits.printing
        case Step.DONE | Step.PAYMENT_UNKNOWN:
            return limits.done
        case _:
            return limits.idle + limits.warning


def warns(step: Step) -> bool:
    """Whether `step` ends by the idle rule: a warning first, then the wipe."""
    return step not in (
        Step.HOME,
        Step.PAY,
        Step.CLOSING,
        Step.PRINTING,
        Step.DONE,
        Step.PAYMENT_UNKNOWN,
    )


def go(state: State, step: Step, now: Instant, **changes: Any) -> State:
    """Show `step`: nothing is waited for, old words are gone, its own time begins."""
    seconds = own_seconds(step, state.limits)
    return replace(
        state,
        step=step,
        busy="",
        warned=False,
        notice=None,
        problem=None,
        page=0,
        again=None,
        deadline=None if seconds is None else now.ticks + seconds,
        **changes,
    )


def wait(state: State, busy: str, **changes: Any) -> State:
    """Wait for the world: `busy` names for what. Ends by an answer; the client bounds it."""
    return replace(
        state, busy=busy, deadline=None, warned=False, notice=None, problem=None, **changes
    )


def notify(state: State, key: str, now: Instant, tone: str = "warn") -> State:
    """Lay a line of words over the screen for some seconds."""
    return replace(state, notice=Notice(key, tone, now.ticks + state.limits.notice))


def trouble(
    state: State, key: str, now: Instant, *then: str, refused: Refused | None = None, **changes: Any
) -> State:
    """Show what went wrong and the ways out in `then` (main first); home is always among them."""
    offered = then if "home" in then else (*then, "home")
    problem = Problem(key, then=offered)
    if refused is not None:
        problem = replace(
            problem,
            title=refused.title,
            detail=refused.detail,
            next_step=refused.next_step,
        )
    return replace(go(state, Step.PROBLEM, now), problem=problem, **changes)


def refused_problem(
    state: State, event: Refused, now: Instant, *then: str, **changes: Any
) -> State:
    """The backend's own words; a session that has ended sends the person to the beginning."""
    if event.status == 401 or event.code == "patient_session_ended":
        return trouble(state, "session_over", now, **changes)
    return trouble(state, "refused", now, *then, refused=event, **changes)


def has_unpaid_booking(state: State) -> bool:
    """Whether a slot is held that nobody has paid for."""
    if state.booking is None or state.ticket is not None:
        return False
    return state.payment is None or state.payment.state != "succeeded"


def release(state: State) -> tuple[Effect, ...]:
    """Effects that leave nothing of the person's begun business open, session aside."""
    if state.payment is not None and not state.payment.is_final:
        return (LeavePayment(state.payment.payment_id),)
    if state.booking is not None and has_unpaid_booking(state):
        return (CancelBooking(state.session, state.booking.appointment_id),)
    return ()


def finish(state: State) -> Move:
    """Wipe the person from the kiosk. A payment under way goes on without the screen."""
    effects = release(state)
    is_left = any(isinstance(effect, LeavePayment) for effect in effects)
    if state.session and not is_left:
        effects = (*effects, EndSession(state.session))
    clean = State(
        epoch=state.epoch + 1,
        service=state.service,
        devices=state.devices,
        limits=state.limits,
    )
    return clean, effects


def begin_check_in(state: State, appointment_id: str) -> Move:
    """Take the queue ticket of `appointment_id`."""
    return wait(state, "check_in"), (CheckIn(state.session, appointment_id),)


def to_menu(state: State, now: Instant, notice: str = "") -> Move:
    """Back to the person's menu with fresh facts; what was begun and not paid is released."""
    if not state.session or state.patient is None:
        return finish(state)
    if state.payment is not None and not state.payment.is_final:
        return finish(state)
    bare = replace(
        go(state, Step.MENU, now),
        departments=(),
        department=None,
        schedules=(),
        schedule=None,
        booking=None,
        invoice=None,
        agreed_fen=0,
        payment=None,
        ticket=None,
        print_job=None,
        purpose=None,
        is_unreachable=False,
        is_timed_out=False,
    )
    waiting = wait(bare, "home")
    if notice:
        waiting = notify(waiting, notice, now, "info")
    return waiting, (*release(state), LoadHome(state.session))
