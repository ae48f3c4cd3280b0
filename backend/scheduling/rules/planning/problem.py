"""What a plan of examinations is made from, whether one obeys every rule, and which of two is better.

Plain values in and out. Times are UTC; a day is a business date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from backend.kernel.clock import NOON, business_date, local
from backend.kernel.ids import Id
from backend.scheduling.rules.examinations import Examination, Visit
from backend.scheduling.rules.intervals import Gap, gap_between
from backend.scheduling.rules.safety import PatientFacts, Refusal, refusal_of

#: Minutes from one device to the next: in one building, and across buildings.
SAME_BUILDING_MINUTES = 5
OTHER_BUILDING_MINUTES = 15
#: One day later is worth this many minutes less in the hospital: nobody waits a week to save five minutes.
DAY_LATER_MINUTES = 20


@dataclass(frozen=True, slots=True)
class Option:
    """Consecutive free places of one device, long enough for one visit. ``building``: where, for the way."""

    device_id: Id
    building: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    slot_ids: tuple[Id, ...]

    @property
    def day(self) -> dt.date:
        """The day of the visit."""
        return business_date(self.starts_at)


@dataclass(frozen=True, slots=True)
class Fixed:
    """What stands already: examinations booked or done, or (without examinations) a visit to a doctor."""

    examinations: tuple[Examination, ...]
    building: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    name: str = ""

    @property
    def day(self) -> dt.date:
        """The day it is on."""
        return business_date(self.starts_at)


@dataclass(frozen=True, slots=True)
class Availability:
    """When the patient can come: from ``first`` to ``last``, not on ``closed_days``, on these half-days."""

    first: dt.date
    last: dt.date
    closed_days: frozenset[dt.date] = frozenset()
    weekdays: frozenset[int] = frozenset(range(1, 8))
    mornings: bool = True
    afternoons: bool = True

    def allows(self, starts_at: dt.datetime) -> bool:
        """True when the patient can come at that moment."""
        wall = local(starts_at)
        day = wall.date()
        if not self.first <= day <= self.last or day in self.closed_days:
            return False
        if day.isoweekday() not in self.weekdays:
            return False
        return self.mornings if wall.time() < NOON else self.afternoons


@dataclass(frozen=True, slots=True)
class Placed:
    """A visit at a time and device."""

    visit: Visit
    option: Option


@dataclass(frozen=True)
class Problem:
    """One patient's examinations to plan: the visits, where each could be, what stands already, and since when.

    ``options`` are those a visit may have by itself (``usable``); visits in ``refused`` have none.
    """

    visits: tuple[Visit, ...]
    options: Mapping[str, tuple[Option, ...]]
    fixed: tuple[Fixed, ...]
    patient: PatientFacts
    now: dt.datetime

    @cached_property
    def gaps(self) -> dict[tuple[str, str], Gap]:
        """What must lie between every two visits, in each order."""
        return {
            (a.key, b.key): gap_between(a.examinations, b.examinations, self.patient)
            for a in self.visits
            for b in self.visits
            if a is not b
        }

    @cached_property
    def fixed_days(self) -> frozenset[dt.date]:
        """Days from today on, on which the patient comes anyway."""
        today = business_date(self.now)
        return frozenset(one.day for one in self.fixed if one.day >= today)


def split_refused(
    visits: Iterable[Visit], patient: PatientFacts
) -> tuple[list[Visit], dict[str, Refusal]]:
    """The visits that may be planned, and why the others may not, by order id: one refused order leaves its visit."""
    visits = list(visits)
    is_renal_ordered = any(e.gives_renal_function for v in visits for e in v.examinations)
    refused: dict[str, Refusal] = {}
    kept: list[Visit] = []
    for visit in visits:
        rest = []
        for one in visit.ordered:
            refusal = refusal_of(one.examination, patient, is_renal_ordered=is_renal_ordered)
            if refusal is None:
                rest.append(one)
            else:
                refused[one.order_id] = refusal
        if rest:
            kept.append(Visit(min(one.order_id for one in rest), tuple(rest)))
    return kept, refused


def usable(
    visit: Visit,
    options: Iterable[Option],
    *,
    availability: Availability,
    fixed: Iterable[Fixed],
    patient: PatientFacts,
    now: dt.datetime,
) -> tuple[Option, ...]:
    """The options a visit may have by itself: prepared in time, mornings when fasting, beside what stands already.

    Of devices in one building that are free at the same time, the first in order stands for all.
    """
    ready = now + dt.timedelta(minutes=visit.lead_minutes)
    standing = [
        (
            one,
            gap_between(one.examinations, visit.examinations, patient),
            gap_between(visit.examinations, one.examinations, patient),
        )
        for one in fixed
    ]
    kept: dict[tuple[dt.datetime, str], Option] = {}
    for option in options:
        if option.starts_at < ready or not availability.allows(option.starts_at):
            continue
        if visit.is_morning_only and local(option.starts_at).time() >= NOON:
            continue
        if all(_stands_beside(option, one, before, after) for one, before, after in standing):
            kept.setdefault((option.starts_at, option.building), option)
    return tuple(sorted(kept.values(), key=lambda o: (o.starts_at, o.building)))


def _stands_beside(option: Option, one: Fixed, before: Gap, after: Gap) -> bool:
    if one.starts_at <= option.starts_at:
        return keeps_gap(one, option, before)
    return keeps_gap(option, one, after)


def travel_minutes(one: str, other: str) -> int:
    """Minutes of the way between two buildings."""
    return SAME_BUILDING_MINUTES if one == other else OTHER_BUILDING_MINUTES


def keeps_gap(first: Option | Fixed, second: Option | Fixed, gap: Gap) -> bool:
    """True when ``second`` comes after ``first`` with all that must lie between them, the way included."""
    if gap.is_forbidden:
        return False
    needed = max(gap.minutes, travel_minutes(first.building, second.building))
    if second.starts_at < first.ends_at + dt.timedelta(minutes=needed):
        return False
    return not gap.next_day or second.day > first.day


def violations(problem: Problem, placed: Iterable[Placed]) -> Iterator[str]:
    """Every rule that a set of placements breaks, in words for a log; nothing when it is a plan."""
    chosen = sorted(placed, key=lambda p: p.option.starts_at)
    for one in chosen:
        if one.option not in problem.options.get(one.visit.key, ()):
            yield f"{one.visit.key} has no such place"
        if one.option.ends_at - one.option.starts_at < dt.timedelta(minutes=one.visit.minutes):
            yield f"{one.visit.key} does not fit"
    if len({one.visit.key for one in chosen}) != len(chosen):
        yield "a visit stands twice"
    for index, one in enumerate(chosen):
        for other in chosen[index + 1 :]:
            gap = problem.gaps[one.visit.key, other.visit.key]
            if not keeps_gap(one.option, other.option, gap):
                yield f"{one.visit.key} before {other.visit.key}: {', '.join(gap.codes) or 'the way'}"


Score = tuple[int, int, int, int]


def score_of(problem: Problem, placed: Iterable[Placed]) -> Score:
    """Which plan is better, the smaller the better: visits left out, days the patient comes for it, stay, begin.

    The stay is the minutes from each day's first begin to its last end (a visit that stands on that day included),
    plus 20 for each day until all is done. The last figure (minutes from today's midnight to each begin) breaks ties.
    """
    chosen = list(placed)
    days = {one.option.day for one in chosen}
    stay = 0
    for day in days:
        spans = [(p.option.starts_at, p.option.ends_at) for p in chosen if p.option.day == day]
        spans += [(f.starts_at, f.ends_at) for f in problem.fixed if f.day == day]
        stay += _minutes(max(end for _b, end in spans) - min(begin for begin, _e in spans))
    later = (max(days) - business_date(problem.now)).days if days else 0
    begins = sum(_minutes(p.option.starts_at - problem.now) for p in chosen)
    return (
        len(problem.visits) - len(chosen),
        len(days - problem.fixed_days),
        stay + DAY_LATER_MINUTES * later,
        begins,
    )


def _minutes(span: dt.timedelta) -> int:
    return span // dt.timedelta(minutes=1)


def consecutive_runs(
    slots: Iterable[tuple[Id, dt.datetime, dt.datetime]], minutes: int
) -> Iterator[tuple[dt.datetime, dt.datetime, tuple[Id, ...]]]:
    """The runs of adjoining free places of one device (in time's order) that last ``minutes`` or just more."""
    kept = list(slots)
    needed = dt.timedelta(minutes=minutes)
    breaks = {index for index, (a, b) in enumerate(pairwise(kept), 1) if a[2] != b[1]}
    for begin in range(len(kept)):
        for end in range(begin, len(kept)):
            if end > begin and end in breaks:
                break
            if kept[end][2] - kept[begin][1] >= needed:
                run = kept[begin : end + 1]
                yield run[0][1], run[-1][2], tuple(slot_id for slot_id, _s, _e in run)
                break
