"""The opening rush on the phone: draw a number, wait calmly, book in one's turn, pay.

GET  /r/<token>         the page, whatever the state
POST /r/<token>/arrive  draw a number (again: the same number)
GET  /r/<token>/now     JSON: how the line stands for this number, and after how many seconds to ask again
POST /r/<token>/book    book in one's turn: ``schedule_id``, or empty for any doctor of the department
POST /r/<token>/leave   give the number up
POST /r/<token>/wait    stand in the waiting lists of the day's full sessions (…/unwait: leave them)
POST /r/<token>/pay     begin to pay the bill by QR code

The token is signed and names patient, department and day; it is the identity, so commands need no form token. Commands
answer JSON to programs (Accept) and lead browsers back to the page.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from backend.journeys import rush as journeys
from backend.journeys import waiting
from backend.kernel import links
from backend.kernel.clock import business_date
from backend.kernel.errors import Gone, InvalidInput, NotFound, XinglinError
from backend.kernel.ids import parse_id
from backend.kernel.links import RushLink
from backend.kernel.permissions import Actor, ActorKind
from backend.kernel.web import problems, public, read_uow, render, write_uow, xinglin
from backend.scheduling import rules
from backend.scheduling import service as scheduling
from backend.scheduling.errors import NotYourTurn
from backend.scheduling.rules import Channel, LineState, RushTicketState
from backend.scheduling.views import RushTicketView
from miniprogram_api.bills import begin_payment
from miniprogram_api.limits import Limiter
from miniprogram_api.rush_page import make_page
from miniprogram_api.rush_room import WaitingRoom

blueprint = Blueprint("rush", __name__, url_prefix="/r", template_folder="templates")

BECAUSE = public(
    "the link is signed, ends with its day, and shows a masked name and one patient's visit"
)
_uses = Limiter(120)
_strangers = Limiter(600)


@blueprint.get("/<token>")
@BECAUSE
def page(token: str) -> Response:
    """The whole page."""
    link = _link(token)
    room = _room()
    rush_id, line = room.rush_id(link), room.state(link)
    with read_uow() as session:
        shown = make_page(session, link, rush_id, line)
    return render("miniprogram_api/rush.html", token=token, phone=shown)


@blueprint.post("/<token>/arrive")
@BECAUSE
def arrive(token: str) -> BaseResponse:
    """Draw a number; who has one gets the same."""
    link = _link(token)
    room = _room()
    room.arrive(link)
    if problems.wants_json():
        return jsonify(_stands(link, room))
    return redirect(url_for("rush.page", token=token), 303)


@blueprint.get("/<token>/now")
@BECAUSE
def current(token: str) -> Response:
    """How the line stands."""
    return jsonify(_stands(_link(token), _room()))


@blueprint.post("/<token>/book")
@BECAUSE
def book(token: str) -> BaseResponse:
    """Hold a place in one's turn and open its bill."""
    link = _link(token)
    wanted = request.form.get("schedule_id", "")
    schedule_id = parse_id(wanted)
    if wanted and schedule_id is None:
        raise InvalidInput
    room = _room()
    rush_id = room.rush_id(link)
    if rush_id is None:
        raise NotYourTurn
    with room.booking(), write_uow(_patient(link)) as session:
        visit = journeys.book_in_turn(
            session,
            rush_id=rush_id,
            patient_id=link.patient_id,
            schedule_id=schedule_id,
            channel=Channel.WECHAT,
        )
    if problems.wants_json():
        held = visit.appointment
        return jsonify(
            appointment_id=str(held.id),
            number=held.number,
            starts_at=held.starts_at.isoformat(),
            hold_until=held.hold_until.isoformat(),
        )
    return redirect(url_for("rush.page", token=token), 303)


@blueprint.post("/<token>/wait")
@BECAUSE
def wait(token: str) -> BaseResponse:
    """Stand in the waiting lists of all the day's full sessions of the department."""
    link = _link(token)
    with write_uow(_patient(link)) as session:
        waiting.join_department(
            session,
            patient_id=link.patient_id,
            hospital_id=link.hospital_id,
            department_id=link.department_id,
            day=link.day,
            channel=Channel.WECHAT,
        )
    return redirect(url_for("rush.page", token=token), 303)


