"""Why a plan is as it is, in words: why this order, why another day, who made it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from backend.kernel.clock import local
from backend.scheduling.rules.intervals import Gap
from backend.scheduling.rules.planning import Maker, Placed, Plan, Problem
from backend.scheduling.rules.planning.preparation import Step, Timed, steps_of_day


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One day of a plan: its visits in time's order, what to do for them, and why they stand so."""

    day: dt.date
    placed: tuple[Placed, ...]
    steps: tuple[Step, ...]
    reasons: tuple[str, ...]

    @property
    def timeline(self) -> list[tuple[dt.datetime, Placed | None, Step | None]]:
        """Visits and what has a time of its own, one after the other."""
        entries: list[tuple[dt.datetime, Placed | None, Step | None]] = [
            (one.option.starts_at, one, None) for one in self.placed
        ]
        entries += [(step.at, None, step) for step in self.steps if step.at is not None]
        return sorted(entries, key=lambda entry: entry[0])

    @property
    def starts_at(self) -> dt.datetime:
        """When the first visit begins."""
        return self.placed[0].option.starts_at

    @property
    def ends_at(self) -> dt.datetime:
        """When the last visit ends."""
        return max(one.option.ends_at for one in self.placed)

    @property
    def stay_minutes(self) -> int:
        """How long the patient is here."""
        return (self.ends_at - self.starts_at) // dt.timedelta(minutes=1)


def explain_days(problem: Problem, plan: Plan) -> list[DayPlan]:
    """The plan day by day with words."""
    days: dict[dt.date, list[Placed]] = {}
    for one in plan.placed:
        days.setdefault(one.option.day, []).append(one)
    explained: list[DayPlan] = []
    for day, placed in days.items():
        timed = [Timed(p.visit, p.option.starts_at, p.option.ends_at) for p in placed]
        earlier = [one for shown in explained for one in shown.placed]
        reasons = [*_why_this_day(problem, placed, earlier), *_why_this_order(problem, placed)]
        explained.append(
            DayPlan(day, tuple(placed), tuple(steps_of_day(timed)), tuple(dict.fromkeys(reasons)))
        )
    return explained


def _why_this_day(
    problem: Problem, placed: Sequence[Placed], earlier: Sequence[Placed]
) -> Iterator[str]:
    if any(one.option.day in problem.fixed_days for one in placed):
        yield _("这一天本来就要来医院，安排在一起")
    apart = []
    for before in earlier:
        for one in placed:
            gap = problem.gaps[before.visit.key, one.visit.key]
            back = problem.gaps[one.visit.key, before.visit.key]
            hours = _hours_of_a_day(before, one)
            if _parts_days(gap, hours) and (back.is_forbidden or _parts_days(back, hours)):
                apart.append((before, one, gap.reasons))
    for before, one, reasons in apart:
        words = "；".join(map(str, reasons))
        yield _("“%(one)s”和“%(other)s”不能同一天：%(why)s",
                one=before.visit.name, other=one.visit.name, why=words)  # fmt: skip
    if earlier and not apart:
        yield _("前面的日子里没有能接得上的空位")


def _hours_of_a_day(one: Placed, other: Placed) -> int:
    """How long the part of a day is that both can be in: who fasts for both has only the morning."""
    return 4 if one.visit.is_morning_only and other.visit.is_morning_only else 10


def _parts_days(gap: Gap, hours: int) -> bool:
    """True when the two cannot be on one day in this order."""
    return gap.next_day or gap.minutes >= hours * 60


def _why_this_order(problem: Problem, placed: Sequence[Placed]) -> Iterator[str]:
    """What must come first, one sentence for each later visit and reason."""
    firsts: dict[tuple[str, str], list[str]] = {}
    waits: dict[tuple[str, str], list[str]] = {}
    for index, one in enumerate(placed):
        for other in placed[index + 1 :]:
            gap = problem.gaps[one.visit.key, other.visit.key]
            back = problem.gaps[other.visit.key, one.visit.key]
            must_be_first = back.is_forbidden or _parts_days(back, _hours_of_a_day(one, other))
            if must_be_first or gap.minutes:
                group = firsts if must_be_first else waits
                for reason in back.reasons if must_be_first else gap.reasons:
                    group.setdefault((other.visit.name, str(reason)), []).append(one.visit.name)
    for (later, why), earlier in firsts.items():
        yield _("先“%(one)s”后“%(other)s”：%(why)s", one="”“".join(earlier), other=later, why=why)
    for (later, why), earlier in waits.items():
        yield _("“%(one)s”与“%(other)s”之间留出时间：%(why)s",
                one="”“".join(earlier), other=later, why=why)  # fmt: skip
    fasting = [one for one in placed if one.visit.is_morning_only]
    if fasting:
        names = "、".join(one.visit.name for one in fasting)
        yield _("空腹的检查（%(names)s）放在上午，只饿一次", names=names)


def maker_words(plan: Plan) -> str:
    """Who made the plan, for the person who offers it."""
    words: dict[Maker, str] = {
        Maker.SOLVER_BEST: _("已比较全部可能：没有来院天数更少、停留更短的安排"),
        Maker.SOLVER: _("在限定时间内找到的最好安排"),
        Maker.GREEDY: _("按先后逐项安排（优化求解没有给出更好的结果）"),
    }
    return words[plan.maker]


def when_words(moment: dt.datetime, day: dt.date) -> str:
    """A moment as the preparation sheet of ``day`` says it: the day before is named."""
    wall = local(moment)
    if wall.date() == day:
        return f"{wall:%H:%M}"
    if wall.date() == day - dt.timedelta(days=1):
        return str(_("前一天 %(time)s", time=f"{wall:%H:%M}"))
    return f"{wall:%m-%d %H:%M}"
