"""What the workstation's routes share: the blueprint, its entry in the navigation, the room, the fragments."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, flash, make_response, render_template, session
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.clinical import service, workstation
from backend.clinical.views import EncounterView, PastEncounter
from backend.clinical.workstation import Line
from backend.kernel.ids import Id, new_id, parse_id
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import NavItem, read_uow, redirect_to, render, write_uow
from backend.kernel.web.rendering import is_fragment_request
from backend.queueing.views import PlaceOfWork

blueprint = Blueprint(
    "workstation",
    __name__,
    url_prefix="/backoffice/workstation",
    template_folder="../templates",
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("医生工作站"),
        endpoint="workstation.desk",
        icon="stethoscope",
        permission=Permission.CLINICAL_ENCOUNTER_WRITE,
        section=lazy_gettext("门诊"),
        order=20,
    ),
)

ROOM = "workstation_room"


@dataclass(frozen=True, slots=True)
class Said:
    """What an act tells: words and tone of a toast; the finished encounter and its bill for programs."""

    words: object
    tone: str = "ok"
    finished_id: Id | None = None
    invoice_id: Id | None = None


def room_in_hand(reading: Session, place: PlaceOfWork) -> Id | None:
    """The room chosen in this session, else the room of today's schedule, else the only one there is."""
    chosen = parse_id(session.get(ROOM, ""))
    if chosen in {room.id for room in place.rooms}:
        return chosen
    usual = workstation.usual_room(reading, place)
    return usual or (place.rooms[0].id if len(place.rooms) == 1 else None)


def show_desk(encounter_id: Id | None = None, *, said: Said | None = None) -> Response:
    """The whole workstation: with the encounter asked for, else with the one of the ticket in hand."""
    with read_uow() as reading:
        place = workstation.place_of_actor(reading)
        line = workstation.read_line(reading, place)
        current = line.current if line else None
        room_id = room_in_hand(reading, place) if line and current is None else None
        day = today(reading)
        if encounter_id is None and line is not None and current is not None:
            encounter_id = line.encounter_ids.get(current.id)
        record = workstation.read_record(reading, encounter_id) if encounter_id else None
    if record is not None:
        with write_uow() as writing:
            service.note_reading(writing, record.encounter.id, record.person.id)
    return render(
        "clinical/workstation.html",
        fragment="clinical/_desk_answer.html",
        place=place,
        today=day,
        line=line,
        current=current,
        room_id=room_id,
        record=record,
        said=said,
        worklist=worklist_html(line) if line else "",
        keys=order_keys(),
    )


def answer_desk(said: Said | None = None) -> BaseResponse:
    """After an act in the queue: the desk for htmx and programs, the page by redirect for plain forms."""
    if is_fragment_request():
        return show_desk(said=said)
    if said is not None:
        flash(str(said.words), said.tone)
    return redirect_to("workstation.desk")


def show_record(encounter_id: Id, *, focus: str = "") -> BaseResponse:
    """After an act in a record: its diagnoses and orders, with the focus where typing goes on."""
    if not is_fragment_request():
        return redirect_to("workstation.encounter", encounter_id=encounter_id)
    with read_uow() as reading:
        record = workstation.read_record(reading, encounter_id)
    html = render_template("clinical/_record.html", record=record, focus=focus, keys=order_keys())
    return _fragment(html)


def worklist_html(line: Line) -> str:
    """The left side; its ``seen`` names exactly this content, so that an unchanged one need not be sent again."""
    body = render_template("clinical/_worklist_body.html", line=line)
    seen = hashlib.sha256(body.encode()).hexdigest()[:16]
    return render_template("clinical/_worklist.html", body=body, seen=seen)


def order_keys() -> dict[str, str]:
    """Keys by which a second sending of the same order form is recognised."""
    return {kind: str(new_id()) for kind in ("drug", "laboratory", "examination")}


def _fragment(html: str) -> Response:
    response = make_response(html)
    response.headers["Vary"] = "HX-Request"
    return response


def past_list(visits: Sequence[PastEncounter]) -> Response:
    """The patient's past, opened under the record."""
    return _fragment(render_template("clinical/_past.html", visits=visits))


def current_line(reading: Session) -> Line | None:
    """The line of who works here."""
    return workstation.read_line(reading, workstation.place_of_actor(reading))


def note_state(encounter: EncounterView, saved_at: dt.datetime) -> Response:
    """The answer to saving a note: when, and the version the next saving must name."""
    return _fragment(
        render_template("clinical/_note_state_answer.html", encounter=encounter, saved_at=saved_at)
    )
