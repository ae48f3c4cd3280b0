"""Edits of places: new, another name or parent, out of use and back. A code stays: signs and devices bear it."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.kernel import history
from backend.kernel.db import check_version
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name, lock_row
from backend.organization import rules
from backend.organization.errors import CodeTaken, PlaceHasInside, PlaceMisplaced, PlaceUnknown
from backend.organization.models import Location
from backend.organization.rules import LocationKind

ENTITY = "location"


def add_location(
    session: Session,
    *,
    hospital_id: Id,
    code: str,
    name: str,
    kind: LocationKind,
    parent_id: Id | None,
) -> Location:
    """A new place inside another. InvalidInput by field, CodeTaken, PlaceMisplaced."""
    code, name = rules.normalise_code(code), rules.tidy(name)
    if wrong := rules.check_place(code, name):
        raise InvalidInput(fields=wrong)
    lock_name(session, f"places-{hospital_id}")
    if session.scalar(
        select(Location.id).where(Location.hospital_id == hospital_id, Location.code == code)
    ):
        raise CodeTaken(fields={"code": CodeTaken.default_message})
    _check_parent(session, None, kind, parent_id, hospital_id)
    place = Location(
        id=new_id(), hospital_id=hospital_id, code=code, name=name, kind=kind, parent_id=parent_id
    )
    session.add(place)
    session.flush()
    words = _words(session, place)
    _note(session, "organization.add_location", place, history.changes_between({}, words))
    return place


def edit_place(
    session: Session,
    place_id: Id,
    *,
    hospital_id: Id,
    version: int,
    name: str,
    parent_id: Id | None,
) -> Location:
    """Another name, or inside another place. StaleVersion; PlaceMisplaced for a place inside itself."""
    lock_name(session, f"places-{hospital_id}")  # two moves at once could close a ring
    place = _locked(session, place_id, hospital_id)
    check_version(place, version)
    name = rules.tidy(name)
    if wrong := rules.check_place(place.code, name):
        raise InvalidInput(fields=wrong)
    if parent_id != place.parent_id:
        _check_parent(session, place, place.kind, parent_id, hospital_id)
    before = _words(session, place)
    place.name, place.parent_id = name, parent_id
    if session.is_modified(place):
        session.flush()
        changes = history.changes_between(before, _words(session, place))
        _note(session, "organization.edit_location", place, changes)
    return place


def set_place_active(session: Session, place_id: Id, *, hospital_id: Id, is_active: bool) -> None:
    """Out of use, or in use again; does nothing when it is so. PlaceHasInside while something inside is in use."""
    lock_name(session, f"places-{hospital_id}")  # nothing is moved or made inside it meanwhile
    place = _locked(session, place_id, hospital_id)
    if place.is_active is is_active:
        return
    if not is_active and session.scalar(
        select(func.count()).where(Location.parent_id == place_id, Location.is_active)
    ):
        raise PlaceHasInside
    place.is_active = is_active
    session.flush()
    action = "organization.open_location" if is_active else "organization.close_location"
    _note(session, action, place, {})


def _check_parent(
    session: Session,
    place: Location | None,
    kind: LocationKind,
    parent_id: Id | None,
    hospital_id: Id,
) -> None:
    """The parent is of this hospital, in use, larger, and neither the place nor anything inside it."""
    above = session.get(Location, parent_id) if parent_id else None
    if parent_id and (above is None or above.hospital_id != hospital_id or not above.is_active):
        raise PlaceMisplaced(fields={"parent": _("没有找到这个上级位置")})
    if above is not None and not rules.may_hold(above.kind, kind):
        raise PlaceMisplaced(fields={"parent": PlaceMisplaced.default_message})
    while above is not None:
        if place is not None and above.id == place.id:
            raise PlaceMisplaced(fields={"parent": _("不能放进自己里面")})
        above = session.get(Location, above.parent_id) if above.parent_id else None


def _words(session: Session, place: Location) -> Mapping[str, str]:
    above = session.get(Location, place.parent_id) if place.parent_id else None
    return {"name": place.name, "parent": f"{above.name} {above.code}" if above else ""}


def _note(session: Session, action: str, place: Location, changes: history.Changes) -> None:
    history.record(
        session,
        action,
        entity=ENTITY,
        entity_id=place.id,
        version=place.version,
        changes=changes,
    )


def _locked(session: Session, place_id: Id, hospital_id: Id) -> Location:
    place = lock_row(session, Location, place_id)
    if place is None or place.hospital_id != hospital_id:
        raise PlaceUnknown
    return place
