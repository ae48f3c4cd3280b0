"""The words of a dead end: what happened and what to do next."""

from __future__ import annotations

from kiosk_agent.flows.state import Problem
from kiosk_agent.screens.words import Words

# Problems in which nothing went wrong: shown calmly.
CALM = frozenset({"nothing_due", "nothing_to_print", "no_appointment", "already_checked_in"})


def problem_words(problem: Problem, words: Words) -> tuple[str, str]:
    """Title and next step. The kiosk's own words where it has them, else the backend's."""
    if problem.key == "refused":
        title = problem.title or words("problem_refused_title")
        lead = " ".join(part for part in (problem.detail, problem.next_step) if part)
        return title, lead or words("problem_refused_lead")
    lead = problem.detail if problem.key == "payment_ended" else ""
    return words(f"problem_{problem.key}_title"), lead or words(f"problem_{problem.key}_lead")


def tone(problem: Problem) -> str:
    """How the screen is coloured, always beside words: info, warn or bad."""
    if problem.key in CALM:
        return "info"
    return "bad" if problem.key in ("backend_away", "refused", "outcome_unknown") else "warn"
