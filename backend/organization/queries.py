"""Reads of the organization; other domains come through here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import BindParameter, bindparam, literal, or_, select, union_all
from sqlalchemy.orm import Session

from backend.kernel.errors import NotFound
from backend.kernel.ids import Id
from backend.organization.models import (
    Department,
    DepartmentKind,
    Hospital,
    Location,
    Practitioner,
)
from backend.organization.rules import LocationKind

Row = TypeVar("Row")

__all__ = ["Department", "DepartmentKind", "Hospital", "Location", "LocationKind", "Practitioner"]


@dataclass(frozen=True, slots=True)
class Label:
    """What a department, place or practitioner is called; the last two are a practitioner's."""

    name: str
    title: str
    specialty: str


_AMONG: BindParameter[Any] = bindparam("ids", expanding=True)
_NONE = literal("")
#: Part of everything that shows a visit: made once, so that SQLAlchemy need not look at it anew each time.
_LABELS = union_all(
    select(Practitioner.id, Practitioner.name, Practitioner.title, Practitioner.specialty).where(
        Practitioner.id.in_(_AMONG)
    ),
    select(Department.id, Department.name, _NONE, _NONE).where(Department.id.in_(_AMONG)),
    select(Location.id, Location.name, _NONE, _NONE).where(Location.id.in_(_AMONG)),
)


def get_hospital(session: Session, hospital_id: Id) -> Hospital:
    """The hospital; NotFound when there is none."""
    return _found(session.get(Hospital, hospital_id))


def list_hospitals(session: Session) -> Sequence[Hospital]:
    """All hospitals, by code."""
    return session.scalars(select(Hospital).order_by(Hospital.code)).all()


def get_department(session: Session, department_id: Id) -> Department:
    """The department; NotFound when there is none."""
    return _found(session.get(Department, department_id))


def list_departments(
    session: Session, *, hospital_id: Id, kind: DepartmentKind | None = None
) -> Sequence[Department]:
    """The departments of a hospital, by code."""
    statement = select(Department).where(Department.hospital_id == hospital_id)
    if kind is not None:
        statement = statement.where(Department.kind == kind)
    return session.scalars(statement.order_by(Department.code)).all()


def get_practitioner(session: Session, practitioner_id: Id) -> Practitioner:
    """The practitioner; NotFound when there is none."""
    return _found(session.get(Practitioner, practitioner_id))


def list_practitioners(
    session: Session, *, hospital_id: Id, department_id: Id | None = None
) -> Sequence[Practitioner]:
    """Those who work here now, by code."""
    statement = select(Practitioner).where(
        Practitioner.hospital_id == hospital_id, Practitioner.is_active
    )
    if department_id is not None:
        statement = statement.where(Practitioner.department_id == department_id)
    return session.scalars(statement.order_by(Practitioner.code)).all()


def search_practitioners(
    session: Session,
    *,
    hospital_id: Id,
    text: str = "",
    department_id: Id | None = None,
    first: int = 0,
    most: int = 50,
    is_active: bool = True,
) -> Sequence[tuple[Practitioner, str]]:
    """Those who work here now (or no longer) with their department's name, by code, ``most`` after skipping ``first``.

    ``text`` is found in name, pinyin (tones and blanks left out), title or specialty, or is a staff code's beginning.
    """
    statement = (
        select(Practitioner, Department.name)
        .join(Department, Department.id == Practitioner.department_id)
        .where(Practitioner.hospital_id == hospital_id, Practitioner.is_active.is_(is_active))
        .order_by(Practitioner.code)
        .offset(first)
        .limit(most)
    )
    if department_id is not None:
        statement = statement.where(Practitioner.department_id == department_id)
    if wanted := text.strip().casefold():
        columns = (
            Practitioner.name, Practitioner.pinyin, Practitioner.title, Practitioner.specialty
        )  # fmt: skip
        found = [column.contains(wanted, autoescape=True) for column in columns]
        code = Practitioner.code.startswith(wanted.upper(), autoescape=True)
        statement = statement.where(or_(code, *found))
    return [(person, name) for person, name in session.execute(statement)]


def practitioners_by_id(session: Session, ids: Iterable[Id]) -> dict[Id, Practitioner]:
    """Those of ``ids`` that exist, in one query."""
    rows = session.scalars(select(Practitioner).where(Practitioner.id.in_(set(ids))))
    return {row.id: row for row in rows}


def departments_by_id(session: Session, ids: Iterable[Id]) -> dict[Id, Department]:
    """Those of ``ids`` that exist, in one query."""
    rows = session.scalars(select(Department).where(Department.id.in_(set(ids))))
    return {row.id: row for row in rows}


def locations_by_id(session: Session, ids: Iterable[Id]) -> dict[Id, Location]:
    """Those of ``ids`` that exist, in one query."""
    rows = session.scalars(select(Location).where(Location.id.in_(set(ids))))
    return {row.id: row for row in rows}


def labels_by_id(session: Session, ids: Iterable[Id]) -> dict[Id, Label]:
    """What those departments, places and practitioners among ``ids`` that exist are called, in one query."""
    rows = session.execute(_LABELS, {"ids": list(set(ids))})
    return {row.id: Label(row.name, row.title, row.specialty) for row in rows}


def get_location(session: Session, location_id: Id) -> Location:
    """The place; NotFound when there is none."""
    return _found(session.get(Location, location_id))


def get_location_by_code(session: Session, *, hospital_id: Id, code: str) -> Location:
    """The place with this code; NotFound when there is none."""
    statement = select(Location).where(Location.hospital_id == hospital_id, Location.code == code)
    return _found(session.scalar(statement))


def list_locations(
    session: Session, *, hospital_id: Id, is_in_use: bool = False
) -> Sequence[Location]:
    """Every place of a hospital, by code; with ``is_in_use`` only those something new may be put into."""
    statement = select(Location).where(Location.hospital_id == hospital_id).order_by(Location.code)
    if is_in_use:
        statement = statement.where(Location.is_active)
    return session.scalars(statement).all()


def location_path_names(session: Session, *, hospital_id: Id) -> dict[Id, str]:
    """Where each place is, in words from the building down (``门诊楼 3层 二诊室``), in one query."""
    places = {place.id: place for place in list_locations(session, hospital_id=hospital_id)}
    paths: dict[Id, str] = {}
    for place in places.values():
        names: list[str] = []
        at: Location | None = place
        while at is not None and at.kind is not LocationKind.CAMPUS:
            names.append(at.name)
            at = places.get(at.parent_id) if at.parent_id else None
        paths[place.id] = " ".join(reversed(names))
    return paths


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound
    return row
