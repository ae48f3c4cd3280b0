"""Places and people of the hospital, to look up; the way to their editors for those who may.

GET /backoffice/rooms   buildings, floors, areas and rooms as a tree (fragment: the tree)
GET /backoffice/staff   those who work here, or (``state=left``) who did (fragments: the list; rows continued)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Response, request, url_for
from flask_babel import lazy_gettext

from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Permission, has
from backend.kernel.web import NavItem, current_actor, own_hospital_id, read_uow, render, requires
from backend.organization import queries
from backend.organization.backoffice.common import KIND_WORDS, SEX_WORDS, blueprint
from backend.organization.queries import Department, Location, LocationKind

_DICTIONARIES = lazy_gettext("字典")
NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("房间与位置"),
        endpoint="organization.rooms",
        icon="building-hospital",
        permission=Permission.ORGANIZATION_LOCATION_READ,
        section=_DICTIONARIES,
        order=72,
    ),
    NavItem(
        label=lazy_gettext("人员"),
        endpoint="organization.staff",
        icon="users",
        permission=Permission.ORGANIZATION_STAFF_READ,
        section=_DICTIONARIES,
        order=74,
    ),
)

PAGE = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the tree with what lies inside it; ``departments`` are those that have their seat here."""

    id: Id
    kind: LocationKind
    kind_words: str
    code: str
    name: str
    departments: tuple[str, ...]
    inside: tuple[Place, ...]
    is_active: bool = True

    @property
    def rooms(self) -> int:
        """Rooms and windows inside, at any depth."""
        own = sum(place.kind in (LocationKind.ROOM, LocationKind.WINDOW) for place in self.inside)
        return own + sum(place.rooms for place in self.inside)

    @property
    def leaves(self) -> tuple[Place, ...]:
        """What lies directly inside and holds nothing itself."""
        return tuple(place for place in self.inside if not place.inside)

    @property
    def branches(self) -> tuple[Place, ...]:
        """What lies directly inside and holds something itself."""
        return tuple(place for place in self.inside if place.inside)


def _by_number(place: Location) -> list[tuple[bool, int, str]]:
    """Codes in the order people count: floor 2 before floor 10."""
    parts = re.split(r"(\d+)", place.code)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def build_tree(
    places: Sequence[Location], departments: Sequence[Department], text: str
) -> tuple[Place, ...]:
    """The tree of places; with ``text`` only what bears it in name, code or department, its parents and its insides."""
    children: dict[Id | None, list[Location]] = {}
    known = {place.id for place in places}
    for place in sorted(places, key=_by_number):
        parent = place.parent_id if place.parent_id in known else None
        children.setdefault(parent, []).append(place)
    seats: dict[Id | None, list[str]] = {}
    for department in departments:
        seats.setdefault(department.location_id, []).append(department.name)
    wanted = text.strip().casefold()

    def grow(parent: Id | None, is_kept: bool) -> Iterator[Place]:
        for place in children.get(parent, ()):
            here = tuple(seats.get(place.id, ()))
            words = " ".join((place.name, place.code, *here)).casefold()
            is_found = is_kept or wanted in words
            inside = tuple(grow(place.id, is_found))
            if is_found or inside:
                yield Place(
                    place.id, place.kind, str(KIND_WORDS[place.kind]), place.code, place.name,
                    here, inside, place.is_active,
                )  # fmt: skip

    return tuple(grow(None, is_kept=not wanted))


@blueprint.get("/rooms")
@requires(Permission.ORGANIZATION_LOCATION_READ)
def rooms() -> Response:
    """The campus from buildings down to rooms and windows."""
    text = request.args.get("q", "").strip()[:60]
    hospital_id = own_hospital_id()
    with read_uow() as session:
        places = queries.list_locations(session, hospital_id=hospital_id)
        departments = queries.list_departments(session, hospital_id=hospital_id)
    return render(
        "organization/rooms.html",
        fragment="organization/_rooms.html",
        tree=build_tree(places, departments, text),
        q=text,
        may_write=has(current_actor(), Permission.ORGANIZATION_LOCATION_WRITE),
    )


@blueprint.get("/staff")
@requires(Permission.ORGANIZATION_STAFF_READ)
def staff() -> Response:
    """Who works here; 50 at a time."""
    text = request.args.get("q", "").strip()[:60]
    department_id = parse_id(request.args.get("department", ""))
    after = request.args.get("after", "")
    first = min(int(after), 10_000) if after.isascii() and after.isdigit() else 0
    has_left = request.args.get("state", "") == "left"
    hospital_id = own_hospital_id()
    with read_uow() as session:
        departments = queries.list_departments(session, hospital_id=hospital_id)
        found = queries.search_practitioners(
            session,
            hospital_id=hospital_id,
            text=text,
            department_id=department_id,
            first=first,
            most=PAGE + 1,
            is_active=not has_left,
        )
    more_url = ""
    if len(found) > PAGE:
        more_url = url_for(
            "organization.staff",
            q=text or None,
            department=department_id,
            state="left" if has_left else None,
            after=first + PAGE,
        )
    return render(
        "organization/staff.html",
        fragment="organization/_staff_rows.html" if first else "organization/_staff.html",
        people=found[:PAGE],
        more_url=more_url,
        q=text,
        department_id=department_id,
        departments=[(each.id, each.name) for each in departments],
        sex_words=SEX_WORDS,
        state="left" if has_left else "",
        may_write=has(current_actor(), Permission.ORGANIZATION_STAFF_WRITE),
    )
