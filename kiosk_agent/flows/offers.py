"""Which buttons a state offers. The screen draws exactly these; a touch of any other is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk_agent.flows.state import Done, Purpose, Service, State, Step

# Where "back" leads somewhere; elsewhere the button stays visible and is off.
_BACK = frozenset(Step) - {Step.HOME, Step.CLOSING, Step.PRINTING, Step.PAYMENT_UNKNOWN}
_HOME = frozenset(Step) - {Step.HOME, Step.PRINTING}


@dataclass(frozen=True, slots=True)
class Offer:
    """One button: `words` names its label, `facts` fill the label in."""

    action: str
    words: str
    value: str = ""
    facts: dict[str, str] = field(default_factory=dict)


def is_out_of_service(state: State) -> bool:
    """Whether the home screen must say that nothing can be begun."""
    return state.step is Step.HOME and state.service is not Service.OK


def frame_offers(state: State) -> list[Offer]:
    """The buttons of the frame around every screen that work at this moment."""
    offers = [Offer("language", "language"), Offer("elderly", "elderly")]
    if state.busy:
        return offers
    if state.step in _BACK:
        offers.append(Offer("back", "back"))
    if state.step in _HOME:
        offers.append(Offer("home", "home"))
    if state.warned:
        offers.append(Offer("stay", "stay"))
    return offers


def step_offers(state: State) -> list[Offer]:
    """The buttons of the question itself, the main one first."""
    if state.busy or is_out_of_service(state):
        return []
    match state.step:
        case Step.HOME | Step.MENU:
            return [
                Offer("purpose", f"purpose_{purpose}", purpose.value)
                for purpose in Purpose
                if not (state.step is Step.MENU and purpose is Purpose.REGISTER)
            ]
        case Step.CONFIRM_PERSON:
            return [Offer("confirm_person", "confirm_person"), Offer("not_me", "not_me")]
        case Step.DEPARTMENTS | Step.SCHEDULES | Step.APPOINTMENTS | Step.DUE | Step.TICKETS:
            return _choices(state)
        case Step.CONFIRM_BOOKING:
            return [Offer("book", "book")]
        case Step.AMOUNT_CHANGED:
            return [Offer("agree", "agree"), Offer("decline", "decline")]
        case Step.CONFIRM_DUE:
            return [Offer("pay", "pay")]
        case Step.PAY:
            return [Offer("cancel_payment", "cancel_payment")]
        case Step.DONE if state.done is Done.REGISTERED:
            return [Offer("purpose", "purpose_visit", "visit"), Offer("finish", "finish")]
        case Step.DONE:
            return [Offer("finish", "finish"), Offer("menu", "menu")]
        case Step.PAYMENT_UNKNOWN:
            return [Offer("finish", "finish")]
        case Step.PROBLEM if state.problem is not None:
            return [Offer(*_way_out(name)) for name in state.problem.then if name != "home"]
        case _:
            return []


def _way_out(name: str) -> tuple[str, str, str]:
    """A way out of a problem: the purposes lead into their flow, all else is an action."""
    if name in {purpose.value for purpose in Purpose}:
        return "purpose", f"purpose_{name}", name
    return name, name, ""


def _choices(state: State) -> list[Offer]:
    match state.step:
        case Step.DEPARTMENTS:
            return [
                Offer("department", "plain", item.department_id, {"text": item.name})
                for item in state.departments
                if item.free_count > 0
            ]
        case Step.SCHEDULES:
            return [
                Offer("schedule", "plain", item.schedule_id, {"text": item.practitioner_name})
                for item in state.schedules
                if item.free_count > 0
            ]
        case Step.APPOINTMENTS:
            return [
                Offer("appointment", "plain", item.appointment_id, {"text": item.department_name})
                for item in state.home.appointments
                if item.can_check_in
            ]
        case Step.DUE:
            return [
                Offer("invoice", "plain", item.invoice_id, {"text": item.first_line})
                for item in state.home.due
            ]
        case _:
            return [
                Offer("ticket", "plain", item.ticket_id, {"text": item.number})
                for item in state.home.tickets
            ]


def page_size(state: State) -> int:
    """How many choices one screen holds; fewer in the large-type mode."""
    if state.step is Step.DEPARTMENTS:
        return 5 if state.elderly else 10
    return 3 if state.elderly else 4


def page_count(state: State) -> int:
    """Number of pages of the shown list, at least one."""
    total = {
        Step.DEPARTMENTS: len(state.departments),
        Step.SCHEDULES: len(state.schedules),
        Step.APPOINTMENTS: sum(item.can_check_in for item in state.home.appointments),
        Step.DUE: len(state.home.due),
        Step.TICKETS: len(state.home.tickets),
    }.get(state.step, 0)
    return max(1, -(-total // page_size(state)))


def paging_offers(state: State) -> list[Offer]:
    """Previous and next page of a list, where there is one."""
    offers: list[Offer] = []
    if state.busy:
        return offers
    if state.page > 0:
        offers.append(Offer("previous_page", "previous_page"))
    if state.page + 1 < page_count(state):
        offers.append(Offer("next_page", "next_page"))
    return offers


def offers(state: State) -> list[Offer]:
    """Every button of the screen."""
    return [*step_offers(state), *paging_offers(state), *frame_offers(state)]
