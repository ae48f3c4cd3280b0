"""What must hold in the data set: references, unique codes, no room or doctor booked twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from backend.demo.records import Dataset, TemplateRow

LOCATION_KINDS = ("campus", "building", "floor", "area", "room", "window")
DEPARTMENT_KINDS = ("clinical", "technical", "administrative")
QUEUE_KINDS = ("clinic", "laboratory", "pharmacy", "imaging", "cashier", "triage")
ROLES = (
    "administrator",
    "auditor",
    "price_clerk",
    "cashier",
    "device_operator",
    "doctor",
    "finance",
    "registrar",
    "scheduler",
    "triage_nurse",
)
ICD_CODE = re.compile(r"[A-Z]\d\d(\.\d)?")


class DatasetError(Exception):
    """The files of the demo hospital contradict themselves; the message names each fault."""


def _repeated(what: str, keys: Iterable[object]) -> Iterator[str]:
    for key, count in Counter(keys).items():
        if count > 1:
            yield f"{what}: {key} stands {count} times"


def _unknown(what: str, used: Iterable[tuple[str, str]], known: Iterable[str]) -> Iterator[str]:
    allowed = frozenset(known)
    for owner, code in used:
        if code not in allowed:
            yield f"{what}: {owner} names unknown {code!r}"


def _codes(data: Dataset) -> Iterator[str]:
    for name in (
        "hospitals",
        "locations",
        "departments",
        "staff",
        "price_items",
        "drugs",
        "laboratory",
        "icd10",
        "halls",
        "queues",
        "kiosks",
        "care",
        "areas",
    ):
        yield from _repeated(name, (row.code for row in getattr(data, name)))
    yield from _repeated("accounts", (row.username for row in data.accounts))
    yield from _repeated("queue prefixes", (row.prefix for row in data.queues))
    yield from _repeated("price codes with drugs", (item.code for item in data.sellable_items))
    for diagnosis in data.icd10:
        if not ICD_CODE.fullmatch(diagnosis.code):
            yield f"icd10: {diagnosis.code!r} is no ICD-10 code"
    for item in data.sellable_items:
        if item.price_fen <= 0:
            yield f"price_items: {item.code} costs {item.price_fen} fen"


def _places(data: Dataset) -> Iterator[str]:
    seen: set[str] = set()
    for place in data.locations:  # parents stand before children: no cycle is possible
        if place.kind == "campus":
            if place.parent_code:
                yield f"locations: campus {place.code} has a parent"
        elif place.parent_code not in seen:
            yield f"locations: {place.code} stands before its parent {place.parent_code!r}"
        if place.kind not in LOCATION_KINDS:
            yield f"locations: {place.code} is of unknown kind {place.kind!r}"
        seen.add(place.code)
    yield from _unknown("departments", ((r.code, r.location_code) for r in data.departments), seen)
    areas = [place.code for place in data.locations if place.kind == "area"]
    yield from _unknown("halls", ((r.code, r.location_code) for r in data.halls), areas)
    yield from _unknown("kiosks", ((r.code, r.location_code) for r in data.kiosks), areas)
    desks = [place.code for place in data.locations if place.kind in ("room", "window")]
    rooms = ((r.queue_code, r.location_code) for r in data.queue_rooms)
    yield from _unknown("queue_rooms", rooms, desks)


def _people(data: Dataset) -> Iterator[str]:
    departments = [row.code for row in data.departments]
    staff = {row.code: row for row in data.staff}
    used = ((row.code, row.department_code) for row in data.staff)
    yield from _unknown("staff", used, departments)
    yield from _unknown("accounts", ((a.username, a.staff_code) for a in data.accounts), staff)
    yield from _unknown("accounts", ((a.username, a.role) for a in data.accounts), ROLES)
    for row in data.staff:
        if row.sex not in ("M", "F") or not row.name or len(row.name) > 15:
            yield f"staff: {row.code} has sex {row.sex!r} and name {row.name!r}"
        yield from _unknown("staff", ((row.code, role) for role in row.roles), ROLES)
    for department in data.departments:
        if department.kind not in DEPARTMENT_KINDS:
            yield f"departments: {department.code} is of unknown kind {department.kind!r}"


def _span(entry: TemplateRow, hours: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    usual = hours[entry.half_day][0]
    begin = usual if entry.starts_minute is None else entry.starts_minute
    return begin, begin + entry.capacity * entry.slot_minutes


def _overlaps(data: Dataset, hours: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    """Rooms are free again when a session ends: a night session leaves room for the morning."""
    sessions = sorted(
        (row.room_code, row.weekday, *_span(row, hours))
        for row in data.templates
        if row.half_day in hours
    )
    for (room, weekday, _, end), (next_room, next_weekday, begin, _) in pairwise(sessions):
        if (room, weekday) == (next_room, next_weekday) and begin < end:
            yield f"room booked twice: {room} on day {weekday} at minute {begin}"


def _sessions(
    data: Dataset, fees: Mapping[str, str], hours: Mapping[str, tuple[int, int]]
) -> Iterator[str]:
    staff = {row.code: row for row in data.staff}
    queue_of = {row.department_code: row.code for row in data.queues if row.kind == "clinic"}
    rooms_of = {(row.queue_code, row.location_code) for row in data.queue_rooms}
    for entry in data.templates:
        label = f"{entry.staff_code} {entry.weekday} {entry.half_day}"
        if entry.staff_code not in staff or entry.visit_type not in fees:
            yield f"templates: {label} names an unknown doctor or visit type"
            continue
        if entry.weekday not in range(1, 8) or entry.half_day not in hours:
            yield f"templates: {label} is no half-day of a week"
            continue
        queue = queue_of.get(staff[entry.staff_code].department_code, "")
        if (queue, entry.room_code) not in rooms_of:
            yield f"templates: {label} sits in {entry.room_code}, no room of its department"
        begin, end = _span(entry, hours)
        if not 0 <= begin < end <= hours[entry.half_day][1]:
            yield f"templates: {label} does not fit its half-day"
    doctors = ((row.staff_code, row.weekday, row.half_day) for row in data.templates)
    yield from _repeated("doctor in two places", doctors)
    yield from _overlaps(data, hours)


def _orders(data: Dataset, fees: Mapping[str, str]) -> Iterator[str]:
    departments = [row.code for row in data.departments]
    items = [row.code for row in data.price_items]
    used = ((row.code, row.department_code) for row in data.price_items)
    yield from _unknown("price_items", used, departments)
    yield from _unknown("fees", fees.items(), items)
    panels = ((row.code, row.price_item_code) for row in data.laboratory)
    yield from _unknown("laboratory", panels, items)
    care = data.care
    yield from _unknown("care", ((row.code, row.department_code) for row in care), departments)
    for name, known in (
        ("diagnosis_codes", [row.code for row in data.icd10]),
        ("laboratory_codes", [row.code for row in data.laboratory]),
        ("item_codes", items),
        ("drug_codes", [row.code for row in data.drugs]),
    ):
        used = ((row.code, code) for row in care for code in getattr(row, name))
        yield from _unknown(f"care {name}", used, known)


def _examinations(data: Dataset) -> Iterator[str]:
    yield from _repeated("imaging_devices", (row.code for row in data.imaging_devices))
    yield from _repeated("examinations", (row.code for row in data.examinations))
    devices = data.imaging_devices
    departments = [row.code for row in data.departments]
    used = ((row.code, row.department_code) for row in devices)
    yield from _unknown("imaging_devices", used, departments)
    places = [row.code for row in data.locations]
    yield from _unknown("imaging_devices", ((r.code, r.location_code) for r in devices), places)
    items = [row.code for row in data.price_items]
    yield from _unknown("examinations", ((r.code, r.code) for r in data.examinations), items)
    kinds = [row.modality for row in devices]
    yield from _unknown("examinations", ((r.code, r.modality) for r in data.examinations), kinds)


def _queues(data: Dataset) -> Iterator[str]:
    departments = [row.code for row in data.departments]
    used = ((row.code, row.department_code) for row in data.queues)
    yield from _unknown("queues", used, departments)
    halls = [row.code for row in data.halls]
    yield from _unknown("queues", ((row.code, row.hall_code) for row in data.queues), halls)
    queues = [row.code for row in data.queues]
    rooms = ((row.location_code, row.queue_code) for row in data.queue_rooms)
    yield from _unknown("queue_rooms", rooms, queues)
    for queue in data.queues:
        if queue.kind not in QUEUE_KINDS:
            yield f"queues: {queue.code} is of unknown kind {queue.kind!r}"


def find_problems(
    data: Dataset, fees: Mapping[str, str], hours: Mapping[str, tuple[int, int]]
) -> list[str]:
    """Every contradiction in ``data``, one line each; an empty list when it is sound.

    ``fees`` gives the price item of each visit type, ``hours`` the first and last minute of each
    half-day.
    """
    return [
        *_codes(data),
        *_places(data),
        *_people(data),
        *_sessions(data, fees, hours),
        *_orders(data, fees),
        *_queues(data),
        *_examinations(data),
    ]
