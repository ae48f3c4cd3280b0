"""The form of one session, weekly or special: what it offers, and what is read from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backend.kernel.clock import HalfDay
from backend.kernel.ids import Id, parse_id
from backend.kernel.uow import today
from backend.kernel.web import own_hospital_id, xinglin
from backend.organization import queries as organization
from backend.scheduling import queries
from backend.scheduling.backoffice import common
from backend.scheduling.errors import TemplateInvalid
from backend.scheduling.ports import Fee, FeeBook
from backend.scheduling.rules import VisitType
from backend.scheduling.services.entries import EntryFacts
from backend.scheduling.views import EntryView

FEES = "registration_fees"


def choices(
    session: Session, hospital_id: Id, department_id: Id | None, entry: EntryView | None = None
) -> dict[str, object]:
    """What the form of a session offers: rooms, fees, visit types; and up to when the department is generated.

    Rooms are those in use, and the one in which ``entry`` takes place, so that a change does not move it unseen.
    """
    paths = organization.location_path_names(session, hospital_id=hospital_id)
    rooms = [
        (
            str(place.id),
            paths[place.id] if place.is_active else _("%(room)s（已停用）", room=paths[place.id]),
        )
        for place in organization.list_locations(session, hospital_id=hospital_id)
        if place.kind is organization.LocationKind.ROOM
        and (place.is_active or (entry is not None and place.id == entry.location_id))
    ]
    last = (
        queries.last_generated(session, hospital_id=hospital_id, department_id=department_id)
        if department_id
        else None
    )
    return {
        "rooms": rooms,
        "fees": _fees(session),
        "visit_types": common.visit_type_options(),
        "last_generated": last,
    }


def _fees(session: Session) -> list[Fee]:
    """Registration fees in force today, from whoever keeps prices."""
    book: FeeBook = xinglin().parts[FEES]
    return book(session, own_hospital_id(), today(session))


def kept_of(session: Session, entry_id: Id) -> set[Id | None]:
    """Where an entry takes place and whose it is: they stay as they are, in use or not."""
    views = queries.entry_history(session, entry_id)
    return {
        i for one in views if one.id == entry_id for i in (one.location_id, one.practitioner_id)
    }


def read_facts(
    session: Session, form: Mapping[str, str], *, kept: Collection[Id | None] = ()
) -> EntryFacts:
    """Read the form; TemplateInvalid names each field that cannot be read, or is nobody and no place to choose.

    Those are another hospital's, people who left and rooms out of use; but not ``kept``, which an entry has already.
    """
    faults: dict[str, object] = {}
    ids = {
        name: parse_id(form.get(name, ""))
        for name in ("practitioner_id", "department_id", "location_id")
    }
    wanted = [found for found in ids.values() if found]
    people = organization.practitioners_by_id(session, wanted)
    rooms = organization.locations_by_id(session, wanted)
    out_of_use = {row.id for row in people.values() if not row.is_active}
    out_of_use |= {row.id for row in rooms.values() if not row.is_active}
    out_of_use.difference_update(kept)
    hospitals = {
        "practitioner_id": _hospitals(people),
        "department_id": _hospitals(organization.departments_by_id(session, wanted)),
        "location_id": _hospitals(rooms),
    }
    for name, chosen in ids.items():
        if hospitals[name].get(chosen) != own_hospital_id() or chosen in out_of_use:
            faults[name] = _("请选择")
    fee = next((one for one in _fees(session) if one.code == form.get("fee", "")), None)
    if fee is None:
        faults["fee"] = _("请选择挂号费")
    numbers = {
        name: _number(form.get(name, "")) for name in ("weekday", "capacity", "slot_minutes")
    }
    faults |= {name: _("请填写数字") for name, value in numbers.items() if value is None}
    half_day, visit_type = form.get("half_day", ""), form.get("visit_type", "")
    if half_day not in set(HalfDay) or numbers["weekday"] not in range(1, 8):
        faults["half_day"] = _("请选择星期和半天")
    if visit_type not in set(VisitType):
        faults["visit_type"] = _("请选择号别")
    try:
        starts_minute = _minute(form.get("begins", ""))
    except ValueError:
        faults["begins"] = _("请写成 08:30")
        starts_minute = None
    if faults or fee is None:
        raise TemplateInvalid(fields=faults)
    return EntryFacts(
        practitioner_id=ids["practitioner_id"] or Id(int=0),
        department_id=ids["department_id"] or Id(int=0),
        location_id=ids["location_id"] or Id(int=0),
        weekday=numbers["weekday"] or 0,
        half_day=HalfDay(half_day),
        visit_type=VisitType(visit_type),
        price_item_code=fee.code,
        fee_fen=fee.fee_fen,
        capacity=numbers["capacity"] or 0,
        slot_minutes=numbers["slot_minutes"] or 0,
        starts_minute=starts_minute,
    )


def _hospitals(
    rows: Mapping[Id, organization.Practitioner | organization.Department | organization.Location],
) -> dict[Id | None, Id]:
    return {key: row.hospital_id for key, row in rows.items()}


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() and len(text.strip()) <= 3 else None


def _minute(text: str) -> int | None:
    if not text.strip():
        return None
    wall = dt.time.fromisoformat(text.strip())
    return wall.hour * 60 + wall.minute
