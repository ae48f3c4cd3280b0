"""A hospital's departments and their queues from a CSV file, by code: what it would do first, then all or nothing.

A department whose row has a prefix has one queue, named after it, in the hall where it lies. What is there already is
renamed and its queue given more rooms; its kind, place and prefix are left as they are and named in the plan.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backend.kernel.ids import Id
from backend.organization import queries as places
from backend.organization import rules
from backend.organization import service as organization
from backend.organization.queries import Department, DepartmentKind, Location, LocationKind
from backend.queueing import queries as queues
from backend.queueing import service as queueing
from backend.queueing.queries import Queue

HEADINGS = ("code", "name", "kind", "place", "prefix", "rooms")
MOST_ROWS = 500
#: So that the queue's code is not longer than a code may be.
LONGEST_CODE = 30
KINDS: Mapping[str, DepartmentKind] = {
    **{kind.value: kind for kind in DepartmentKind},
    "临床": DepartmentKind.CLINICAL,
    "医技": DepartmentKind.TECHNICAL,
    "行政": DepartmentKind.ADMINISTRATIVE,
}
_PREFIX = re.compile(r"[A-Z]{1,4}")
_BETWEEN_ROOMS = re.compile(r"[\s;；、]+")
_CALLS = (LocationKind.ROOM, LocationKind.WINDOW)


@dataclass(frozen=True, slots=True)
class Row:
    """One line as it was read; ``kind`` is None where the word is not known."""

    line: int
    code: str
    name: str
    kind: DepartmentKind | None
    place: str
    prefix: str
    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong with one line (counted from 1, headings included)."""

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one row does to ``department`` and ``queue``, which it makes where they are None."""

    row: Row
    department: Department | None
    place: Location
    queue: Queue | None
    #: Those that do not call from the queue yet.
    rooms: tuple[Location, ...]
    #: The name of a department that is renamed.
    former_name: str = ""
    #: What the file says otherwise and is left as it is: heading, ours, the file's.
    kept: tuple[tuple[str, str, str], ...] = ()

    @property
    def opens_queue(self) -> bool:
        """True when a queue is made."""
        return self.queue is None and bool(self.row.prefix)


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a file: nothing is written while there is one error."""

    hospital_id: Id
    steps: Sequence[Step]
    errors: Sequence[LineError]


@dataclass(slots=True)
class _Known:
    """What the hospital has, by code; the first queue of each department, and who has each prefix."""

    departments: dict[str, Department]
    places: dict[str, Location]
    queues: dict[Id, Queue] = field(default_factory=dict)
    prefixes: dict[str, str] = field(default_factory=dict)


def queue_code(department_code: str) -> str:
    """The code of a department's queue."""
    return f"Q-{department_code}"


def plan(session: Session, text: str, *, hospital_id: Id) -> Plan:
    """Read the text of a file and say what it would do now."""
    rows, errors = _parse(text)
    hospital = places.get_hospital(session, hospital_id)
    known = _known(session, hospital_id)
    steps: list[Step] = []
    for row in rows:
        wrong = _faults(row, known, campus=hospital.code)
        if wrong:
            errors.append(LineError(row.line, "；".join(wrong)))
        else:
            steps.append(_step(session, row, known, campus=hospital.code))
    return Plan(hospital_id, steps, sorted(errors, key=lambda one: one.line))


def bring(session: Session, text: str, *, hospital_id: Id) -> Plan:
    """Do what the plan says and return it; a plan with errors is returned with nothing done."""
    organization.lock_departments(session, hospital_id)
    found = plan(session, text, hospital_id=hospital_id)
    if not found.errors:
        for step in found.steps:
            _carry_out(session, hospital_id, step)
    return found


def _parse(text: str) -> tuple[list[Row], list[LineError]]:
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    try:
        lines = [(reader.line_num, [rules.tidy(cell) for cell in cells]) for cells in reader]
    except csv.Error as error:
        words = _("不是有效的 CSV：%(words)s", words=str(error))
        return [], [LineError(reader.line_num, words)]
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines or tuple(lines[0][1][: len(HEADINGS)]) != HEADINGS:
        return [], [LineError(1, _("第一行应是表头：%(words)s", words=",".join(HEADINGS)))]
    if not lines[1:]:
        return [], [LineError(2, _("没有数据行"))]
    if len(lines) - 1 > MOST_ROWS:
        return [], [LineError(1, _("一次最多导入 %(n)s 行，请分开导入", n=MOST_ROWS))]
    rows: list[Row] = []
    errors: list[LineError] = []
    first_line: dict[str, int] = {}
    for number, cells in lines[1:]:
        row = _row(number, cells)
        if row.code in first_line:
            words = _("编码与第 %(n)s 行重复", n=first_line[row.code])
            errors.append(LineError(number, words))
            continue
        first_line[row.code] = number
        rows.append(row)
    return rows, errors


