"""What scheduling's pages share: the blueprint, reading filters, choices of selects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Permission
from backend.kernel.web import NavItem, own_hospital_id
from backend.organization import queries as organization
from backend.scheduling import queries
from backend.scheduling.rules import VISIT_TYPE_WORDS, YEARS, VisitType

blueprint = Blueprint(
    "schedules", __name__, url_prefix="/backoffice/schedules", template_folder="../templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("排班与号源"),
        endpoint="schedules.week",
        icon="calendar-week",
        permission=Permission.SCHEDULING_SCHEDULE_READ,
        section=lazy_gettext("门诊"),
        order=40,
    ),
)

WEEKDAYS = (
    lazy_gettext("周一"),
    lazy_gettext("周二"),
    lazy_gettext("周三"),
    lazy_gettext("周四"),
    lazy_gettext("周五"),
    lazy_gettext("周六"),
    lazy_gettext("周日"),
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address asks to see; None = everything (or, for the week, the first department)."""

    day: dt.date | None
    department_id: Id | None
    visit_type: VisitType | None


def read_filter(values: Mapping[str, str]) -> Filter:
    """Read ``day``, ``department`` and ``visit_type``; InvalidInput for what cannot be read."""
    visit_type = values.get("visit_type", "")
    try:
        return Filter(
            day=read_day(values.get("day", "")),
            department_id=parse_id(values.get("department", "")),
            visit_type=VisitType(visit_type) if visit_type else None,
        )
    except ValueError as error:
        raise InvalidInput(_("号别写法有误"), code="filter_invalid") from error


def read_day(text: str) -> dt.date | None:
    """A day of an address or a form, None when there is none; InvalidInput for what is no day of a planned year."""
    try:
        day = dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(_("日期写法有误"), code="filter_invalid") from error
    if day is not None and day.year not in YEARS:
        raise InvalidInput(_("日期写法有误"), code="filter_invalid")
    return day


def clinical_departments(session: Session) -> list[organization.Department]:
    """The departments that hold clinics or have examination devices, by code; two queries."""
    with_devices = queries.departments_with_devices(session, hospital_id=own_hospital_id())
    return [
        department
        for department in organization.list_departments(session, hospital_id=own_hospital_id())
        if department.kind is organization.DepartmentKind.CLINICAL or department.id in with_devices
    ]


def department_options(departments: Iterable[organization.Department]) -> list[tuple[str, str]]:
    """Choices of a select."""
    return [(str(department.id), department.name) for department in departments]


def visit_type_options() -> list[tuple[str, object]]:
    """Choices of a select."""
    return [(kind.value, words) for kind, words in VISIT_TYPE_WORDS.items()]
