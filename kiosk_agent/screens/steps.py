"""Where one is in an errand: the short list of steps above the question."""

from __future__ import annotations

from kiosk_agent.flows.state import Done, Purpose, State, Step
from kiosk_agent.screens.words import Words

_VISIT = ("person", "department", "doctor", "pay", "ticket")
_PAY = ("person", "bill", "pay", "receipt")
_CHECK_IN = ("person", "appointment", "ticket")

_AT = {
    Step.IDENTIFY: "person",
    Step.CONFIRM_PERSON: "person",
    Step.DEPARTMENTS: "department",
    Step.SCHEDULES: "doctor",
    Step.CONFIRM_BOOKING: "pay",
    Step.AMOUNT_CHANGED: "pay",
    Step.PAY: "pay",
    Step.CLOSING: "pay",
    Step.APPOINTMENTS: "appointment",
    Step.DUE: "bill",
    Step.CONFIRM_DUE: "bill",
}
_WAITS = {
    "departments": "department",
    "schedules": "doctor",
    "booking": "pay",
    "payment": "pay",
    "check_in": "ticket",
}


def steps(state: State, words: Words) -> list[dict[str, str]]:
    """Label and place ("done", "now", "next") of each step; empty where there is no errand."""
    names = {Purpose.VISIT: _VISIT, Purpose.PAY: _PAY, Purpose.CHECK_IN: _CHECK_IN}
    errand = names.get(state.purpose) if state.purpose else None
    current = _current(state)
    if errand is None or current not in errand:
        return []
    here = errand.index(current)
    places = ["done" if i < here else "now" if i == here else "next" for i in range(len(errand))]
    return [
        {"label": words(f"step_{name}"), "place": place}
        for name, place in zip(errand, places, strict=True)
    ]


def _current(state: State) -> str:
    if state.busy:
        return _WAITS.get(state.busy, "person")
    if state.step in (Step.PRINTING, Step.DONE):
        is_receipt = state.print_job is not None and state.print_job.kind == "receipt"
        is_over = state.step is Step.DONE and state.done in (Done.REGISTERED, Done.NOTHING)
        return "" if is_over else ("receipt" if is_receipt else "ticket")
    return _AT.get(state.step, "")
