"""The planner that always answers: places one visit after the other as early as the rules allow.

Tried in several orders and from every first day, the best result kept; used when the solver is away or has nothing
better.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import islice, permutations

from backend.scheduling.rules.examinations import Visit
from backend.scheduling.rules.planning.problem import (
    Option,
    Placed,
    Problem,
    keeps_gap,
    score_of,
)

#: Orders tried: all of up to three visits.
MOST_ORDERS = 7


def plan_greedily(problem: Problem) -> tuple[Placed, ...]:
    """The best of the plans found by placing visits one by one; visits that fit nowhere are left out."""
    best: tuple[Placed, ...] = ()
    for order in islice(_orders(problem), MOST_ORDERS):
        for first_day in (None, *_days(problem)):
            placed = _place(problem, order, first_day)
            if score_of(problem, placed) < score_of(problem, best):
                best = placed
    return tuple(sorted(best, key=lambda p: p.option.starts_at))


def _orders(problem: Problem) -> Iterator[tuple[Visit, ...]]:
    """The sensible order first: what must come before others, then what has the fewest places."""
    yield tuple(
        sorted(
            problem.visits, key=lambda v: (_is_late(problem, v), len(problem.options[v.key]), v.key)
        )
    )
    yield from permutations(sorted(problem.visits, key=lambda v: v.key))


def _is_late(problem: Problem, visit: Visit) -> int:
    """How many other visits would have to wait if this one came first: the more, the later it is placed."""
    return sum(
        not problem.gaps[visit.key, other.key].is_free
        for other in problem.visits
        if other is not visit
    )


def _days(problem: Problem) -> list[dt.date]:
    return sorted({option.day for options in problem.options.values() for option in options})


def _place(
    problem: Problem, order: tuple[Visit, ...], first_day: dt.date | None
) -> tuple[Placed, ...]:
    placed: list[Placed] = []
    for visit in order:
        days = {one.option.day for one in placed} | problem.fixed_days
        if first_day is not None:
            days.add(first_day)
        options = problem.options[visit.key]  # in time's order
        wanted = [option for option in options if option.day in days]
        rest = [option for option in options if option.day not in days]
        fitting = (o for o in (*wanted, *rest) if _fits(problem, visit, o, placed))
        chosen = next(fitting, None)
        if chosen is not None:
            placed.append(Placed(visit, chosen))
    return tuple(placed)


def _fits(problem: Problem, visit: Visit, option: Option, placed: list[Placed]) -> bool:
    for one in placed:
        if one.option.starts_at <= option.starts_at:
            fits = keeps_gap(one.option, option, problem.gaps[one.visit.key, visit.key])
        else:
            fits = keeps_gap(option, one.option, problem.gaps[visit.key, one.visit.key])
        if not fits:
            return False
    return True
