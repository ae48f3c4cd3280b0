"""May this patient book this session through this channel? Every rule, one after another, with its words.

The same list decides and explains: ``check_case`` raises the first refusal, ``explain`` gives each rule's verdict.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _

from backend.kernel.clock import HalfDay, local
from backend.kernel.errors import Conflict
from backend.kernel.ids import Id
from backend.scheduling.errors import (
    AlreadyBooked,
    BookingClosed,
    BookingSuspended,
    SameDayClosed,
    ScheduleStopped,
    TooManyVisits,
)
from backend.scheduling.rules.booking import is_day_bookable
from backend.scheduling.rules.limits import Visit, suspended_until, visits_in_week, visits_on
from backend.scheduling.rules.policy import STAFF_CHANNELS, BookingPolicy
from backend.scheduling.rules.states import (
    ACTIVE,
    AppointmentState,
    Channel,
    ScheduleStatus,
    VisitType,
)


@dataclass(frozen=True, slots=True)
class Case:
    """Who wants what, when and how: all that the rules look at."""

    at: dt.datetime
    channel: Channel
    practitioner_id: Id | None
    business_date: dt.date
    half_day: HalfDay
    visit_type: VisitType
    status: ScheduleStatus
    visits: Sequence[Visit]

    @property
    def is_self_service(self) -> bool:
        """True when nobody of the staff looks at the patient."""
        return self.channel not in STAFF_CHANNELS


Refusal = Conflict | None


def _sits(case: Case, _policy: BookingPolicy) -> Refusal:
    return None if case.status is ScheduleStatus.OPEN else ScheduleStopped()


def _is_in_window(case: Case, policy: BookingPolicy) -> Refusal:
    if is_day_bookable(case.business_date, case.at, policy):
        return None
    return BookingClosed(day=case.business_date.isoformat())


def _is_same_day_open(case: Case, policy: BookingPolicy) -> Refusal:
    if local(case.at).date() != case.business_date or case.channel in policy.same_day_channels:
        return None
    return SameDayClosed(channel=case.channel.value)


def _has_no_visit_yet(case: Case, _policy: BookingPolicy) -> Refusal:
    present = same_visit(case)
    if present is None or not present.counts(case.at):
        return None
    return AlreadyBooked(appointment_id=str(present.id), state=present.state.value)


def _is_within_day(case: Case, policy: BookingPolicy) -> Refusal:
    if _is_not_limited(case):
        return None
    count = visits_on(case.visits, case.business_date, case.at)
    if count < policy.visits_a_day:
        return None
    words = _("当天已有 %(count)s 个号，达到上限", count=count)
    return TooManyVisits(words, per="day", count=count)


def _is_within_week(case: Case, policy: BookingPolicy) -> Refusal:
    if _is_not_limited(case):
        return None
    count = visits_in_week(case.visits, case.business_date, case.at)
    if count < policy.visits_a_week:
        return None
    words = _("本周已有 %(count)s 个号，达到上限", count=count)
    return TooManyVisits(words, per="week", count=count)


def _is_not_suspended(case: Case, policy: BookingPolicy) -> Refusal:
    if not case.is_self_service:
        return None
    missed = [v.business_date for v in case.visits if v.state is AppointmentState.NO_SHOW]
    until = suspended_until(missed, policy)
    if until is None or until < local(case.at).date():
        return None
    words = _("因多次预约未到诊，自助预约暂停至 %(day)s（含当天）", day=until.isoformat())
    return BookingSuspended(words, until=until.isoformat())


def _is_not_limited(case: Case) -> bool:
    return not case.is_self_service or case.visit_type is VisitType.EXAMINATION


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a stable name, what it asks for in words, and who refuses."""

    name: str
    words: object
    refuse: Callable[[Case, BookingPolicy], Refusal]


RULES = (
    Rule("window", _("出诊日期在预约期内，且已到放号时间"), _is_in_window),
    Rule("status", _("医生照常出诊，没有停诊"), _sits),
    Rule("same_day", _("当日号可在这个渠道挂"), _is_same_day_open),
    Rule("one_visit", _("同一医生同一半天只挂一个号"), _has_no_visit_yet),
    Rule("suspension", _("没有因多次爽约被暂停自助预约"), _is_not_suspended),
    Rule("day_limit", _("当天挂号数没有超过上限"), _is_within_day),
    Rule("week_limit", _("本周挂号数没有超过上限"), _is_within_week),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says: ``refusal`` is the error it would raise, None when it is met."""

    rule: str
    words: object
    refusal: Conflict | None

    @property
    def is_met(self) -> bool:
        """True when this rule does not stand in the way."""
        return self.refusal is None


def same_visit(case: Case) -> Visit | None:
    """The patient's active appointment with this practitioner in this half-day, lapsed holds included.

    Of examinations a patient may have several.
    """
    if case.practitioner_id is None:
        return None
    for visit in case.visits:
        if visit.state in ACTIVE and (
            (visit.practitioner_id, visit.business_date, visit.half_day)
            == (case.practitioner_id, case.business_date, case.half_day)
        ):
            return visit
    return None


def first_refusal(case: Case, policy: BookingPolicy) -> Refusal:
    """What stands in the way first, as the error to raise; None when nothing does."""
    for rule in RULES:
        refusal = rule.refuse(case, policy)
        if refusal is not None:
            return refusal
    return None


def check_case(case: Case, policy: BookingPolicy) -> None:
    """Raise the first refusal: BookingClosed, ScheduleStopped, SameDayClosed, AlreadyBooked, BookingSuspended,
    TooManyVisits."""
    refusal = first_refusal(case, policy)
    if refusal is not None:
        raise refusal


def explain(case: Case, policy: BookingPolicy) -> list[Verdict]:
    """What every rule says of the case, in the order in which they decide."""
    return [Verdict(rule.name, rule.words, rule.refuse(case, policy)) for rule in RULES]
