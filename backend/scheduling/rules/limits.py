"""What a patient's other visits mean for the next one: limits, missed visits, suspension."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id
from backend.scheduling.rules.booking import is_lapsed
from backend.scheduling.rules.policy import BookingPolicy
from backend.scheduling.rules.states import ACTIVE, AppointmentState, VisitType


@dataclass(frozen=True, slots=True)
class Visit:
    """What the rules know of one of a patient's appointments."""

    id: Id
    practitioner_id: Id | None
    business_date: dt.date
    half_day: HalfDay
    visit_type: VisitType
    state: AppointmentState
    hold_until: dt.datetime

    def counts(self, at: dt.datetime) -> bool:
        """True while it is, or has been, a visit: not given back, and not a hold that has ended."""
        if self.state is AppointmentState.HELD:
            return not is_lapsed(self.hold_until, at)
        return self.state in ACTIVE or self.state is AppointmentState.FULFILLED


def visits_on(visits: Iterable[Visit], day: dt.date, at: dt.datetime) -> int:
    """How many visits to a doctor the patient has on ``day``; examinations do not count."""
    return sum(
        1
        for visit in visits
        if visit.business_date == day
        and visit.visit_type is not VisitType.EXAMINATION
        and visit.counts(at)
    )


def visits_in_week(visits: Sequence[Visit], day: dt.date, at: dt.datetime) -> int:
    """How many visits to a doctor the patient has in the week (Monday to Sunday) of ``day``."""
    monday = day - dt.timedelta(days=day.weekday())
    return sum(visits_on(visits, monday + dt.timedelta(days=n), at) for n in range(7))


def suspended_until(missed: Iterable[dt.date], policy: BookingPolicy) -> dt.date | None:
    """The last day of the latest suspension that ``missed`` visits cause, past or not; None without one.

    ``no_shows`` missed visits within ``no_show_days`` days suspend from the last of them, for
    ``suspension_days`` days.
    """
    days = sorted(missed)
    found = None
    for last in range(policy.no_shows - 1, len(days)):
        begun = days[last - policy.no_shows + 1]
        if (days[last] - begun).days < policy.no_show_days:
            found = days[last] + dt.timedelta(days=policy.suspension_days)
    return found


def look_back(policy: BookingPolicy) -> dt.timedelta:
    """How far back missed visits can still matter."""
    return dt.timedelta(days=policy.no_show_days + policy.suspension_days)
