"""Stop-clinic (停诊) in three steps: say what, see whom it hits, act and watch what becomes of everybody.

GET  /backoffice/stops                 the notices, newest first
GET  /backoffice/stops/new             step 1: who or which device, when, why
GET  /backoffice/stops/preview         step 2: sessions and visits affected; nothing is written
POST /backoffice/stops                 step 3: stop, in one unit of work; each patient is looked after at once
GET  /backoffice/stops/<id>            what became of each visit (fragment: the list, asked for again while one is open)
POST /backoffice/stops/<id>/resume     let the sessions (or one of them) take place after all
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.kernel import idempotency
from backend.kernel.clock import HalfDay
from backend.kernel.errors import InvalidInput
from backend.kernel.ids import Id, new_id, parse_id
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import today
from backend.kernel.web import (
    NavItem,
    current_actor,
    idempotency_key,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.organization import queries as organization
from backend.scheduling import queries as visits
from backend.scheduling import rules
from backend.scheduling import service as scheduling
from backend.scheduling.errors import StopChanged, StopInvalid
from backend.scheduling.rules import HALF_DAY_WORDS, DisruptionState, StopScope

blueprint = Blueprint(
    "stops", __name__, url_prefix="/backoffice/stops", template_folder="../templates"
)

NAV: tuple[NavItem, ...] = (
    NavItem(
        label=lazy_gettext("停诊"),
        endpoint="stops.stop_list",
        icon="calendar-cancel",
        permission=Permission.SCHEDULING_SCHEDULE_MANAGE,
        section=lazy_gettext("门诊"),
        order=44,
    ),
)
#: Listed one by one; of more only the number is shown.
MOST_SHOWN = 300


@blueprint.get("")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def stop_list() -> Response:
    """The notices, newest first."""
    with read_uow() as session:
        stops = visits.list_stops(session, hospital_id=own_hospital_id())
        return render(
            "journeys/stops.html", stops=stops, today=today(session), halves=HALF_DAY_WORDS
        )


@blueprint.get("/new")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def stop_form() -> Response:
    """Step 1; from a session's page it comes filled in (``schedule``)."""
    values = dict(request.args)
    with read_uow() as session:
        if schedule_id := parse_id(values.get("schedule", "")):
            view = visits.get_schedule(session, schedule_id)
            values |= {
                "department": str(view.department_id),
                "practitioner": str(view.practitioner_id or ""),
                "device": str(view.device_id or ""),
                "first": view.business_date.isoformat(),
                "last": view.business_date.isoformat(),
                "half_day": view.half_day.value,
            }
        return _form(session, values)


@blueprint.get("/preview")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def stop_preview() -> Response:
    """Step 2: counts, masked names, channel, paid or not; step 1 again (422) when something is missing."""
    with read_uow() as session:
        return _preview(session, request.args)


@blueprint.post("")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def stop_act() -> BaseResponse:
    """Step 3: stop exactly what was shown; the preview again (409) when more is affected by now."""
    seen = [found for text in request.form.get("seen", "").split() if (found := parse_id(text))]
    try:
        with write_uow() as session:
            scope = _scope(session, request.form)
            reason = request.form.get("reason", "")
            answer = idempotency.once(
                session,
                "stops.act",
                idempotency_key(),
                {"scope": str(scope), "reason": reason},
                lambda: {
                    "id": str(
                        scheduling.stop_sessions(
                            session,
                            hospital_id=own_hospital_id(),
                            scope=scope,
                            reason=reason,
                            seen=seen,
                        ).id
                    )
                },
            )
    except StopChanged as error:
        with read_uow() as session:
            return _preview(session, request.form, status=error.status, changed=error.message)
    flash(_("已停诊，正在通知患者"), "ok")
    return redirect_to("stops.stop_detail", stop_id=answer["id"])


@blueprint.get("/<uuid:stop_id>")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def stop_detail(stop_id: Id) -> Response:
    """Everybody it hits and what became of them."""
    with read_uow() as session:
        stop = visits.get_stop(session, stop_id)
        found = visits.list_disruptions(session, stop_id=stop_id)
        return render(
            "journeys/stop.html",
            fragment="journeys/_stop_visits.html",
            stop=stop,
            sessions=visits.list_stopped_sessions(session, stop_id),
            disruptions=found[:MOST_SHOWN],
            more=max(0, len(found) - MOST_SHOWN),
            is_busy=any(one.state is DisruptionState.FOUND for one in found),
            may_plan=has(current_actor(), Permission.SCHEDULING_EXAMINATION_BOOK),
            today=today(session),
            halves=HALF_DAY_WORDS,
            words=rules.DISRUPTION_WORDS,
        )


