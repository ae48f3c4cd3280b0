"""The planner that finds the best plan: OR-tools CP-SAT, with one worker, a fixed seed and a limit of work.

Work is limited in the solver's own deterministic unit, so that the same question has the same answer however busy
the machine is; the wall clock is only a net below it. The library is imported here and nowhere else, when first used.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from backend.kernel.clock import at_local, business_date
from backend.scheduling.rules.examinations import Visit
from backend.scheduling.rules.planning.problem import (
    DAY_LATER_MINUTES,
    SAME_BUILDING_MINUTES,
    Fixed,
    Option,
    Placed,
    Problem,
    travel_minutes,
)

SEED = 1
#: Work in the solver's deterministic seconds, and the net in real ones.
WORK_LIMIT = 1.0
WALL_SECONDS = 2.0
DAY = 24 * 60


@dataclass(slots=True)
class Mode:
    """A visit on one day, in one building, for one length of time: ``is_so`` says that it is the one."""

    day: int
    building: str
    minutes: int
    options: dict[int, Option]
    is_so: Any


@dataclass(slots=True)
class Model:
    """A problem in the solver's terms. Minutes count from today's midnight."""

    cp: Any
    origin: dt.datetime
    modes: dict[str, list[Mode]] = field(default_factory=dict)
    starts: dict[str, Any] = field(default_factory=dict)
    ends: dict[str, Any] = field(default_factory=dict)
    days: dict[str, Any] = field(default_factory=dict)
    present: dict[str, Any] = field(default_factory=dict)
    orders: dict[tuple[str, str], Any] = field(default_factory=dict)
    places: dict[tuple[str, str], Any] = field(default_factory=dict)
    used: dict[int, Any] = field(default_factory=dict)
    begins: dict[int, Any] = field(default_factory=dict)
    stays: dict[int, Any] = field(default_factory=dict)
    last: Any = None
    cost: Any = None

    def minute(self, moment: dt.datetime) -> int:
        return (moment - self.origin) // dt.timedelta(minutes=1)


def solve(
    problem: Problem, hint: tuple[Placed, ...], work_limit: float = WORK_LIMIT
) -> tuple[tuple[Placed, ...] | None, bool]:
    """The best plan found and whether nothing better exists; None when the solver found nothing in its limit.

    ``hint`` is a plan to start from. Raises ImportError when the library is not installed.
    """
    from ortools.sat.python import cp_model

    model = _build(cp_model, problem)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = SEED
    solver.parameters.max_time_in_seconds = WALL_SECONDS
    solver.parameters.max_deterministic_time = work_limit
    _hint(model, problem, hint)
    model.cp.minimize(model.cost)
    status = solver.solve(model.cp)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, False
    best = _read(solver, model, problem)
    is_best = status == cp_model.OPTIMAL
    # As good, but earlier in the day: a second, shorter search among the equals of the first.
    model.cp.add(model.cost <= round(solver.objective_value))
    model.cp.clear_hints()
    _hint(model, problem, best)
    model.cp.minimize(sum(model.starts.values()))
    solver.parameters.max_deterministic_time = work_limit / 4
    solver.parameters.max_time_in_seconds = WALL_SECONDS / 4
    if solver.solve(model.cp) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        best = _read(solver, model, problem)
    return best, is_best


def _build(cp_model: Any, problem: Problem) -> Model:
    model = Model(cp_model.CpModel(), at_local(business_date(problem.now), dt.time.min))
    for visit in problem.visits:
        _add_visit(cp_model, model, visit, problem.options[visit.key])
    keys = [visit.key for visit in problem.visits]
    for index, one in enumerate(keys):
        for other in keys[index + 1 :]:
            _add_pair(model, problem, one, other)
    model.cost = _cost(model, problem)
    return model


def _add_visit(cp_model: Any, model: Model, visit: Visit, options: tuple[Option, ...]) -> None:
    """One mode or none; begin, end and day follow from it (0 without one)."""
    cp, key = model.cp, visit.key
    groups: dict[tuple[int, str, int], dict[int, Option]] = defaultdict(dict)
    for option in options:
        begin = model.minute(option.starts_at)
        length = model.minute(option.ends_at) - begin
        groups[begin // DAY, option.building, length][begin] = option
    last = max((model.minute(option.ends_at) for option in options), default=0)
    start, end = cp.new_int_var(0, last, f"{key} begins"), cp.new_int_var(0, last, f"{key} ends")
    modes = []
    for (day, building, length), found in groups.items():
        is_so = cp.new_bool_var(f"{key} {day} {building} {length}")
        domain = cp_model.Domain.from_values(list(found))
        cp.add_linear_expression_in_domain(start, domain).only_enforce_if(is_so)
        cp.add(end == start + length).only_enforce_if(is_so)
        modes.append(Mode(day, building, length, found, is_so))
    present = cp.new_bool_var(f"{key} is planned")
    cp.add_exactly_one([*(mode.is_so for mode in modes), ~present])
    cp.add(start == 0).only_enforce_if(~present)
    cp.add(end == 0).only_enforce_if(~present)
    model.days[key] = sum(mode.day * mode.is_so for mode in modes)
    model.modes[key], model.present[key] = modes, present
    model.starts[key], model.ends[key] = start, end


def _add_pair(model: Model, problem: Problem, one: str, other: str) -> None:
    """When both are planned, one comes before the other with all that must lie between."""
    cp = model.cp
    forward, backward = cp.new_bool_var(""), cp.new_bool_var("")
    model.orders[one, other], model.orders[other, one] = forward, backward
    cp.add_at_most_one([forward, backward])
    cp.add_bool_or([forward, backward, ~model.present[one], ~model.present[other]])
    for first, second, is_so in ((one, other, forward), (other, one, backward)):
        cp.add_implication(is_so, model.present[first])
        cp.add_implication(is_so, model.present[second])
        gap = problem.gaps[first, second]
        if gap.is_forbidden:
            cp.add(is_so == 0)
            continue
        if gap.next_day or gap.minutes >= DAY:
            days = max(gap.minutes // DAY, 1)
            cp.add(model.days[second] >= model.days[first] + days).only_enforce_if(is_so)
        for (leaving, from_here), (arriving, to_there) in _ways(model, first, second):
            needed = max(gap.minutes, travel_minutes(leaving, arriving))
            conditions = [is_so, *from_here, *to_there]
            cp.add(model.starts[second] >= model.ends[first] + needed).only_enforce_if(conditions)


def _ways(model: Model, first: str, second: str) -> Any:
    """Every pair of buildings the two visits can be in, with the literals that say so (none for an only one)."""
    for leaving in _places(model, first):
        for arriving in _places(model, second):
            yield leaving, arriving


def _places(model: Model, key: str) -> list[tuple[str, list[Any]]]:
    by_building: dict[str, list[Any]] = defaultdict(list)
    for mode in model.modes[key]:
        by_building[mode.building].append(mode.is_so)
    if len(by_building) <= 1:
        return [(building, []) for building in by_building]
    for building, bools in by_building.items():
        if (key, building) not in model.places:
            model.places[key, building] = model.cp.new_bool_var("")
            model.cp.add(sum(bools) == model.places[key, building])
    return [(building, [model.places[key, building]]) for building in by_building]


def _cost(model: Model, problem: Problem) -> Any:
    """Visits left out outweigh days, days outweigh the stay: the order of ``score_of``."""
    cp = model.cp
    by_day: dict[int, list[tuple[str, Mode]]] = defaultdict(list)
    for key, modes in model.modes.items():
        for mode in modes:
            by_day[mode.day].append((key, mode))
    missing = sum(1 - present for present in model.present.values())
    if not by_day:
        return missing
    fixed_days = {(day - business_date(problem.now)).days for day in problem.fixed_days}
    comes = []
    for day, entries in by_day.items():
        used = cp.new_bool_var(f"day {day}")
        cp.add_max_equality(used, [mode.is_so for _key, mode in entries])
        if day not in fixed_days:
            comes.append(used)
        model.used[day] = used
        _add_stay(model, problem, day, entries)
    last = model.last = cp.new_int_var(0, max(by_day), "last day")
    for day_of_visit in model.days.values():
        cp.add(last >= day_of_visit)
    most_stay = DAY * len(by_day) + DAY_LATER_MINUTES * (max(by_day) + 1)
    by_days, stay = most_stay * (len(by_day) + 1), sum(model.stays.values())
    return by_days * missing + most_stay * sum(comes) + stay + DAY_LATER_MINUTES * last


def _add_stay(model: Model, problem: Problem, day: int, entries: list[tuple[str, Mode]]) -> None:
    """Minutes from the first begin to the last end of a day, 0 when nobody comes."""
    cp, midnight, used = model.cp, day * DAY, model.used[day]
    begin, length = cp.new_int_var(0, DAY, ""), cp.new_int_var(0, DAY, f"stay {day}")
    for key, mode in entries:
        cp.add(begin + midnight <= model.starts[key]).only_enforce_if(mode.is_so)
        cp.add(begin + length + midnight >= model.ends[key]).only_enforce_if(mode.is_so)
    for one in problem.fixed:
        begins, ends = model.minute(one.starts_at) - midnight, model.minute(one.ends_at) - midnight
        if 0 <= begins < DAY:
            cp.add(begin <= begins).only_enforce_if(used)
            cp.add(begin + length >= ends).only_enforce_if(used)
    # Implied, but it lets the solver see early how short a day can be: visits and the ways between them.
    work = sum((mode.minutes + SAME_BUILDING_MINUTES) * mode.is_so for _key, mode in entries)
    cp.add(length >= work - SAME_BUILDING_MINUTES * used)
    model.begins[day], model.stays[day] = begin, length


def _hint(model: Model, problem: Problem, placed: tuple[Placed, ...]) -> None:
    """Start the search from a plan, with the value of every variable, so that it is the first solution found."""
    cp = model.cp
    wanted = {one.visit.key: one.option for one in placed}
    at = {key: model.minute(option.starts_at) for key, option in wanted.items()}
    for key, modes in model.modes.items():
        begin = at.get(key, 0)
        cp.add_hint(model.starts[key], begin)
        cp.add_hint(model.ends[key], model.minute(wanted[key].ends_at) if key in at else 0)
        cp.add_hint(model.present[key], int(key in at))
        for mode in modes:
            cp.add_hint(mode.is_so, int(key in at and mode.options.get(begin) == wanted[key]))
    for (key, building), is_here in model.places.items():
        cp.add_hint(is_here, int(key in at and wanted[key].building == building))
    for (first, second), is_so in model.orders.items():
        cp.add_hint(is_so, int(first in at and second in at and at[first] < at[second]))
    standing: list[Option | Fixed] = [*wanted.values(), *problem.fixed]
    for day, used in model.used.items():
        spans = [
            (model.minute(one.starts_at) - day * DAY, model.minute(one.ends_at) - day * DAY)
            for one in standing
            if model.minute(one.starts_at) // DAY == day
        ]
        is_used = any(begin // DAY == day for begin in at.values())
        begin = min((begin for begin, _end in spans), default=0) if is_used else 0
        end = max((end for _begin, end in spans), default=0) if is_used else 0
        cp.add_hint(used, int(is_used))
        cp.add_hint(model.begins[day], begin)
        cp.add_hint(model.stays[day], end - begin)
    if model.last is not None:
        cp.add_hint(model.last, max((begin // DAY for begin in at.values()), default=0))


def _read(solver: Any, model: Model, problem: Problem) -> tuple[Placed, ...]:
    placed = [
        Placed(visit, mode.options[solver.value(model.starts[visit.key])])
        for visit in problem.visits
        for mode in model.modes[visit.key]
        if solver.boolean_value(mode.is_so)
    ]
    return tuple(sorted(placed, key=lambda p: p.option.starts_at))
