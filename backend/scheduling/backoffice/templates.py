"""The weekly template as a grid: practitioners by weekday and half-day, changed from a day on, with its history.

GET  /backoffice/schedules/templates             a department's or practitioner's week (?edit= or ?add=: with a form)
GET  /backoffice/schedules/templates/preview     what generation would make of it in the next two weeks
POST /backoffice/schedules/templates/add         a new weekly session
POST /backoffice/schedules/templates/<id>/change from a day on it is otherwise
POST /backoffice/schedules/templates/<id>/end    it takes place for the last time
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask import Response, flash, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.kernel.clock import HalfDay
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, parse_id
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import today
from backend.kernel.web import (
    current_actor,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.organization import queries as organization
from backend.scheduling import queries, service
from backend.scheduling.backoffice import common
from backend.scheduling.backoffice.common import WEEKDAYS, blueprint
from backend.scheduling.backoffice.entry_form import choices, kept_of, read_facts
from backend.scheduling.errors import TemplateInvalid
from backend.scheduling.rules import HALF_DAY_WORDS, VisitType
from backend.scheduling.views import EntryView

PREVIEW_DAYS = 14


@blueprint.get("/templates")
@requires(Permission.SCHEDULING_SCHEDULE_READ)
def templates() -> Response:
    """The grid of one department (or of one practitioner) as it stands on a day, and the form of one cell."""
    with read_uow() as session:
        return _page(session, request.args)


@blueprint.get("/templates/preview")
@requires(Permission.SCHEDULING_SCHEDULE_READ)
def templates_preview() -> Response:
    """Fourteen days as generation would fill them now; nothing is written."""
    with read_uow() as session:
        first = common.read_day(request.args.get("on", "")) or today(session)
        department_id = _department(session, request.args)
        planned = (
            queries.preview_generation(
                session,
                hospital_id=own_hospital_id(),
                department_id=department_id,
                first=first,
                last=first + dt.timedelta(days=PREVIEW_DAYS - 1),
            )
            if department_id
            else []
        )
        days = [first + dt.timedelta(days=n) for n in range(PREVIEW_DAYS)]
        return render(
            "scheduling/template_preview.html",
            days=[(day, [one for one in planned if one.day == day]) for day in days],
            made=sum(one.will_be_made for one in planned),
            places=sum(one.entry.capacity for one in planned if one.will_be_made),
            weekdays=WEEKDAYS,
            today=today(session),
            department_id=department_id,
            departments=common.department_options(common.clinical_departments(session)),
            first=first,
        )


@blueprint.post("/templates/add")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def template_add() -> BaseResponse:
    """Add one weekly session; 422 with the form and each fault beside its field."""
    try:
        with write_uow() as session:
            facts = read_facts(session, request.form)
            service.add_entry(
                session,
                hospital_id=own_hospital_id(),
                facts=facts,
                effective_from=_needed_day(request.form, "effective_from"),
                effective_until=common.read_day(request.form.get("effective_until", "")),
            )
    except TemplateInvalid as error:
        return _form_again(error)
    flash(_("已加入模板，生效日起按此生成"), "ok")
    return _back(facts.department_id)


@blueprint.post("/templates/<uuid:entry_id>/change")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def template_change(entry_id: Id) -> BaseResponse:
    """From a day on the session is otherwise; the old entry ends the day before."""
    try:
        with write_uow() as session:
            facts = read_facts(session, request.form, kept=kept_of(session, entry_id))
            service.change_entry(
                session,
                entry_id,
                facts=facts,
                effective_from=_needed_day(request.form, "effective_from"),
                effective_until=common.read_day(request.form.get("effective_until", "")),
            )
    except TemplateInvalid as error:
        return _form_again(error, entry_id)
    flash(_("已修改；已经生成的班次不变"), "ok")
    return _back(facts.department_id)


@blueprint.post("/templates/<uuid:entry_id>/end")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def template_end(entry_id: Id) -> BaseResponse:
    """The last time it takes place."""
    try:
        with write_uow() as session:
            service.end_entry(session, entry_id, _needed_day(request.form, "last_day"))
    except TemplateInvalid as error:
        return _form_again(error, entry_id)
    flash(_("已结束；记录仍在历史里"), "ok")
    return _back(parse_id(request.form.get("department_id", "")))


def _page(
    session: Session,
    values: Mapping[str, str],
    *,
    entry_id: Id | None = None,
    errors: Mapping[str, object] | None = None,
) -> Response:
    """The grid and, where a cell is in hand, its form (also with what was typed and what is wrong with it)."""
    hospital_id = own_hospital_id()
    on = common.read_day(values.get("on", "")) or today(session)
    department_id = _department(session, values)
    practitioner_id = parse_id(values.get("practitioner", ""))
    entry_id = entry_id or parse_id(values.get("edit", ""))
    history = queries.entry_history(session, entry_id) if entry_id else []
    entry = next((view for view in history if view.id == entry_id), None)
    form = _form_values(session, values, entry) if entry or errors or values.get("add") else None
    entries = queries.list_entries(
        session,
        hospital_id=hospital_id,
        on=on,
        department_id=None if practitioner_id else department_id,
        practitioner_id=practitioner_id,
    )
    return render(
        "scheduling/template_week.html",
        fragment="scheduling/_template_form.html" if form and not errors else None,
        status=422 if errors else 200,
        rows=_rows(session, entries, department_id, practitioner_id),
        gone=_gone(session, entries, practitioner_id),
        on=on,
        today=today(session),
        halves=list(HALF_DAY_WORDS.items()),
        weekdays=WEEKDAYS,
        department_id=department_id,
        departments=common.department_options(common.clinical_departments(session)),
        practitioner_id=practitioner_id,
        form=form,
        entry=entry,
        history=history,
        errors=errors or {},
        can_manage=has(current_actor(), Permission.SCHEDULING_SCHEDULE_MANAGE,
                       department_id=department_id),
        **(choices(session, hospital_id, department_id, entry) if form else {}),
    )  # fmt: skip


def _rows(
    session: Session,
    entries: list[EntryView],
    department_id: Id | None,
    practitioner_id: Id | None,
) -> list[tuple[str, str, dict[tuple[int, str], list[EntryView]]]]:
    """One row a practitioner: id, name, and the entries of each weekday and half-day."""
    names: dict[str, str] = {}
    if department_id and not practitioner_id:
        for person in organization.list_practitioners(
            session, hospital_id=own_hospital_id(), department_id=department_id
        ):
            names[str(person.id)] = person.name
    cells: dict[str, dict[tuple[int, str], list[EntryView]]] = {}
    for view in entries:
        names.setdefault(str(view.practitioner_id), view.practitioner_name)
        cell = cells.setdefault(str(view.practitioner_id), {})
        cell.setdefault((view.weekday, view.half_day.value), []).append(view)
    if practitioner_id and not names:
        names[str(practitioner_id)] = organization.get_practitioner(session, practitioner_id).name
    return [(key, name, cells.get(key, {})) for key, name in names.items()]


def _gone(session: Session, entries: list[EntryView], practitioner_id: Id | None) -> set[str]:
    """Those in the grid who left: what they have is shown, but they are given nothing new."""
    ids = {one.practitioner_id for one in entries} | {practitioner_id}
    people = organization.practitioners_by_id(session, [i for i in ids if i])
    return {str(one.id) for one in people.values() if not one.is_active}


def _form_values(
    session: Session, values: Mapping[str, str], entry: EntryView | None
) -> dict[str, object]:
    """What the form shows: what was typed, else the entry, else the empty cell that was chosen."""
    tomorrow = today(session) + dt.timedelta(days=1)
    shown: dict[str, object] = {
        "visit_type": VisitType.GENERAL.value,
        "capacity": 20,
        "slot_minutes": 10,
        "begins": "",
        "effective_from": tomorrow,
    }
    if cell := values.get("add", ""):
        who, _dot, rest = cell.partition(".")
        weekday, _dot, half = rest.partition(".")
        shown |= {"practitioner_id": who, "weekday": weekday, "half_day": half}
    if entry is not None:
        shown |= {
            "practitioner_id": entry.practitioner_id,
            "weekday": entry.weekday,
            "half_day": entry.half_day.value,
            "visit_type": entry.visit_type.value,
            "location_id": entry.location_id,
            "department_id": entry.department_id,
            "fee": entry.price_item_code,
            "capacity": entry.capacity,
            "slot_minutes": entry.slot_minutes,
            "begins": entry.begins if entry.starts_minute is not None else "",
            "effective_from": max(tomorrow, entry.effective_from),
            "effective_until": entry.effective_until or "",
        }
    typed = {key: value for key, value in values.items() if key in request.form}
    shown |= typed
    if str(shown.get("weekday")) not in set("1234567") or shown.get("half_day") not in set(HalfDay):
        raise InvalidInput(_("请选择星期和半天"), code="filter_invalid")
    shown["name"] = _name_of(session, shown.get("practitioner_id"))
    return shown


def _name_of(session: Session, practitioner_id: object) -> str:
    found = parse_id(str(practitioner_id or ""))
    if found is None:
        raise InvalidInput(_("请选择医生"), code="filter_invalid")
    person = organization.get_practitioner(session, found)
    if person.hospital_id != own_hospital_id():
        raise InvalidInput(_("请选择本院的医生"), code="filter_invalid")
    return person.name


def _form_again(error: TemplateInvalid, entry_id: Id | None = None) -> Response:
    """The page once more with what was typed, each fault beside its field."""
    fields = error.fields or {"effective_from": error.message}
    with read_uow() as session:
        values = dict(request.form) | {"department": request.form.get("department_id", "")}
        return _page(session, values, entry_id=entry_id, errors=fields)


def _department(session: Session, values: Mapping[str, str]) -> Id | None:
    departments = common.clinical_departments(session)
    wanted = parse_id(values.get("department", ""))
    known = [department.id for department in departments]
    return wanted if wanted in known else next(iter(known), None)


def _needed_day(form: Mapping[str, str], name: str) -> dt.date:
    day = common.read_day(form.get(name, ""))
    if day is None:
        raise TemplateInvalid(fields={name: _("请选择日期")})
    return day


def _back(department_id: Id | None) -> BaseResponse:
    return redirect_to("schedules.templates", department=department_id)
