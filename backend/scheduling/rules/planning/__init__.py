"""Planning a patient's examinations: the fewest days and the shortest stay that every rule allows.

``make_plan`` is pure: plain values in, plan out, the same for the same question. It may take up to two seconds and a
half, so never call it inside a unit of work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backend.scheduling.rules.planning.greedy import plan_greedily
from backend.scheduling.rules.planning.problem import (
    Availability,
    Fixed,
    Option,
    Placed,
    Problem,
    consecutive_runs,
    keeps_gap,
    score_of,
    split_refused,
    travel_minutes,
    usable,
    violations,
)

__all__ = [
    "Availability",
    "Fixed",
    "Maker",
    "Option",
    "Placed",
    "Plan",
    "Problem",
    "consecutive_runs",
    "keeps_gap",
    "make_plan",
    "plan_greedily",
    "score_of",
    "split_refused",
    "travel_minutes",
    "usable",
    "violations",
]


class Maker(StrEnum):
    """Who made a plan. ``solver_best``: nothing better exists; ``solver``: the best within its limit."""

    SOLVER_BEST = "solver_best"
    SOLVER = "solver"
    GREEDY = "greedy"


@dataclass(frozen=True, slots=True)
class Plan:
    """Where every visit is, in time's order; visits of the problem that are not here found no place."""

    placed: tuple[Placed, ...]
    maker: Maker


def make_plan(problem: Problem, *, with_solver: bool = True) -> Plan:
    """The best plan for a problem; the greedy one when the solver is away or ends without anything as good."""
    greedy = plan_greedily(problem)
    if not with_solver or not problem.visits:
        return Plan(greedy, Maker.GREEDY)
    try:
        from backend.scheduling.rules.planning.solver import solve

        solved, is_best = solve(problem, greedy)
    except ImportError:
        return Plan(greedy, Maker.GREEDY)
    if solved is None or any(True for _ in violations(problem, solved)):
        return Plan(greedy, Maker.GREEDY)
    if not is_best and score_of(problem, greedy) < score_of(problem, solved):
        return Plan(greedy, Maker.GREEDY)
    return Plan(solved, Maker.SOLVER_BEST if is_best else Maker.SOLVER)
