"""Draws a state as the screen document: the same for the page and for whoever drives the kiosk.

{name, title, lead, language, elderly, warned, notice, data, actions}; the engine adds `no` and
`seconds_left`. Full names appear only between identification and the wipe; codes to scan are
served as a picture, never as text.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kiosk_agent.flows.offers import Offer, is_out_of_service, offers
from kiosk_agent.flows.state import State, Step
from kiosk_agent.screens.facts import facts
from kiosk_agent.screens.problems import problem_words
from kiosk_agent.screens.steps import steps
from kiosk_agent.screens.words import Words


def screen_name(state: State) -> str:
    """The name of what is shown; waiting has a screen of its own."""
    if is_out_of_service(state):
        return "out_of_service"
    return "working" if state.busy else state.step.value


def qr_payload(state: State) -> str:
    """What the shown screen's code says; "" when it shows none."""
    if state.busy:
        return ""
    if state.step is Step.PAY and state.payment is not None:
        return state.payment.code_url or ""
    if state.step in (Step.DONE, Step.PROBLEM) and state.ticket is not None:
        return state.ticket.url
    return ""


def draw(state: State, now: datetime) -> dict[str, Any]:
    """The document of `state`; `now` is the hospital's time (for words like "today")."""
    words = Words(state.language)
    name = screen_name(state)
    title, lead = _headings(state, name, words)
    notice = state.notice
    return {
        "name": name,
        "title": title,
        "lead": lead,
        "language": state.language,
        "elderly": state.elderly,
        "warned": state.warned,
        "notice": (
            {"tone": notice.tone, "text": words(f"notice_{notice.key}")}
            if notice is not None
            else None
        ),
        "steps": steps(state, words),
        "has_qr": bool(qr_payload(state)),
        "data": facts(state, name, now, words),
        "actions": [_action(offer, words) for offer in offers(state)],
    }


def _headings(state: State, name: str, words: Words) -> tuple[str, str]:
    if name == "out_of_service":
        return words("title_out_of_service"), words(f"service_{state.service}")
    if name == "working":
        return words(f"wait_{state.busy}"), words("wait_lead")
    if name == "problem" and state.problem is not None:
        return problem_words(state.problem, words)
    if name == "done":
        return words(f"done_{state.done}_title"), words(f"done_{state.done}_lead")
    if name == "identify":
        key = f"title_identify_{state.purpose}" if state.purpose else "title_identify"
        return words(key), words("lead_identify")
    if name == "printing" and state.print_job is not None:
        return words(f"title_printing_{state.print_job.kind}"), words("lead_printing")
    if name == "pay" and state.payment is not None and not state.payment.code_url:
        return words("title_pay"), words("lead_pay_preparing")
    return words(f"title_{name}"), words(f"lead_{name}")


def _action(offer: Offer, words: Words) -> dict[str, str]:
    label = words(f"action_{offer.words}", **offer.facts)
    action = {"id": offer.action, "label": label}
    return {**action, "value": offer.value} if offer.value else action
