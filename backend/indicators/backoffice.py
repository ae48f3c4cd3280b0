"""Self-service in figures: what share of registrations, payments and prints patients do without staff.

    GET /backoffice/indicators?days=30    the last days, ending yesterday

Five statements beside who asks.
"""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from backend.indicators import queries
from backend.indicators.rules import Share, Way
from backend.kernel.errors import Forbidden, InvalidInput
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import NavItem, current_actor, read_uow, render, requires

blueprint = Blueprint(
    "indicators", __name__, url_prefix="/backoffice/indicators", template_folder="templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("自助服务指标"),
        endpoint="indicators.self_service",
        icon="chart-line",
        permission=Permission.INDICATORS_SHARE_READ,
        section=lazy_gettext("财务"),
        order=64,
    ),
)

RANGES = (7, 30, 90)
WAY_WORDS = {
    Way.COUNTER: lazy_gettext("窗口"),
    Way.KIOSK: lazy_gettext("自助机"),
    Way.PHONE: lazy_gettext("手机"),
    Way.OTHER: lazy_gettext("其他"),
}


@blueprint.get("")
@requires(Permission.INDICATORS_SHARE_READ)
def self_service() -> Response:
    """Shares in all, by day and by department, as pictures with the table behind each."""
    place, days = current_actor().hospital_id, request.args.get("days", "30")
    if place is None:
        raise Forbidden
    if days not in {str(one) for one in RANGES}:
        raise InvalidInput(_("时间范围有误"), code="filter_invalid")
    with read_uow() as session:
        last = today(session) - dt.timedelta(days=1)
        first = last - dt.timedelta(days=int(days) - 1)
        found = queries.get_self_service(session, place, first, last)
    ranges = [
        (_("近 %(n)s 天", n=n), url_for("indicators.self_service", days=n), str(n) == days)
        for n in RANGES
    ]
    return render(
        "indicators/self_service.html",
        found=found,
        first=first,
        last=last,
        ranges=ranges,
        ways=list(Way),
        way_words=WAY_WORDS,
        trend=_trend(found),
        bars=_bars(found),
    )


def _trend(found: queries.SelfService) -> dict[str, object]:
    """The line chart: the share of each day, in percent."""
    return {
        "kind": "trend",
        "labels": [f"{one.day.month}-{one.day.day:02d}" for one in found.days],
        "series": [
            {"name": _("挂号"), "values": [_percent(one.registrations) for one in found.days]},
            {"name": _("缴费"), "values": [_percent(one.payments) for one in found.days]},
        ],
    }


def _bars(found: queries.SelfService) -> dict[str, object]:
    """The bars: registrations of the largest departments by way."""
    largest = found.departments[:12]
    return {
        "kind": "bars",
        "labels": [one.name for one in largest],
        "series": [
            {
                "name": str(WAY_WORDS[way]),
                "values": [one.registrations.counts.get(way, 0) for one in largest],
            }
            for way in Way
        ],
    }


def _percent(share: Share) -> float | None:
    return None if share.per_mille is None else share.per_mille / 10
