"""One place: new, another name or parent, out of use, history.

GET  /backoffice/rooms/new                    the form (``parent``: inside which place)
POST /backoffice/rooms                        make it
GET  /backoffice/rooms/<place_id>             the place
POST /backoffice/rooms/<place_id>             change it; 409 with what the other changed when the form is stale
POST /backoffice/rooms/<place_id>/close|open  out of use or in use (each undoes the other)
"""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.kernel import history
from backend.kernel.errors import InvalidInput, NotFound, StaleVersion, XinglinError
from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Permission
from backend.kernel.web import (
    flash_undo,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.organization import queries, rules, service
from backend.organization.backoffice.common import KIND_WORDS, action_words, blueprint, form_version
from backend.organization.errors import PlaceUnknown
from backend.organization.queries import Location, LocationKind

PAGE = "organization.room"


@blueprint.get("/rooms/new")
@requires(Permission.ORGANIZATION_LOCATION_WRITE)
def new_room() -> Response:
    """The empty form."""
    return _page(None)


@blueprint.post("/rooms")
@requires(Permission.ORGANIZATION_LOCATION_WRITE)
def create_room() -> BaseResponse:
    """A new place."""
    try:
        kind = _kind()
        with write_uow() as session:
            place_id = service.add_location(
                session,
                hospital_id=own_hospital_id(),
                code=request.form.get("code", "")[:60],
                name=request.form.get("name", "")[:200],
                kind=kind,
                parent_id=_parent(),
            ).id
    except XinglinError as error:
        return _page(None, error=error)
    flash(_("已新增"), "ok")
    return redirect_to(PAGE, place_id=place_id)


@blueprint.get("/rooms/<uuid:place_id>")
@requires(Permission.ORGANIZATION_LOCATION_WRITE)
def room(place_id: Id) -> Response:
    """The place with what can be done to it."""
    return _page(place_id)


@blueprint.post("/rooms/<uuid:place_id>")
@requires(Permission.ORGANIZATION_LOCATION_WRITE)
def edit_room(place_id: Id) -> BaseResponse:
    """Another name or parent."""
    try:
        with write_uow() as session:
            service.edit_place(
                session,
                place_id,
                hospital_id=own_hospital_id(),
                version=form_version(),
                name=request.form.get("name", "")[:200],
                parent_id=_parent(),
            )
    except XinglinError as error:
        return _page(place_id, error=error)
    flash(_("已保存"), "ok")
    return redirect_to(PAGE, place_id=place_id)


@blueprint.post("/rooms/<uuid:place_id>/close")
@requires(Permission.ORGANIZATION_LOCATION_WRITE)
def close_room(place_id: Id) -> BaseResponse:
    """Out of use."""
    return _set_active(place_id, is_active=False)


@blueprint.post("/rooms/<uuid:place_id>/open")
@requires(Permission.ORGANIZATION_LOCATION_WRITE)
def open_room(place_id: Id) -> BaseResponse:
    """In use again."""
    return _set_active(place_id, is_active=True)


def _set_active(place_id: Id, *, is_active: bool) -> BaseResponse:
    with write_uow() as session:
        service.set_place_active(
            session, place_id, hospital_id=own_hospital_id(), is_active=is_active
        )
    undo = "organization.close_room" if is_active else "organization.open_room"
    words = _("位置已启用") if is_active else _("位置已停用")
    flash_undo(words, url_for(undo, place_id=place_id))
    return redirect_to(PAGE, place_id=place_id)


def _page(place_id: Id | None, *, error: XinglinError | None = None) -> Response:
    if isinstance(error, NotFound):
        raise error
    others, entries, place = [], [], None
    with read_uow() as session:
        if place_id is not None:
            place = _own(session, place_id)
            entries = history.list_entries(session, "location", place_id)
            if isinstance(error, StaleVersion):
                others = history.list_since(session, "location", place_id, form_version())
        parents = _parents(session, place)
    return render(
        "organization/room.html",
        status=error.status if error else 200,
        place=place,
        parents=parents,
        chosen=request.form.get("parent", "")
        if error
        else str(place.parent_id or "")
        if place
        else request.args.get("parent", ""),
        kinds=[(kind.value, words) for kind, words in KIND_WORDS.items()],
        kind_words=KIND_WORDS,
        entries=entries,
        action_words=action_words,
        field_words={"name": _("名称"), "parent": _("所在")},
        error=error,
        is_stale=isinstance(error, StaleVersion),
        others=others,
        typed=request.form if error else {},
    )


def _own(session: Session, place_id: Id) -> Location:
    place = queries.get_location(session, place_id)
    if place.hospital_id != own_hospital_id():
        raise PlaceUnknown
    return place


def _parents(session: Session, place: Location | None) -> list[tuple[str, str]]:
    """Where the place may lie: what is in use and larger, with its way there."""
    hospital_id = own_hospital_id()
    paths = queries.location_path_names(session, hospital_id=hospital_id)
    return [
        (str(each.id), paths[each.id] or each.name)
        for each in queries.list_locations(session, hospital_id=hospital_id)
        if each.is_active
        and (rules.may_hold(each.kind, place.kind) if place else _holds_something(each.kind))
        and (place is None or each.id != place.id)
    ]


def _holds_something(kind: LocationKind) -> bool:
    return rules.may_hold(kind, LocationKind.ROOM)


def _kind() -> LocationKind:
    try:
        return LocationKind(request.form.get("kind", ""))
    except ValueError as error:
        raise InvalidInput(fields={"kind": _("请选择种类")}) from error


def _parent() -> Id | None:
    text = request.form.get("parent", "")
    parent_id = parse_id(text)
    if text and parent_id is None:
        raise InvalidInput(fields={"parent": _("没有找到这个上级位置")})
    return parent_id
