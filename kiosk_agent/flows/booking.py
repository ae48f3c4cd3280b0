"""Book a slot of today: department → doctor → confirm with the fee → held slot and invoice."""

from __future__ import annotations

from dataclasses import replace

from kiosk_agent.flows import paying
from kiosk_agent.flows.common import (
    Instant,
    Move,
    begin_check_in,
    go,
    refused_problem,
    to_menu,
    trouble,
    wait,
)
from kiosk_agent.flows.events import (
    Answered,
    Book,
    CancelBooking,
    LoadDepartments,
    LoadSchedules,
    Refused,
    Touched,
)
from kiosk_agent.flows.state import State, Step
from kiosk_agent.messages import Booking


def departments_loaded(state: State, event: Answered, now: Instant) -> Move:
    """Show the departments; none at all is a dead end with words."""
    if not event.result:
        return trouble(state, "no_clinics_today", now, "menu"), ()
    return go(replace(state, departments=event.result), Step.DEPARTMENTS, now), ()


def touched_department(state: State, event: Touched, now: Instant) -> Move:
    """A department with something free."""
    for department in state.departments:
        if department.department_id == event.value and department.free_count > 0:
            return load_schedules(replace(state, department=department))
    return state, ()


def load_schedules(state: State) -> Move:
    """Ask anew who is free in the chosen department."""
    if state.department is None:
        return wait(state, "departments"), (LoadDepartments(state.session),)
    asked = LoadSchedules(state.session, state.department.department_id)
    return wait(state, "schedules"), (asked,)


def schedules_loaded(state: State, event: Answered, now: Instant) -> Move:
    """Show the doctors; a department that filled up meanwhile sends back to the departments."""
    if not any(schedule.free_count > 0 for schedule in event.result):
        return trouble(state, "department_full", now, "other_department", "menu"), ()
    return go(replace(state, schedules=event.result), Step.SCHEDULES, now), ()


def touched_schedule(state: State, event: Touched, now: Instant) -> Move:
    """A doctor's half-day with something free."""
    for schedule in state.schedules:
        if schedule.schedule_id == event.value and schedule.free_count > 0:
            return go(replace(state, schedule=schedule), Step.CONFIRM_BOOKING, now), ()
    return state, ()


def touched_confirm(state: State, event: Touched, now: Instant) -> Move:
    """Hold the slot. The screen turns to waiting at once: nine further hits find no button."""
    if state.schedule is None:
        return state, ()
    return wait(state, "booking"), (Book(state.session, state.schedule.schedule_id),)


def booked(state: State, event: Answered, now: Instant) -> Move:
    """The slot is held: pay what was shown, or agree to another amount first."""
    booking: Booking = event.result
    state = replace(state, booking=booking, invoice=booking.invoice)
    shown = state.schedule.fee_fen if state.schedule else booking.invoice.total_fen
    if booking.invoice.total_fen == 0:
        return begin_check_in(state, booking.appointment_id)
    if booking.invoice.total_fen != shown:
        return paying.ask_changed(state, shown, booking.invoice.total_fen, now)
    return paying.begin(state, booking.invoice.total_fen)


def booking_refused(state: State, event: Refused, now: Instant) -> Move:
    """The slot went to someone else, the person has one already, or another reason."""
    if event.code == "slot_gone":
        return trouble(state, "slot_gone", now, "choose_another"), ()
    if event.code == "already_booked":
        return trouble(state, "already_booked", now, "menu"), ()
    return refused_problem(state, event, now, "choose_another"), ()


def decline(state: State, now: Instant) -> Move:
    """The person does not want it at this price: the slot is free again."""
    if state.booking is None:
        return to_menu(state, now)
    cancel = CancelBooking(state.session, state.booking.appointment_id)
    shown, effects = load_schedules(
        replace(state, booking=None, invoice=None, payment=None, agreed_fen=0)
    )
    return shown, (cancel, *effects)
