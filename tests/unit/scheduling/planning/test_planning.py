"""Plans a person can check by hand, what is said about them, and what to do before them."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace

import pytest

from backend.kernel.clock import at_local, local
from backend.scheduling.rules.examinations import Ordered, group_visits
from backend.scheduling.rules.planning import (
    Availability,
    Fixed,
    Maker,
    consecutive_runs,
    make_plan,
    split_refused,
)
from backend.scheduling.rules.planning.explanation import explain_days, maker_words, when_words
from backend.scheduling.rules.planning.preparation import Timed, steps_of_day
from tests.factories.examinations import (
    BARIUM,
    BLOOD,
    COLON,
    CT,
    CT_C,
    FIT,
    GASTRO,
    MONDAY,
    MR,
    NOW,
    RENAL,
    US_ABD,
    US_URO,
    option,
    problem_of,
    visit_of,
)


def times(plan: object) -> list[str]:
    return [f"{p.visit.key} {local(p.option.starts_at):%a %H:%M}" for p in plan.placed]  # type: ignore[attr-defined]


def test_ultrasound_comes_before_endoscopy_on_one_morning() -> None:
    us, gastro = visit_of(US_ABD), visit_of(GASTRO)
    problem = problem_of(
        [us, gastro],
        {"US-ABD": [option(1, 9), option(2, 8)], "GASTRO": [option(1, 8), option(1, 10)]},
    )
    plan = make_plan(problem)
    assert times(plan) == ["US-ABD Tue 09:00", "GASTRO Tue 10:00"]
    assert plan.maker is Maker.SOLVER_BEST
    (day,) = explain_days(problem, plan)
    assert any("先“腹部超声”后“电子胃镜检查”" in words for words in day.reasons)
    assert day.stay_minutes == 90
    assert "没有来院天数更少" in maker_words(plan)


def test_a_second_day_is_explained_by_the_rule_that_demands_it() -> None:
    visits = [visit_of(COLON), visit_of(MR)]
    problem = problem_of(
        visits, {"COLON": [option(1, 8)], "MR": [option(1, 9), option(1, 14), option(2, 9)]}
    )
    plan = make_plan(problem)
    assert times(plan) == ["COLON Tue 08:00", "MR Wed 09:00"]
    other = problem_of(visits, {"COLON": [option(1, 10)], "MR": [option(1, 8), option(2, 9)]})
    assert times(make_plan(other)) == ["MR Tue 08:00", "COLON Tue 10:00"]


def test_a_later_day_without_a_rule_is_for_want_of_places() -> None:
    problem = problem_of([visit_of(CT), visit_of(MR)], {"CT": [option(0, 9)], "MR": [option(3, 9)]})
    days = explain_days(problem, make_plan(problem))
    assert [day.day for day in days] == [MONDAY, MONDAY + dt.timedelta(days=3)]
    assert days[1].reasons == ("前面的日子里没有能接得上的空位",)


def test_the_way_between_buildings_is_walked() -> None:
    visits = [visit_of(CT), visit_of(MR)]
    near = problem_of(visits, {"CT": [option(0, 9)], "MR": [option(0, 9, 35), option(0, 11)]})
    assert times(make_plan(near)) == ["CT Mon 09:00", "MR Mon 09:35"]
    far = [option(0, 9, 35, building="门诊楼"), option(0, 9, 45, building="门诊楼")]
    assert (
        times(make_plan(problem_of(visits, {"CT": [option(0, 9)], "MR": far})))[1] == "MR Mon 09:45"
    )


def test_a_day_the_patient_comes_anyway_costs_nothing() -> None:
    doctor = option(2, 10)
    fixed = (Fixed((), doctor.building, doctor.starts_at, doctor.ends_at, "复诊"),)
    problem = problem_of([visit_of(CT)], {"CT": [option(1, 9), option(2, 9)]}, fixed=fixed)
    plan = make_plan(problem)
    assert times(plan) == ["CT Wed 09:00"]
    assert "本来就要来" in explain_days(problem, plan)[0].reasons[0]


def test_what_was_done_before_still_counts() -> None:
    done = option(-1, 9)
    fixed = (Fixed((BARIUM,), done.building, done.starts_at, done.ends_at),)
    problem = problem_of(
        [visit_of(US_ABD)], {"US-ABD": [option(1, 9), option(2, 9), option(3, 9)]}, fixed=fixed
    )
    assert times(make_plan(problem)) == ["US-ABD Thu 09:00"]


def test_the_patients_days_and_the_time_to_prepare_are_kept() -> None:
    free = Availability(MONDAY, MONDAY + dt.timedelta(days=6), frozenset({MONDAY + dt.timedelta(days=1)}),
                        frozenset({1, 2, 3}), mornings=True, afternoons=False)  # fmt: skip
    options = {"BLOOD": [option(0, 8), option(1, 8), option(2, 14), option(2, 9), option(3, 8)]}
    problem = problem_of([visit_of(BLOOD)], options, availability=free)
    assert times(make_plan(problem)) == [
        "BLOOD Wed 09:00"
    ]  # Monday 8:00 leaves no eight hours to fast


def test_what_fits_nowhere_is_left_out_and_the_rest_is_planned() -> None:
    problem = problem_of([visit_of(CT), visit_of(MR)], {"CT": [], "MR": [option(1, 9)]})
    assert times(make_plan(problem)) == ["MR Tue 09:00"]
    assert make_plan(problem_of([], {})).placed == ()


def test_without_the_solver_the_greedy_planner_says_that_it_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    plan = make_plan(problem_of([visit_of(CT)], {"CT": [option(1, 9)]}))
    assert plan.maker is Maker.GREEDY
    assert times(plan) == ["CT Tue 09:00"]
    assert "逐项" in maker_words(plan)


def test_the_solver_is_imported_only_when_it_is_needed() -> None:
    import subprocess

    code = "import sys, backend.scheduling.rules.planning; sys.exit('ortools' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_refused_order_leaves_its_visit_and_the_others_stay() -> None:
    visits = group_visits([Ordered("1", CT_C), Ordered("2", BLOOD), Ordered("3", RENAL)])
    assert [visit.key for visit in visits] == ["1", "2"]
    kept, refused = split_refused(visits, replace(FIT, has_iodinated_allergy=True))
    assert [visit.name for visit in kept] == ["肝功能十二项、肾功能四项"]
    assert refused["1"].code == "iodinated-allergy"


def test_runs_of_places_are_unbroken_and_just_long_enough() -> None:
    slots = [(o.slot_ids[0], o.starts_at, o.ends_at)
             for o in (option(0, 9, m, minutes=15) for m in (0, 15, 45))]  # fmt: skip
    assert [(local(b).minute, len(ids)) for b, _e, ids in consecutive_runs(slots, 15)] == [
        (0, 1),
        (15, 1),
        (45, 1),
    ]
    assert [(local(b).minute, len(ids)) for b, _e, ids in consecutive_runs(slots, 20)] == [(0, 2)]
    assert list(consecutive_runs(slots, 31)) == []


def test_one_fast_covers_the_day_and_begins_in_the_evening() -> None:
    us, gastro, uro = (option(1, 8), option(1, 9), option(1, 11))
    timed = [Timed(visit_of(e), o.starts_at, o.ends_at)
             for e, o in ((US_ABD, us), (GASTRO, gastro), (US_URO, uro))]  # fmt: skip
    steps = steps_of_day(timed)
    day = us.day
    said = [(when_words(step.at, day), str(step.words)) for step in steps if step.at]
    assert said == [
        ("前一天 22:00", "从这时起不要吃东西"),
        ("前一天 22:00", "从这时起水也不要喝"),
        ("10:00", "喝水约 800 毫升并憋尿，为“泌尿系超声”做准备"),
        ("09:30", "“电子胃镜检查”做完后可以吃东西"),
    ]


def test_a_late_fast_is_told_to_the_hour_and_the_bowel_is_cleansed_the_evening_before() -> None:
    at = option(1, 11, 30)
    steps = steps_of_day([Timed(visit_of(CT_C), at.starts_at, at.ends_at)])
    assert steps[0].at == at_local(at.day, dt.time(7, 30))
    words = [str(s.words) for s in steps_of_day([Timed(visit_of(COLON), at.starts_at, at.ends_at)])]
    assert any("清肠药" in w for w in words)
    assert any("家属" in w for w in words)
    assert at.starts_at > NOW
