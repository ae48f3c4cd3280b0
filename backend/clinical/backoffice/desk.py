"""The line: page, worklist, room, and the acts of calling."""

from __future__ import annotations

from flask import Response, make_response, request, session
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from backend.clinical import service, workstation
from backend.clinical.backoffice.common import (
    ROOM,
    Said,
    answer_desk,
    blueprint,
    current_line,
    room_in_hand,
    show_desk,
    worklist_html,
)
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Permission
from backend.kernel.web import read_uow, requires, write_uow
from backend.queueing.errors import QueueUnknown


@blueprint.get("")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def desk() -> Response:
    """The workstation with whoever is called or in the room."""
    return show_desk()


@blueprint.get("/worklist")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def worklist() -> Response:
    """The left side; 204 while it still is what ``seen`` names."""
    with read_uow() as reading:
        line = current_line(reading)
    html = worklist_html(line) if line else ""
    seen = request.args.get("seen", "")
    if not html or (seen and f'data-seen="{seen}"' in html):
        return make_response("", 204)
    return make_response(html)


@blueprint.post("/room")
@requires(Permission.QUEUEING_TICKET_CALL)
def choose_room() -> BaseResponse:
    """Remember where this session calls to."""
    session[ROOM] = str(_room(request.form.get("room_id", "")) or "")
    return answer_desk()


@blueprint.post("/call-next")
@requires(Permission.QUEUEING_TICKET_CALL)
def call_next() -> BaseResponse:
    """Call the next patient to the room given, remembered or scheduled."""
    given = _room(request.form.get("room_id", ""))
    if given is not None:
        session[ROOM] = str(given)
    with write_uow() as writing:
        place = workstation.place_of_actor(writing)
        if place.queue is None:
            raise QueueUnknown
        room_id = room_in_hand(writing, place)
        if room_id is None:
            raise InvalidInput(
                _("请先选择诊室"), fields={"room_id": _("必填")}, code="room_missing"
            )
        called = service.call_next(
            writing,
            queue_id=place.queue.id,
            room_id=room_id,
            practitioner_id=place.practitioner.id,
        )
    if called is None:
        return answer_desk(Said(_("现在没有候诊的患者"), "info"))
    return answer_desk(
        Said(_("已呼叫 %(number)s 到 %(room)s", number=called.number, room=called.room_name))
    )


@blueprint.post("/tickets/<uuid:ticket_id>/again")
@requires(Permission.QUEUEING_TICKET_CALL)
def call_again(ticket_id: Id) -> BaseResponse:
    """Say the number once more."""
    with write_uow() as writing:
        service.call_again(writing, ticket_id)
    return answer_desk(Said(_("已再次呼叫")))


@blueprint.post("/tickets/<uuid:ticket_id>/pass")
@requires(Permission.QUEUEING_TICKET_CALL)
def pass_over(ticket_id: Id) -> BaseResponse:
    """The patient did not come."""
    with write_uow() as writing:
        service.pass_over(writing, ticket_id)
    return answer_desk(Said(_("已过号；患者回来后，可在过号名单里让其重新排队"), "warn"))


@blueprint.post("/tickets/<uuid:ticket_id>/return")
@requires(Permission.QUEUEING_TICKET_CALL)
def take_back(ticket_id: Id) -> BaseResponse:
    """A missed patient stands at the door."""
    with write_uow() as writing:
        service.take_back(writing, ticket_id)
    return answer_desk(Said(_("已重新排队，排在后续几位之后")))


@blueprint.post("/tickets/<uuid:ticket_id>/start")
@requires(Permission.CLINICAL_ENCOUNTER_WRITE)
def start(ticket_id: Id) -> BaseResponse:
    """The patient sits down: open the record."""
    with write_uow() as writing:
        service.begin_visit(writing, ticket_id)
    return answer_desk()


def _room(text: str) -> Id | None:
    room_id = parse_id(text)
    if text and room_id is None:
        raise InvalidInput(fields={"room_id": _("内容有误")}, code="room_unknown")
    return room_id
