"""When the hospital cannot keep a visit as booked: what may become of it, until when, and what is offered instead.

A stop-clinic notice ends sessions; a substitute takes one over. Each affected visit has a disruption of its own:

    found ──► offered ──► moved | refunded | kept        a paid visit of a stopped session
      ├─────► refunded                                   nothing equivalent, or the patient waits in the hall already
      ├─────► released                                   an unpaid hold ends with its bill
      └─────► kept                                       the visit had begun, or the session was resumed
    told ───► refunded | kept                            somebody else sits there: it stands unless given back
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from flask_babel import lazy_gettext as _

from backend.kernel.clock import HalfDay, at_local, local
from backend.kernel.ids import Id
from backend.scheduling.errors import DisruptionOver, StopInvalid
from backend.scheduling.rules.reasons import is_reason
from backend.scheduling.rules.states import VisitType

#: A choice is open until the evening before the visit, and never less than this.
SHORTEST_CHOICE = dt.timedelta(hours=2)
CHOICE_ENDS = dt.time(17, 0)
#: The longest time one notice may stop.
STOP_DAYS = 92
#: How many equivalents are offered, and how many of them at most with the same practitioner.
OFFERS = 6
OFFERS_OF_SAME = 3


class StopState(StrEnum):
    """A notice is in force until it is lifted, whole, before its time."""

    IN_FORCE = "in_force"
    LIFTED = "lifted"


class DisruptionKind(StrEnum):
    """Why the visit cannot take place as booked."""

    STOP = "stop"
    SUBSTITUTE = "substitute"


class DisruptionState(StrEnum):
    """Where the disrupted visit stands."""

    FOUND = "found"
    OFFERED = "offered"
    TOLD = "told"
    MOVED = "moved"
    REFUNDED = "refunded"
    RELEASED = "released"
    KEPT = "kept"


_S = DisruptionState
_STEPS: dict[DisruptionState, frozenset[DisruptionState]] = {
    _S.FOUND: frozenset({_S.OFFERED, _S.REFUNDED, _S.RELEASED, _S.KEPT}),
    _S.OFFERED: frozenset({_S.MOVED, _S.REFUNDED, _S.KEPT}),
    _S.TOLD: frozenset({_S.REFUNDED, _S.KEPT}),
}

#: Not decided yet.
OPEN_DISRUPTIONS = frozenset(_STEPS)
#: The hospital has yet to settle what becomes of the visit; one that was only told of a substitute stands.
UNSETTLED = frozenset({_S.FOUND, _S.OFFERED})

DISRUPTION_WORDS = {
    _S.FOUND: _("正在处理"),
    _S.OFFERED: _("等待患者选择"),
    _S.TOLD: _("已告知替诊"),
    _S.MOVED: _("已改约"),
    _S.REFUNDED: _("已取消并退款"),
    _S.RELEASED: _("未付款，已取消"),
    _S.KEPT: _("照常就诊"),
}

#: A disrupted place on a device, instead of the words for money that goes back.
EXAMINATION_GIVEN_UP = _("检查已取消，待改约")


def check_step(before: DisruptionState, after: DisruptionState) -> None:
    """Raise DisruptionOver unless the visit may go from ``before`` to ``after``."""
    if after not in _STEPS.get(before, frozenset()):
        raise DisruptionOver(state=before.value, wanted=after.value)


def choice_ends(now: dt.datetime, starts_at: dt.datetime) -> dt.datetime:
    """Until when a patient may choose: 17:00 on the day before the visit, but at least two hours from ``now``."""
    evening = at_local(local(starts_at).date() - dt.timedelta(days=1), CHOICE_ENDS)
    return max(now + SHORTEST_CHOICE, evening)


@dataclass(frozen=True, slots=True)
class StopScope:
    """What a notice stops: the sessions of a practitioner, a device or a department, of all half-days or one."""

    first: dt.date
    last: dt.date
    practitioner_id: Id | None = None
    department_id: Id | None = None
    half_day: HalfDay | None = None
    device_id: Id | None = None

    def covers(
        self,
        practitioner_id: Id | None,
        department_id: Id,
        day: dt.date,
        half_day: HalfDay,
        device_id: Id | None = None,
    ) -> bool:
        """True when a session of these falls under the notice."""
        return (
            self.first <= day <= self.last
            and self.half_day in (None, half_day)
            and self.practitioner_id in (None, practitioner_id)
            and self.device_id in (None, device_id)
            and self.department_id in (None, department_id)
        )


def is_away(
    stops: Iterable[StopScope],
    practitioner_id: Id,
    department_id: Id,
    day: dt.date,
    half_day: HalfDay,
) -> bool:
    """True when a notice of the practitioner's own covers the half-day; a department's stops sessions, not people."""
    return any(
        stop.practitioner_id == practitioner_id
        and stop.covers(practitioner_id, department_id, day, half_day)
        for stop in stops
    )


def check_stop(scope: StopScope, reason: str, today: dt.date) -> None:
    """Raise StopInvalid, naming each field: whom, from today on, at most 92 days, with a reason."""
    fields: dict[str, object] = {}
    if not (scope.practitioner_id or scope.device_id or scope.department_id):
        fields["practitioner"] = _("请选择停诊的医生、设备，或整个科室")
    if scope.practitioner_id and scope.device_id:
        fields["device"] = _("医生和设备请分开停")
    if scope.first < today:
        fields["first"] = _("不能从过去的日期开始停诊")
    if not 0 <= (scope.last - scope.first).days < STOP_DAYS:
        fields["last"] = _("结束日期应不早于开始，且不超过 %(days)s 天", days=STOP_DAYS)
    if not is_reason(reason):
        fields["reason"] = _("请写明停诊原因（100 字以内）")
    if fields:
        raise StopInvalid(fields=fields)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A session that might stand in for a lost visit, with the window the next booking in it gets."""

    schedule_id: Id
    practitioner_id: Id | None
    department_id: Id
    visit_type: VisitType
    price_item_code: str
    fee_fen: int
    business_date: dt.date
    half_day: HalfDay
    starts_at: dt.datetime


