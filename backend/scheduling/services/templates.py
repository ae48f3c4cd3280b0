"""The weekly template and the schedules made from it: idempotent, so that it may run every night."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from backend.kernel import audit
from backend.kernel.clock import HalfDay
from backend.kernel.errors import Forbidden
from backend.kernel.ids import Id, new_id
from backend.kernel.locks import lock_name
from backend.kernel.permissions import Permission, require
from backend.kernel.uow import actor, now
from backend.scheduling import queries, rules
from backend.scheduling.models import Schedule, Slot, SlotEvent, TemplateEntry
from backend.scheduling.rules import ScheduleStatus, SlotEventKind, SlotState, VisitType
from backend.scheduling.services.reserves import with_reserves


def add_template_entry(
    session: Session,
    *,
    hospital_id: Id,
    practitioner_id: Id | None = None,
    device_id: Id | None = None,
    department_id: Id,
    location_id: Id,
    weekday: int,
    half_day: HalfDay | str,
    visit_type: VisitType | str,
    price_item_code: str,
    fee_fen: int,
    capacity: int,
    slot_minutes: int,
    effective_from: dt.date,
    effective_until: dt.date | None = None,
    starts_minute: int | None = None,
) -> TemplateEntry:
    """Add one weekly session: ``weekday`` 1 (Monday) to 7, ``fee_fen`` the registration fee in fen.

    It is a practitioner's or a device's. ``starts_minute`` counts from midnight; None = the usual begin of the
    half-day. Raises TemplateInvalid when it does not fit its half-day.
    """
    half_day, visit_type = HalfDay(half_day), VisitType(visit_type)
    rules.check_template(half_day, capacity, slot_minutes, starts_minute)
    rules.check_performer(practitioner_id, device_id, slot_minutes)
    entry = TemplateEntry(
        id=new_id(),
        hospital_id=hospital_id,
        practitioner_id=practitioner_id,
        device_id=device_id,
        department_id=department_id,
        location_id=location_id,
        weekday=weekday,
        half_day=half_day,
        visit_type=visit_type,
        price_item_code=price_item_code,
        fee_fen=fee_fen,
        capacity=capacity,
        slot_minutes=slot_minutes,
        starts_minute=starts_minute,
        effective_from=effective_from,
        effective_until=effective_until,
    )
    session.add(entry)
    audit.record(
        session,
        "scheduling.add_template_entry",
        entity="template_entry",
        entity_id=entry.id,
        performer_id=entry.performer_id,
    )
    return entry


def generate_schedules(
    session: Session,
    *,
    hospital_id: Id,
    first: dt.date,
    last: dt.date,
    department_id: Id | None = None,
) -> int:
    """Make the sessions the weekly template asks for from ``first`` to ``last`` (both included, ≤ 31 days).

    Public holidays and worked weekends follow the calendar; what a stop-clinic notice covers is left out. Sessions that
    exist already are left as they are, also those a substitute took over: running it again adds only what is missing.
    Returns the number of schedules made. Raises PeriodInvalid, and Forbidden for an actor who may not
    generate here (one bound to departments must name one of them).
    """
    permission, who = Permission.SCHEDULING_SCHEDULE_GENERATE, actor(session)
    require(who, permission, hospital_id=hospital_id, department_id=department_id)
    if department_id is None and who.grants[permission] is not None:
        raise Forbidden(permission=permission.value)
    rules.check_period(first, last)
    lock_name(session, f"scheduling-generate-{hospital_id}")
    present = queries.sessions_taken(session, hospital_id=hospital_id, first=first, last=last)
    calendar = queries.calendar_map(session, hospital_id=hospital_id, first=first, last=last)
    stops = queries.stops_in_force(session, hospital_id=hospital_id, first=first, last=last)
    wanted: list[tuple[dt.date, TemplateEntry]] = []
    entries = _entries(session, hospital_id, first, last, department_id)
    for day, entry in rules.planned_sessions(entries, first, last, calendar):
        key = (entry.performer_id, day, entry.half_day)
        place = (entry.practitioner_id, entry.department_id, day, entry.half_day, entry.device_id)
        if key not in present and not any(stop.covers(*place) for stop in stops):
            present.add(key)
            wanted.append((day, entry))
    if not wanted:
        return 0
    schedules, slots = write_sessions(session, wanted)
    audit.record(
        session,
        "scheduling.generate_schedules",
        entity="hospital",
        entity_id=hospital_id,
        first=first,
        last=last,
        schedules=len(schedules),
        slots=slots,
    )
    return len(schedules)


def write_sessions(
    session: Session, wanted: list[tuple[dt.date, TemplateEntry]]
) -> tuple[list[Id], int]:
    """Write sessions as the entries plan them, with places and first events: their ids, and how many places."""
    schedules = [_schedule_row(entry, day, now(session)) for day, entry in wanted]
    slots = [
        slot
        for (_day, entry), schedule in zip(wanted, schedules, strict=True)
        for slot in with_reserves(session, schedule, _slot_rows(entry, schedule))
    ]
    session.execute(insert(Schedule), schedules)
    session.execute(insert(Slot), slots)
    session.execute(insert(SlotEvent), [_first_event(slot, now(session)) for slot in slots])
    return [schedule["id"] for schedule in schedules], len(slots)


def _entries(
    session: Session, hospital_id: Id, first: dt.date, last: dt.date, department_id: Id | None
) -> list[TemplateEntry]:
    statement = select(TemplateEntry).where(
        TemplateEntry.hospital_id == hospital_id,
        TemplateEntry.effective_from <= last,
        or_(TemplateEntry.effective_until.is_(None), TemplateEntry.effective_until >= first),
    )
    if department_id is not None:
        statement = statement.where(TemplateEntry.department_id == department_id)
    return list(session.scalars(statement.order_by(TemplateEntry.id)))


def _schedule_row(entry: TemplateEntry, day: dt.date, at: dt.datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "hospital_id": entry.hospital_id,
        "practitioner_id": entry.practitioner_id,
        "device_id": entry.device_id,
        "department_id": entry.department_id,
        "location_id": entry.location_id,
        "business_date": day,
        "half_day": entry.half_day,
        "visit_type": entry.visit_type,
        "price_item_code": entry.price_item_code,
        "fee_fen": entry.fee_fen,
        "status": ScheduleStatus.OPEN,
        "capacity": entry.capacity,
        "created_at": at,
    }


def _slot_rows(entry: TemplateEntry, schedule: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "hospital_id": entry.hospital_id,
            "schedule_id": schedule["id"],
            "number": window.number,
            "starts_at": window.starts_at,
            "ends_at": window.ends_at,
            "state": SlotState.FREE,
            "life": 1,
        }
        for window in rules.slot_windows(
            schedule["business_date"],
            entry.half_day,
            entry.capacity,
            entry.slot_minutes,
            entry.starts_minute,
            is_exact=entry.device_id is not None,
        )
    ]


def _first_event(slot: dict[str, Any], at: dt.datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "hospital_id": slot["hospital_id"],
        "slot_id": slot["id"],
        "ordinal": 1,
        "kind": SlotEventKind.GENERATED,
        "at": at,
    }