@blueprint.post("/<token>/unwait")
@BECAUSE
def unwait(token: str) -> BaseResponse:
    """Leave those lists again."""
    link = _link(token)
    with write_uow(_patient(link)) as session:
        waiting.leave_department(
            session, patient_id=link.patient_id, department_id=link.department_id, day=link.day
        )
    return redirect(url_for("rush.page", token=token), 303)


@blueprint.post("/<token>/leave")
@BECAUSE
def leave(token: str) -> BaseResponse:
    """Give the number up."""
    link = _link(token)
    room = _room()
    rush_id = room.rush_id(link)
    if rush_id is not None:
        with write_uow(_patient(link)) as session:
            scheduling.leave_rush(session, rush_id, link.patient_id)
        room.forget(link)
    return redirect(url_for("rush.page", token=token), 303)


@blueprint.post("/<token>/pay")
@BECAUSE
def pay(token: str) -> BaseResponse:
    """Begin to pay a bill; an open code of the same bill is shown again. 404 for another patient's bill."""
    link = _link(token)
    with write_uow(_patient(link)) as session:
        begin_payment(session, link.patient_id)
    return redirect(url_for("rush.page", token=token), 303)


@blueprint.errorhandler(XinglinError)
def refused(error: XinglinError) -> Response:
    """Errors in the phone's own dress, or as problems for programs."""
    if problems.wants_json():
        return problems.problem(error)
    return render("miniprogram_api/refused.html", status=error.status, error=error)


def _room() -> WaitingRoom:
    room: WaitingRoom = xinglin().parts["rush_room"]
    return room


def _link(token: str) -> RushLink:
    moment = xinglin().database.clock.now()
    link = links.read_rush_token(xinglin().secrets.secret_key, token)
    if link is None:
        _strangers.use(request.remote_addr or "", moment)
        raise NotFound(
            _("这个链接不对"), next_step=_("请重新打开医院给您的链接"), code="link_unknown"
        )
    _uses.use(token, moment)
    if business_date(moment) > link.day:
        raise Gone(_("这个链接已过期"), next_step=_("就诊日已过。请重新选择日期"))
    return link


def _patient(link: RushLink) -> Actor:
    return Actor(ActorKind.PATIENT, id=link.patient_id, hospital_id=link.hospital_id, label="phone")


def _stands(link: RushLink, room: WaitingRoom) -> dict[str, Any]:
    """The line for this number: ``state``, people ``ahead``, ``minutes``, and ``next`` in seconds."""
    ordinal, line = room.number(link), room.state(link)
    if ordinal is None or line is None:
        return {"state": "none", "next": rules.QUIET_WAIT}
    ticket = room.ticket(link) if ordinal <= line.last_in else None
    if ticket is not None:
        ordinal = ticket.ordinal  # a new one, when it was drawn at another process
    minutes = rules.wait_minutes(ordinal, line)
    return {
        "state": _state(ordinal, line, ticket),
        "number": ordinal,
        "ahead": rules.ahead_of(ordinal, line),
        "places_left": line.places_left,
        "minutes": minutes,
        "doubtful": line.is_open and rules.is_doubtful(ordinal, line),
        "next": round(rules.next_ask(ordinal, line), 2),
    }


def _state(ordinal: int, line: LineState, ticket: RushTicketView | None) -> str:
    """``ticket``: that of a number that came up, whose turn lasts, was used, or has passed."""
    if not line.is_open:
        return "early"
    if ticket is not None and ticket.may_book(line.at):
        return "your_turn"
    if ticket is not None and ticket.state is RushTicketState.BOOKED:
        return "booked"
    if ticket is not None and ticket.state is not RushTicketState.WAITING:
        return "sold_out" if line.is_sold_out else "none"
    return "sold_out" if line.is_sold_out else "waiting"
