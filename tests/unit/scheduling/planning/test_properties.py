"""For any problem: plans obey every rule; the solver is never worse than the greedy planner and equals brute force."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.scheduling.rules.planning import (
    Fixed,
    Maker,
    Option,
    Placed,
    Problem,
    make_plan,
    plan_greedily,
    score_of,
    solver,
    violations,
)
from backend.scheduling.rules.planning.solver import solve
from tests.factories.examinations import (
    EVERYTHING,
    FIT,
    option,
    problem_of,
    visit_of,
)

#: Seconds until a solver is cut off whatever it has done: never reached here, however busy the machine.
LONG = 120.0


@pytest.fixture(autouse=True, scope="module")
def _time_enough() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver, "WALL_SECONDS", LONG)
        yield


BUILDINGS = ("医技楼", "门诊楼")
times = st.tuples(
    st.integers(0, 5),
    st.integers(8, 16),
    st.sampled_from((0, 15, 30, 45)),
    st.sampled_from(BUILDINGS),
)


@st.composite
def problems(draw: st.DrawFn, most_visits: int, most_options: int) -> Problem:
    """A few examinations with a few places each, and perhaps something that stands already."""
    chosen = draw(
        st.lists(st.sampled_from(EVERYTHING), min_size=1, max_size=most_visits, unique=True)
    )
    visits = [visit_of(examination) for examination in chosen]
    options: dict[str, list[Option]] = {}
    for visit in visits:
        places = draw(st.lists(times, min_size=0, max_size=most_options, unique=True))
        options[visit.key] = [
            option(day, hour, minute, minutes=max(visit.minutes, 15), building=building)
            for day, hour, minute, building in places
        ]
    fixed = []
    if draw(st.booleans()):
        at = option(draw(st.integers(-2, 3)), 10, minutes=30)
        done = draw(st.sampled_from(((), *((e,) for e in EVERYTHING))))
        fixed.append(Fixed(done, at.building, at.starts_at, at.ends_at))
    patient = draw(st.sampled_from((FIT, FIT.__class__(age=70, sex=1, egfr=50))))
    return problem_of(visits, options, fixed=tuple(fixed), patient=patient)


def every_plan(problem: Problem) -> Iterator[tuple[Placed, ...]]:
    """All that could be done, left-out visits included; only the lawful ones."""
    choices = [
        [None, *(Placed(visit, one) for one in problem.options[visit.key])]
        for visit in problem.visits
    ]
    for combination in product(*choices):
        placed = tuple(one for one in combination if one is not None)
        if not any(True for _ in violations(problem, placed)):
            yield placed


@settings(max_examples=150)
@given(problems(most_visits=8, most_options=12))
def test_a_greedy_plan_obeys_every_rule(problem: Problem) -> None:
    assert list(violations(problem, plan_greedily(problem))) == []


@settings(max_examples=40)
@given(problems(most_visits=7, most_options=14))
def test_the_solver_obeys_every_rule_and_is_never_worse_than_greedy(problem: Problem) -> None:
    greedy = plan_greedily(problem)
    solved, _is_best = solve(problem, greedy)
    assert solved is not None
    assert list(violations(problem, solved)) == []
    assert score_of(problem, solved)[:3] <= score_of(problem, greedy)[:3]


@settings(max_examples=60)
@given(problems(most_visits=4, most_options=5))
def test_the_solver_agrees_with_trying_everything(problem: Problem) -> None:
    best = min(score_of(problem, placed) for placed in every_plan(problem))
    solved, is_best = solve(problem, ())
    assert is_best
    assert solved is not None
    assert score_of(problem, solved)[:3] == best[:3]


@settings(max_examples=15)
@given(problems(most_visits=5, most_options=10))
def test_the_same_question_has_the_same_answer(problem: Problem) -> None:
    assert make_plan(problem) == make_plan(problem)


@settings(max_examples=20)
@given(problems(most_visits=5, most_options=8))
def test_make_plan_says_who_made_it(problem: Problem) -> None:
    assert make_plan(problem, with_solver=False).maker is Maker.GREEDY
    assert make_plan(problem).maker is not Maker.GREEDY
