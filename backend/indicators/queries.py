"""Self-service of a hospital in some days: registrations, payments and prints, by way, day and department."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.billing import queries as billing
from backend.billing.rules import Channel
from backend.devices import queries as devices
from backend.indicators.rules import Share, Way, add_up, way_of
from backend.kernel.audit import AuditEvent
from backend.kernel.clock import day_bounds
from backend.kernel.ids import Id
from backend.kernel.permissions import ActorKind
from backend.organization import queries as organization
from backend.scheduling.queries.shares import count_registrations

#: Papers that a counter prints; printing one is audited as a reading of it.
_PAPERS = ("ticket", "invoice")
_READ = "patients.read"


@dataclass(frozen=True, slots=True)
class DayShares:
    """One business date."""

    day: dt.date
    registrations: Share
    payments: Share


@dataclass(frozen=True, slots=True)
class DepartmentShare:
    """One department's registrations."""

    name: str
    registrations: Share


@dataclass(frozen=True, slots=True)
class SelfService:
    """All of it for a range of days."""

    registrations: Share
    payments: Share
    prints: Share
    days: tuple[DayShares, ...]
    departments: tuple[DepartmentShare, ...]


def get_self_service(
    session: Session, hospital_id: Id, first: dt.date, last: dt.date
) -> SelfService:
    """The shares of these days, both included (5 statements)."""
    registered: dict[dt.date, dict[Way, int]] = defaultdict(dict)
    by_department: dict[Id, dict[Way, int]] = defaultdict(dict)
    for day, department_id, channel, number in count_registrations(
        session, hospital_id, first, last
    ):
        way = way_of(channel.value)
        registered[day] = add_up(registered[day], way, number)
        by_department[department_id] = add_up(by_department[department_id], way, number)
    paid: dict[dt.date, dict[Way, int]] = defaultdict(dict)
    for day, paid_by, number in billing.count_payments(session, hospital_id, first, last):
        # What the program settles by itself has nobody who chose a way.
        if paid_by is not Channel.SYSTEM:
            paid[day] = add_up(paid[day], way_of(paid_by.value), number)
    names = {
        one.id: one.name for one in organization.list_departments(session, hospital_id=hospital_id)
    }
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    departments = [
        DepartmentShare(names.get(department_id, ""), Share(counts))
        for department_id, counts in by_department.items()
    ]
    return SelfService(
        registrations=_together(registered),
        payments=_together(paid),
        prints=_prints(session, hospital_id, first, last),
        days=tuple(DayShares(day, Share(registered[day]), Share(paid[day])) for day in days),
        departments=tuple(sorted(departments, key=lambda d: -d.registrations.total)),
    )


def _together(by_day: dict[dt.date, dict[Way, int]]) -> Share:
    counts: dict[Way, int] = {}
    for one in by_day.values():
        for way, number in one.items():
            counts = add_up(counts, way, number)
    return Share(counts)


def _prints(session: Session, hospital_id: Id, first: dt.date, last: dt.date) -> Share:
    """Papers a kiosk printed, and those that staff printed at a counter."""
    begin, end = day_bounds(first)[0], day_bounds(last)[1]
    at_counter = select(func.count()).where(
        AuditEvent.action == _READ,
        AuditEvent.entity.in_(_PAPERS),
        AuditEvent.actor_kind == ActorKind.STAFF.value,
        AuditEvent.hospital_id == hospital_id,
        AuditEvent.at >= begin,
        AuditEvent.at < end,
    )
    kiosk = devices.count_prints(session, hospital_id, begin, end)
    return Share({Way.KIOSK: kiosk, Way.COUNTER: session.scalar(at_counter) or 0})
