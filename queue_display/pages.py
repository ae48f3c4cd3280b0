"""The screens of waiting halls.

GET /screens/<key>                      the page; ``?voice=off`` where another screen of the hall speaks
GET /screens/<key>/board                its changing part, fetched again after every live message
GET /screens/<key>/voice/<call_id>.wav  what is spoken for one call

The key is signed and names the hall; nothing else is reachable by it, and names are masked.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask import Blueprint, Response, request, send_file
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backend.kernel import links, live
from backend.kernel.errors import NotFound
from backend.kernel.ids import Id, parse_id
from backend.kernel.uow import now
from backend.kernel.web import public, read_uow, render, xinglin
from backend.organization import queries as organization
from backend.queueing import queries, rules, service
from backend.queueing.rules import TicketState
from backend.queueing.views import CallView, QueueView
from queue_display.voice import spoken

blueprint = Blueprint(
    "screens",
    __name__,
    url_prefix="/screens",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

CALLS_SHOWN = 4
ROWS_A_PAGE = 7
NEXT_SHOWN = 2
BECAUSE = public("the key is signed and shows masked names of one hall only")


@dataclass(frozen=True, slots=True)
class Row:
    """One queue's line on the board."""

    name: str
    rooms: str
    calling: str
    next: tuple[tuple[str, str], ...]
    page: int


@dataclass(frozen=True, slots=True)
class Board:
    """What changes on a hall screen."""

    calls: tuple[CallView, ...]
    rows: tuple[Row, ...]
    pages: int
    at: dt.datetime


@blueprint.get("/<key>")
@BECAUSE
def hall(key: str) -> Response:
    """The hall screen."""
    hall_id = _hall_of(key)
    stream = service.hall_stream(hall_id)
    with read_uow() as session:
        # The number first: a message in between is then heard twice, never missed.
        last_no = live.last_number(session, stream)
        place = organization.get_location(session, hall_id)
        hospital = organization.get_hospital(session, place.hospital_id)
        paths = organization.location_path_names(session, hospital_id=hospital.id)
        board = _board(session, hall_id)
    return render(
        "queue_display/hall.html",
        key=key,
        stream=stream,
        token=links.stream_token(xinglin().secrets.secret_key, stream),
        last_no=last_no,
        hospital_name=hospital.name,
        hall_name=paths[place.id],
        has_voice=request.args.get("voice") != "off",
        board=board,
    )


@blueprint.get("/<key>/board")
@BECAUSE
def board(key: str) -> Response:
    """Calls and queues as they are now."""
    with read_uow() as session:
        found = _board(session, _hall_of(key))
    return render("queue_display/board.html", board=found)


@blueprint.get("/<key>/voice/<call_id>.wav")
@BECAUSE
def voice(key: str, call_id: str) -> Response:
    """The spoken call; 404 for a call of another hall, 503 when this machine cannot speak."""
    hall_id, wanted = _hall_of(key), parse_id(call_id)
    if wanted is None:
        raise NotFound
    with read_uow() as session:
        call = queries.get_call(session, wanted)
        if queries.get_queue(session, call.queue_id).hall_location_id != hall_id:
            raise NotFound
    path = spoken(
        rules.spoken_call(call.number, call.room_name), xinglin().settings.data_dir / "voice"
    )
    return send_file(path.resolve(), mimetype="audio/wav", conditional=False)


def _hall_of(key: str) -> Id:
    hall_id = links.read_screen_key(xinglin().secrets.secret_key, key)
    if hall_id is None:
        raise NotFound(
            _("没有这块屏幕"), next_step=_("请在分诊台页面重新打开大屏"), code="screen_unknown"
        )
    return hall_id


def _board(session: Session, hall_id: Id) -> Board:
    view = queries.hall_view(session, hall_id)
    rooms = queries.room_names(session, [queue.id for queue in view.queues])
    latest: dict[Id, CallView] = {}
    for call in view.calls:
        latest.setdefault(call.ticket_id, call)
    return Board(
        calls=tuple(latest.values())[:CALLS_SHOWN],
        rows=tuple(
            _row(queue, rooms[queue.id], index // ROWS_A_PAGE)
            for index, queue in enumerate(view.queues)
        ),
        pages=-(-len(view.queues) // ROWS_A_PAGE),
        at=now(session),
    )


def _row(queue: QueueView, rooms: list[str], page: int) -> Row:
    called = [ticket for ticket in queue.serving if ticket.state is TicketState.CALLED]
    shown = (called or list(queue.serving))[-1:]
    return Row(
        name=queue.name,
        rooms="、".join(rooms),
        calling=shown[0].number if shown else "—",
        next=tuple((t.number, t.patient_name_masked) for t in queue.waiting[:NEXT_SHOWN]),
        page=page,
    )
