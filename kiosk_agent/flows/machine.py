"""The one entry into the flows: `advance(state, event, now)` gives the next state and effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kiosk_agent.flows import attend, booking, identify, paying, printing
from kiosk_agent.flows.common import (
    Instant,
    Move,
    finish,
    go,
    own_seconds,
    refused_problem,
    to_menu,
    trouble,
    wait,
    warns,
)
from kiosk_agent.flows.events import (
    Active,
    Answered,
    Book,
    CancelBooking,
    CancelPayment,
    CheckIn,
    DevicesChanged,
    DeviceTrouble,
    EndSession,
    Event,
    Identify,
    LeavePayment,
    LoadDepartments,
    LoadHome,
    LoadSchedules,
    PollPayment,
    Presented,
    Print,
    Refused,
    ServiceChanged,
    SettlePayment,
    StartPayment,
    Ticked,
    Touched,
    WentAway,
)
from kiosk_agent.flows.offers import offers, page_count
from kiosk_agent.flows.state import Purpose, State, Step

Touch = Callable[[State, Touched, Instant], Move]

# Effects whose results nobody waits for.
_SILENT = (CancelBooking, EndSession, SettlePayment, LeavePayment)

_TOUCHES: dict[tuple[Step, str], Touch] = {
    (Step.HOME, "purpose"): identify.touched_home,
    (Step.CONFIRM_PERSON, "confirm_person"): identify.touched_confirm,
    (Step.CONFIRM_PERSON, "not_me"): identify.touched_confirm,
    (Step.MENU, "purpose"): attend.touched_menu,
    (Step.DONE, "purpose"): attend.touched_menu,
    (Step.PROBLEM, "purpose"): attend.touched_menu,
    (Step.DEPARTMENTS, "department"): booking.touched_department,
    (Step.SCHEDULES, "schedule"): booking.touched_schedule,
    (Step.CONFIRM_BOOKING, "book"): booking.touched_confirm,
    (Step.AMOUNT_CHANGED, "agree"): paying.touched_agree,
    (Step.AMOUNT_CHANGED, "decline"): lambda state, _event, now: booking.decline(state, now),
    (Step.APPOINTMENTS, "appointment"): attend.touched_appointment,
    (Step.DUE, "invoice"): paying.touched_due,
    (Step.CONFIRM_DUE, "pay"): paying.touched_pay,
    (Step.PAY, "cancel_payment"): lambda s, _event, now: paying.close(s, now, timed_out=False),
    (Step.TICKETS, "ticket"): attend.touched_ticket,
    (Step.DONE, "finish"): lambda state, _event, _now: finish(state),
    (Step.DONE, "menu"): lambda state, _event, now: to_menu(state, now),
    (Step.PAYMENT_UNKNOWN, "finish"): lambda state, _event, _now: finish(state),
    (Step.PROBLEM, "menu"): lambda state, _event, now: to_menu(state, now),
    (Step.PROBLEM, "pay_again"): paying.touched_pay,
    (Step.PROBLEM, "print_again"): printing.touched_again,
    (Step.PROBLEM, "paper_fine"): printing.touched_paper_fine,
    (Step.PROBLEM, "print_receipt"): lambda s, _event, now: printing.begin_receipt(s, now),
    (Step.PROBLEM, "choose_another"): lambda s, _event, _now: booking.load_schedules(s),
    (Step.PROBLEM, "other_department"): lambda s, _e, now: attend.enter(s, Purpose.VISIT, now),
    (Step.PROBLEM, "present_again"): lambda s, _e, now: (go(s, Step.IDENTIFY, now), ()),
    (Step.PROBLEM, "try_again"): lambda s, _event, now: _try_again(s, now),
}


def advance(state: State, event: Event, now: Instant) -> Move:
    """The next state and what must be done, for any event in any state. Pure.

    A touch of a button that `state` does not offer changes nothing.
    """
    match event:
        case Touched():
            return _touched(state, event, now)
        case Active():
            return _still_here(state, now), ()
        case Presented():
            return identify.presented(state, event, now)
        case DeviceTrouble():
            return identify.device_trouble(state, event, now)
        case DevicesChanged():
            return replace(state, devices=event.devices), ()
        case ServiceChanged():
            return replace(state, service=event.service), ()
        case Ticked():
            return _ticked(state, now)
        case Answered() | Refused() | WentAway():
            if event.epoch != state.epoch:
                return state, _clean_up_after(event)
            return _result(state, event, now)


# -- touches --------------------------------------------------------------------------------
def _touched(state: State, event: Touched, now: Instant) -> Move:
    allowed = offers(state)
    if not any(o.action == event.action and (o.value or "") in ("", event.value) for o in allowed):
        return state, ()
    state = _still_here(state, now)
    match event.action:
        case "language":
            return replace(state, language="en" if state.language == "zh" else "zh"), ()
        case "elderly":
            return replace(state, elderly=not state.elderly, page=0), ()
        case "stay":
            return state, ()
        case "home":
            return finish(state)
        case "back":
            return _back(state, now)
        case "next_page":
            return replace(state, page=min(state.page + 1, page_count(state) - 1)), ()
        case "previous_page":
            return replace(state, page=max(state.page - 1, 0)), ()
    handler = _TOUCHES.get((state.step, event.action))
    return handler(state, event, now) if handler else (state, ())


def _still_here(state: State, now: Instant) -> State:
    seconds = own_seconds(state.step, state.limits)
    if state.busy or seconds is None or not warns(state.step):
        return state
    return replace(state, deadline=now.ticks + seconds, warned=False)


def _back(state: State, now: Instant) -> Move:
    match state.step:
        case Step.SCHEDULES:
            return go(state, Step.DEPARTMENTS, now), ()
        case Step.CONFIRM_BOOKING:
            return go(state, Step.SCHEDULES, now), ()
        case Step.AMOUNT_CHANGED if state.booking is not None:
            return booking.decline(state, now)
        case Step.PAY:
            return paying.close(state, now, timed_out=False)
        case Step.DEPARTMENTS | Step.APPOINTMENTS | Step.DUE | Step.TICKETS:
            return go(replace(state, purpose=None), Step.MENU, now), ()
        case Step.CONFIRM_DUE if len(state.home.due) > 1:
            return go(state, Step.DUE, now), ()
        case Step.CONFIRM_DUE:
            return go(replace(state, purpose=None), Step.MENU, now), ()
        case Step.AMOUNT_CHANGED | Step.PROBLEM | Step.DONE:
            return to_menu(state, now)
        case _:
            return finish(state)


def _try_again(state: State, now: Instant) -> Move:
    if state.again is None:
        return finish(state)
    return wait(state, "again"), (state.again,)


# -- time -----------------------------------------------------------------------------------
def _ticked(state: State, now: Instant) -> Move:
    if state.notice is not None and now.ticks >= state.notice.until:
        state = replace(state, notice=None)
    if state.deadline is None:
        return state, ()
    left = state.deadline - now.ticks
    if left > 0:
        if warns(state.step) and left <= state.limits.warning and not state.warned:
            state = replace(state, warned=True)
        return state, ()
    match state.step:
        case Step.PAY:
            return paying.close(state, now, timed_out=True)
        case Step.CLOSING:
            return paying.closing_timed_out(state, now)
        case Step.PRINTING:
            return printing.timed_out(state, now)
        case _:
            return finish(state)


# -- results --------------------------------------------------------------------------------
def _result(state: State, event: Answered | Refused | WentAway, now: Instant) -> Move:
    if isinstance(event.effect, _SILENT):
        return state, ()
    if isinstance(event.effect, PollPayment | CancelPayment):
        return _payment_result(state, event, now)
    match event:
        case Answered():
            return _answered(state, event, now)
        case Refused():
            return _refused(state, event, now)
        case WentAway():
            return _went_away(state, event, now)


def _payment_result(state: State, event: Answered | Refused | WentAway, now: Instant) -> Move:
    if isinstance(event.effect, CancelPayment):
        return paying.close_asked(state, now)
    match event:
        case Answered():
            return paying.polled(state, event, now)
        case Refused():
            return paying.poll_refused(state, event, now)
        case WentAway():
            return paying.poll_failed(state, now)


def _answered(state: State, event: Answered, now: Instant) -> Move:
    match event.effect:
        case Identify():
            return identify.identified(state, event, now)
        case LoadHome():
            return attend.home_loaded(state, event, now)
        case LoadDepartments():
            return booking.departments_loaded(state, event, now)
        case LoadSchedules():
            return booking.schedules_loaded(state, event, now)
        case Book():
            return booking.booked(state, event, now)
        case StartPayment():
            return paying.started(state, event, now)
        case CheckIn():
            return attend.checked_in(state, event, now)
        case Print():
            return printing.ended(state, event, now)
        case _:
            return state, ()


def _refused(state: State, event: Refused, now: Instant) -> Move:
    match event.effect:
        case Identify():
            return identify.refused(state, event, now)
        case Book():
            return booking.booking_refused(state, event, now)
        case StartPayment():
            return paying.start_refused(state, event, now)
        case CheckIn():
            return attend.check_in_refused(state, event, now)
        case Print():
            return printing.order_refused(state, event, now)
        case _:
            return refused_problem(state, event, now, "menu"), ()


def _went_away(state: State, event: WentAway, now: Instant) -> Move:
    match event.effect:
        case Identify():
            return identify.went_away(state, now)
        case Print():
            return printing.order_lost(state, now)
        case Book() | StartPayment():
            # Unknown whether it arrived: it is looked up in the menu, never sent anew.
            return trouble(state, "outcome_unknown", now, "menu"), ()
        case CheckIn() if paying.has_paid(state):
            return trouble(state, "check_in_away", now, "try_again", again=event.effect), ()
        case _:
            return trouble(state, "backend_away", now, "try_again", again=event.effect), ()


def _clean_up_after(
    event: Answered | Refused | WentAway,
) -> tuple[SettlePayment | EndSession | CancelBooking | LeavePayment, ...]:
    """What came true after the person had gone must not stay open."""
    if not isinstance(event, Answered):
        return ()
    match event.effect:
        case Identify():
            return (EndSession(event.result.session),)
        case Book():
            return (CancelBooking(event.effect.session, event.result.appointment_id),)
        case StartPayment():
            return (LeavePayment(event.result.payment_id),)
        case _:
            return ()