@blueprint.post("/<uuid:stop_id>/resume")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def stop_resume(stop_id: Id) -> BaseResponse:
    """Let everything that is still stopped take place, or only ``schedule_id``."""
    wanted = parse_id(request.form.get("schedule_id", ""))
    with write_uow() as session:
        count = scheduling.resume_sessions(session, stop_id, [wanted] if wanted else None)
    if count or not wanted:
        flash(_("已恢复 %(count)s 个班次，仍在等待的患者照常就诊", count=count), "ok")
    else:
        flash(_("这个班次另有停诊通知，仍然停诊"), "info")
    return redirect_to("stops.stop_detail", stop_id=stop_id)


def _preview(
    session: Session, values: Mapping[str, str], *, status: int = 200, changed: object = ""
) -> Response:
    try:
        scope = _scope(session, values)
        reason = values.get("reason", "")
        rules.check_stop(scope, reason, today(session))
    except StopInvalid as error:
        return _form(session, values, errors=error.fields)
    preview = visits.preview_stop(session, hospital_id=own_hospital_id(), scope=scope)
    return render(
        "journeys/stop_preview.html",
        status=status,
        preview=preview,
        shown=preview.visits[:MOST_SHOWN],
        scope=scope,
        reason=reason,
        whom=_whom(session, scope),
        values=values,
        changed=changed,
        key=new_id().hex,
        today=today(session),
        halves=HALF_DAY_WORDS,
    )


def _form(
    session: Session, values: Mapping[str, str], errors: Mapping[str, object] | None = None
) -> Response:
    with_devices = visits.departments_with_devices(session, hospital_id=own_hospital_id())
    departments = [
        one
        for one in organization.list_departments(session, hospital_id=own_hospital_id())
        if one.kind is organization.DepartmentKind.CLINICAL or one.id in with_devices
    ]
    department_id = parse_id(values.get("department", ""))
    people = _people(session, department_id) if department_id else []
    devices = _devices(session, department_id)
    return render(
        "journeys/stop_form.html",
        fragment="journeys/_stop_form.html" if not errors else None,
        status=422 if errors else 200,
        values={"first": today(session).isoformat()} | dict(values),
        errors=errors or {},
        departments=[(str(one.id), one.name) for one in departments],
        people=people,
        devices=[(str(key), words) for key, words in devices.items()],
        halves=[(half.value, words) for half, words in HALF_DAY_WORDS.items()],
        today=today(session),
    )


def _people(session: Session, department_id: Id) -> list[tuple[str, str]]:
    """Who may be stopped: the department's practitioners, and whoever sits there, even who works here no longer."""
    here = organization.list_practitioners(
        session, hospital_id=own_hospital_id(), department_id=department_id
    )
    others = organization.practitioners_by_id(
        session,
        visits.practitioners_ahead(
            session, hospital_id=own_hospital_id(), department_id=department_id
        )
        - {one.id for one in here},
    )
    return [
        *((str(one.id), f"{one.name} {one.title}") for one in here),
        *(
            (
                str(one.id),
                f"{one.name} {one.title}"
                if one.is_active
                else _("%(name)s（已离岗）", name=one.name),
            )
            for one in sorted(others.values(), key=lambda one: one.code)
        ),
    ]


def _devices(session: Session, department_id: Id | None) -> dict[Id, str]:
    if department_id is None:
        return {}
    return visits.list_devices(session, hospital_id=own_hospital_id(), department_id=department_id)


def _scope(session: Session, values: Mapping[str, str]) -> StopScope:
    """Read who and when; StopInvalid for dates that are none, and for people of another hospital."""
    half_day = values.get("half_day", "")
    fields: dict[str, object] = {}
    days = {}
    for name in ("first", "last"):
        text = values.get(name, "") or values.get("first", "")
        try:
            days[name] = dt.date.fromisoformat(text)
        except ValueError:
            fields[name] = _("请选择日期")
    if half_day and half_day not in set(HalfDay):
        raise InvalidInput(_("请选择半天"), code="filter_invalid")
    practitioner_id = parse_id(values.get("practitioner", ""))
    department_id = parse_id(values.get("department", ""))
    people = organization.practitioners_by_id(session, [practitioner_id] if practitioner_id else [])
    places = organization.departments_by_id(session, [department_id] if department_id else [])
    for name, found in (("practitioner", people), ("department", places)):
        if any(row.hospital_id != own_hospital_id() for row in found.values()):
            fields[name] = _("请选择")
    if (practitioner_id and not people) or (department_id and not places):
        fields["practitioner"] = _("请选择")
    device_id = parse_id(values.get("device", ""))
    if device_id and device_id not in _devices(session, department_id):
        fields["device" if department_id else "department"] = _("请选择")
    if fields:
        raise StopInvalid(fields=fields)
    return StopScope(
        days["first"],
        days["last"],
        practitioner_id,
        department_id,
        HalfDay(half_day) if half_day else None,
        device_id,
    )


def _whom(session: Session, scope: StopScope) -> str:
    ids = [i for i in (scope.practitioner_id, scope.department_id) if i]
    labels = organization.labels_by_id(session, ids)
    names = [labels[i].name for i in ids]
    if scope.device_id:
        names.insert(0, _devices(session, scope.department_id)[scope.device_id])
    return " · ".join(names)
