"""The waiting lists in the back office: who waits for which full session, and why they have not been served.

GET  /backoffice/waiting                 the lists from today on
POST /backoffice/waiting/<entry>/leave   take somebody out of a list; an offered place goes on to the next

Nobody is moved by hand: the order is the line's. Names are masked.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from backend.journeys import waiting as journeys
from backend.kernel.ids import Id
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import today
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
from backend.scheduling import queries
from backend.scheduling.rules import WaitingEnd

blueprint = Blueprint(
    "waiting", __name__, url_prefix="/backoffice/waiting", template_folder="../templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("候补"),
        endpoint="waiting.lists",
        icon="hourglass",
        permission=Permission.SCHEDULING_SCHEDULE_READ,
        section=lazy_gettext("门诊"),
        order=16,
    ),
)


@blueprint.get("")
@requires(Permission.SCHEDULING_SCHEDULE_READ)
def lists() -> Response:
    """Every waiting list of the hospital, the soonest session first."""
    with read_uow() as session:
        lines = queries.list_lines(session, hospital_id=own_hospital_id(), first=today(session))
        return render(
            "journeys/waiting.html",
            lines=lines,
            today=today(session),
            may_change=has(current_actor(), Permission.SCHEDULING_APPOINTMENT_WRITE),
        )


@blueprint.post("/<uuid:entry_id>/leave")
@requires(Permission.SCHEDULING_APPOINTMENT_WRITE)
def leave(entry_id: Id) -> BaseResponse:
    """Take somebody out of a list, as they asked."""
    with write_uow() as session:
        journeys.leave_line(session, entry_id, WaitingEnd.STAFF)
    flash(_("已退出候补；为其保留的号已给下一位"), "ok")
    return redirect_to("waiting.lists")
