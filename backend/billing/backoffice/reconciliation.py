"""Reconciliation: each channel's bill of each day against our books, and what waits for somebody.

GET  /backoffice/reconciliation                                    runs, the newest day first
GET  /backoffice/reconciliation/<run_id>                           one run with its differences
POST /backoffice/reconciliation/<run_id>/again                     fetch and match it once more
POST /backoffice/reconciliation/<run_id>/differences/<id>/close    it is explained, for the reason given

Nothing waits for the channel here: a run that is asked for again is taken by the next tick of the clock.
One statement for the list, two for a run.
"""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from backend.billing import queries, service
from backend.billing.backoffice.words import WORDS
from backend.billing.rules import BillChannel
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission, has
from backend.kernel.web import (
    NavItem,
    current_actor,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)

blueprint = Blueprint(
    "reconciliation",
    __name__,
    url_prefix="/backoffice/reconciliation",
    template_folder="../templates",
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("渠道对账"),
        endpoint="reconciliation.run_list",
        icon="scale",
        permission=Permission.BILLING_RECONCILIATION_READ,
        section=lazy_gettext("财务"),
        order=62,
    ),
)

PAGE = 31
SHOWN = 200
LONGEST_REASON = 200


@blueprint.get("")
@requires(Permission.BILLING_RECONCILIATION_READ)
def run_list() -> Response:
    """Runs of all channels or one (``channel``), ``PAGE`` at a time, continued ``before`` a day."""
    own_hospital_id()
    channel = _channel(request.args.get("channel", ""))
    with read_uow() as session:
        found = queries.list_runs(
            session, channel=channel, before=_day(request.args.get("before", "")), limit=PAGE + 1
        )
        waiting = queries.count_open_differences(session)
    runs, more_url = found[:PAGE], None
    if len(found) > PAGE:
        last = runs[-1].business_date
        # The rest of a day follows with the next page.
        runs = [run for run in runs if run.business_date > last] or runs
        before = runs[-1].business_date.isoformat()
        name = channel.value if channel else None
        more_url = url_for("reconciliation.run_list", channel=name, before=before)
    return render(
        "billing/reconciliation.html",
        runs=runs,
        waiting=waiting,
        channel=channel,
        channels=list(BillChannel),
        more_url=more_url,
        **WORDS,
    )


@blueprint.get("/<uuid:run_id>")
@requires(Permission.BILLING_RECONCILIATION_READ)
def run_page(run_id: Id) -> Response:
    """Both sides' figures, and every difference: open ones first."""
    with read_uow() as session:
        run = queries.get_run(session, run_id)
        differences = queries.list_differences(
            session, run_id, hospital_id=own_hospital_id(), limit=SHOWN
        )
    can_close = has(current_actor(), Permission.BILLING_CASE_CLOSE)
    return render(
        "billing/reconciliation_run.html",
        run=run,
        differences=differences,
        can_close=can_close,
        **WORDS,
    )


@blueprint.post("/<uuid:run_id>/again")
@requires(Permission.BILLING_CASE_CLOSE)
def again(run_id: Id) -> BaseResponse:
    """Have the bill fetched and matched once more; the same bill changes nothing."""
    with write_uow() as session:
        service.request_run(session, run_id)
    flash(_("已安排重新对账，几分钟内完成"), "ok")
    return redirect_to("reconciliation.run_page", run_id=run_id)


@blueprint.post("/<uuid:run_id>/differences/<uuid:difference_id>/close")
@requires(Permission.BILLING_CASE_CLOSE)
def close(run_id: Id, difference_id: Id) -> BaseResponse:
    """A person explains a difference; the reason stays with it."""
    with write_uow() as session:
        case_id = queries.get_difference_case(session, run_id, difference_id)
        reason = request.form.get("reason", "")[:LONGEST_REASON]
        service.close_case(session, case_id, reason=reason)
    flash(_("已结案"), "ok")
    return redirect_to("reconciliation.run_page", run_id=run_id)


def _channel(text: str) -> BillChannel | None:
    try:
        return BillChannel(text) if text else None
    except ValueError as error:
        raise InvalidInput(_("没有这个渠道"), code="filter_invalid") from error


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(_("日期有误"), code="filter_invalid") from error
