"""The waiting list (候补) of a full session: who is offered a returned place, for how long, and what a silence means.

waiting → offered → taken
             ↓ no payment in time
waiting (at the end) … until the chances are used up → lapsed
waiting, offered → withdrawn (by the patient or the desk) · closed (session over or stopped, or served elsewhere)
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from flask_babel import lazy_gettext as _

#: How long a returned place is kept for the first in line, and after how many silences they leave the line.
OFFER = dt.timedelta(minutes=30)
CHANCES = 2
#: Nobody can come and pay in less: a place that ends sooner is not offered.
LEAST_OFFER = dt.timedelta(minutes=5)
#: Lines one patient may stand in at the same time.
MOST_LINES = 10


class WaitingState(StrEnum):
    """Where a patient's place in a waiting list stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class WaitingEnd(StrEnum):
    """Why somebody left a line without a place of it."""

    BOOKED_ELSEWHERE = "booked_elsewhere"
    GAVE_UP = "gave_up"
    NOT_ALLOWED = "not_allowed"
    SESSION_OVER = "session_over"
    SESSION_STOPPED = "session_stopped"
    SILENT = "silent"
    STAFF = "staff"


LIVE = frozenset({WaitingState.WAITING, WaitingState.OFFERED})

WAITING_WORDS = {
    WaitingState.WAITING: _("候补中"),
    WaitingState.OFFERED: _("有号，等待付款"),
    WaitingState.TAKEN: _("已挂上"),
    WaitingState.LAPSED: _("过时未付款"),
    WaitingState.WITHDRAWN: _("已退出"),
    WaitingState.CLOSED: _("已结束"),
}

WAITING_END_WORDS = {
    WaitingEnd.BOOKED_ELSEWHERE: _("已在同一半天挂上号"),
    WaitingEnd.GAVE_UP: _("患者退出"),
    WaitingEnd.NOT_ALLOWED: _("按挂号规则不能再挂（限次、暂停预约或当日限制）"),
    WaitingEnd.SESSION_OVER: _("出诊已结束"),
    WaitingEnd.SESSION_STOPPED: _("停诊"),
    WaitingEnd.SILENT: _("多次有号未付款"),
    WaitingEnd.STAFF: _("工作人员移出"),
}


def offer_until(
    now: dt.datetime, ends_at: dt.datetime, offer: dt.timedelta = OFFER
) -> dt.datetime | None:
    """Until when a place returned ``now`` is kept for the first in line; None when too little time is left.

    Never beyond ``ends_at``, the end of the place's window, after which nobody may take it.
    """
    until = min(now + offer, ends_at)
    return until if until - now >= min(offer, LEAST_OFFER) else None


def after_silence(silences: int, chances: int = CHANCES) -> WaitingState:
    """Where somebody goes who has let ``silences`` offers pass: to the end of the line, or out of it."""
    return WaitingState.WAITING if silences < chances else WaitingState.LAPSED


def is_line_over(last_ends_at: dt.datetime, now: dt.datetime) -> bool:
    """True when no place of the session could be offered any more."""
    return last_ends_at - now < LEAST_OFFER