def _row(number: int, cells: Sequence[str]) -> Row:
    code, name, kind, place, prefix, rooms = (*cells, *[""] * len(HEADINGS))[: len(HEADINGS)]
    return Row(
        line=number,
        code=rules.normalise_code(code),
        name=name,
        kind=KINDS.get(kind.casefold()),
        place=rules.normalise_code(place),
        prefix=rules.normalise_code(prefix),
        rooms=tuple(
            dict.fromkeys(rules.normalise_code(one) for one in _BETWEEN_ROOMS.split(rooms) if one)
        ),
    )


def _known(session: Session, hospital_id: Id) -> _Known:
    departments = places.list_departments(session, hospital_id=hospital_id)
    known = _Known(
        {one.code: one for one in departments},
        {
            one.code: one
            for one in places.list_locations(session, hospital_id=hospital_id, is_in_use=True)
        },
    )
    codes = {one.id: one.code for one in departments}
    for queue in queues.list_queues(session, hospital_id=hospital_id):
        known.queues.setdefault(queue.department_id, queue)
        known.prefixes.setdefault(queue.prefix, codes[queue.department_id])
    return known


def _faults(row: Row, known: _Known, *, campus: str) -> list[str]:
    """What is wrong with a row. Its prefix is its own from here on, so that a later row cannot have it too."""
    wrong = list(rules.check_department(row.code, row.name).items())
    if len(row.code) > LONGEST_CODE:
        wrong.append(("code", _("科室编码最多 %(n)s 位", n=LONGEST_CODE)))
    if row.kind is None:
        wrong.append(("kind", _("应是 %(words)s", words=" / ".join(KINDS))))
    place = row.place or campus
    if place not in known.places:
        wrong.append(("place", _("没有在用的位置 %(code)s", code=place)))
    owner = known.prefixes.setdefault(row.prefix, row.code) if row.prefix else row.code
    if row.prefix and not _PREFIX.fullmatch(row.prefix):
        wrong.append(("prefix", _("用 1 到 4 个大写字母")))
    elif owner != row.code:
        wrong.append(("prefix", _("%(code)s 已经用它", code=owner)))
    elif row.kind is DepartmentKind.CLINICAL and not row.prefix:
        wrong.append(("prefix", _("临床科室必填，否则病人无法报到排队")))
    if row.rooms and not row.prefix:
        wrong.append(("rooms", _("没有 prefix 就没有队列")))
    for code in row.rooms:
        room = known.places.get(code)
        if room is None or room.kind not in _CALLS:
            wrong.append(("rooms", _("没有在用的诊室或窗口 %(code)s", code=code)))
    return [f"{heading}: {words}" for heading, words in wrong]


def _step(session: Session, row: Row, known: _Known, *, campus: str) -> Step:
    place = known.places[row.place or campus]
    rooms = tuple(known.places[code] for code in row.rooms)
    department = known.departments.get(row.code)
    if department is None:
        return Step(row, None, place, None, rooms)
    queue = known.queues.get(department.id)
    kept: list[tuple[str, str, str]] = []
    if row.kind and row.kind is not department.kind:
        kept.append(("kind", department.kind.value, row.kind.value))
    ids = {one.id: one.code for one in known.places.values()}
    ours = ids.get(department.location_id, "") if department.location_id else ""
    if row.place and row.place != ours:
        kept.append(("place", ours, row.place))
    if queue is not None:
        if row.prefix != queue.prefix:
            kept.append(("prefix", queue.prefix, row.prefix))
        calling = {room.id for room in queues.list_rooms(session, queue.id)}
        rooms = tuple(room for room in rooms if room.id not in calling)
    former_name = department.name if department.name != row.name else ""
    return Step(row, department, place, queue, rooms, former_name, tuple(kept))


def _carry_out(session: Session, hospital_id: Id, step: Step) -> None:
    row, department, queue = step.row, step.department, step.queue
    if department is None:
        assert row.kind is not None  # noqa: S101 - rows without a kind are errors
        department = organization.add_department(
            session,
            hospital_id=hospital_id,
            code=row.code,
            name=row.name,
            kind=row.kind,
            location_id=step.place.id,
        )
    elif step.former_name:
        # A queue with a name of its own (抽血 of the laboratory) keeps it.
        if queue is not None and queue.name == step.former_name:
            queueing.rename_queue(session, queue.id, row.name)
        organization.rename_department(
            session, department.id, hospital_id=hospital_id, name=row.name
        )
    if step.opens_queue:
        queueing.add_queue(
            session,
            hospital_id=hospital_id,
            code=queue_code(row.code),
            name=row.name,
            prefix=row.prefix,
            department_id=department.id,
            hall_location_id=department.location_id or step.place.id,
            room_ids=[room.id for room in step.rooms],
        )
    elif queue is not None:
        for room in step.rooms:
            queueing.add_queue_room(session, queue.id, room.id)
