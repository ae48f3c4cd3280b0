"""Who stands here: tile or card first, then "are you this person", then what they came for."""

from __future__ import annotations

from dataclasses import replace

from kiosk_agent.flows.attend import enter
from kiosk_agent.flows.common import (
    Instant,
    Move,
    finish,
    go,
    notify,
    refused_problem,
    trouble,
    wait,
)
from kiosk_agent.flows.events import Answered, DeviceTrouble, Identify, Presented, Refused, Touched
from kiosk_agent.flows.state import Purpose, Service, State, Step
from kiosk_agent.messages import Identified

# Device codes with words of their own; every other failed reading is "read_failed".
READ_AGAIN = frozenset({"card_removed", "payment_code", "unreadable_code"})
# Cards that were read and can never be used here: a dead end with a way out.
UNUSABLE = {
    "unknown_card": "card_unknown",
    "foreigner_card": "foreigner_card",
    "hmt_resident_card": "hmt_resident_card",
    "malformed_card": "card_malformed",
}
# Refusals that have words of their own; everything else is said in the backend's words.
OWN_WORDS = {
    "id_card_expired": "id_card_expired",
    "card_unknown": "card_unknown",
    "code_unknown": "code_unknown",
    "code_not_understood": "code_unknown",
}


def touched_home(state: State, event: Touched, now: Instant) -> Move:
    """A tile of the home screen: remember the purpose and ask for a card."""
    if state.service is not Service.OK:
        return state, ()
    return go(state, Step.IDENTIFY, now, purpose=Purpose(event.value)), ()


def presented(state: State, event: Presented, now: Instant) -> Move:
    """A card or code: begins at home and at the prompt; a second one is ignored, and said so."""
    if state.step is Step.HOME and state.service is not Service.OK:
        return state, ()
    is_retry = state.step is Step.PROBLEM and not state.session and not state.busy
    if state.busy or not (state.step in (Step.HOME, Step.IDENTIFY) or is_retry):
        if event.subject == state.subject:
            return state, ()
        return notify(state, "second_card", now), ()
    asking = go(state, Step.IDENTIFY, now, subject=event.subject)
    return wait(asking, "identify"), (Identify(event.payload, state.language),)


def device_trouble(state: State, event: DeviceTrouble, now: Instant) -> Move:
    """A card that could not be read: say what to do; nothing has begun, nothing is lost."""
    is_open = state.step in (Step.HOME, Step.IDENTIFY, Step.PROBLEM) and not state.session
    if state.busy or not is_open or state.service is not Service.OK:
        return state, ()
    if event.code in UNUSABLE:
        return trouble(state, UNUSABLE[event.code], now, "present_again"), ()
    key = event.code if event.code in READ_AGAIN else "read_failed"
    # A bad card left lying is tried over and over: that must not keep the screen awake.
    is_there = event.code == "payment_code" or state.step is Step.IDENTIFY
    shown = state if is_there else go(state, Step.IDENTIFY, now)
    return notify(shown, f"trouble_{key}", now), ()


def identified(state: State, event: Answered, now: Instant) -> Move:
    """The backend knows the person: show the full name and ask."""
    found: Identified = event.result
    known = replace(
        state,
        session=found.session,
        patient=found.patient,
        home=found.home,
        created=found.created,
    )
    return go(known, Step.CONFIRM_PERSON, now), ()


def refused(state: State, event: Refused, now: Instant) -> Move:
    """Not identified: expired card, unknown card, or another reason in the backend's words."""
    key = OWN_WORDS.get(event.code)
    bare = replace(state, subject="")
    if key:
        return trouble(bare, key, now, "present_again", refused=event), ()
    return refused_problem(bare, event, now, "present_again"), ()


def went_away(state: State, now: Instant) -> Move:
    """No answer: the person may try again or go to a counter."""
    return trouble(replace(state, subject=""), "backend_away", now, "present_again"), ()


def touched_confirm(state: State, event: Touched, now: Instant) -> Move:
    """Yes: to the purpose. No: everything about this person is wiped."""
    if event.action == "not_me":
        return finish(state)
    return enter(state, state.purpose, now)