@dataclass(frozen=True, slots=True)
class LostVisit:
    """The visit that cannot take place."""

    practitioner_id: Id | None
    department_id: Id
    visit_type: VisitType
    price_item_code: str
    fee_fen: int
    starts_at: dt.datetime


def rank_equivalents(
    lost: LostVisit,
    candidates: Iterable[Candidate],
    taken: Iterable[tuple[Id | None, dt.date, HalfDay]] = (),
) -> list[Candidate]:
    """The nearest equivalents, best first, six at most: the same practitioner later, then the same kind of visit.

    Equivalent is what costs the same and is the same kind of visit in the same department, so that the paid bill
    goes on standing for it. ``taken``: practitioner, day and half-day of visits the patient has already.
    """
    busy = set(taken)

    def fits(one: Candidate) -> bool:
        key = (one.practitioner_id, one.business_date, one.half_day)
        return (one.department_id, one.visit_type, one.price_item_code, one.fee_fen) == (
            lost.department_id,
            lost.visit_type,
            lost.price_item_code,
            lost.fee_fen,
        ) and key not in busy

    def nearness(one: Candidate) -> tuple[dt.timedelta, dt.datetime, Id]:
        return abs(one.starts_at - lost.starts_at), one.starts_at, one.schedule_id

    fitting = sorted(filter(fits, candidates), key=nearness)
    same = [
        one
        for one in fitting
        if one.practitioner_id == lost.practitioner_id and one.starts_at >= lost.starts_at
    ][:OFFERS_OF_SAME]
    others = [one for one in fitting if one.practitioner_id != lost.practitioner_id]
    return [*same, *others][:OFFERS]
