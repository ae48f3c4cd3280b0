"""Schedules in the back office: the week of a department, the list of a day, the places of a session.

GET  /backoffice/schedules                 week grid (fragment: the week)
GET  /backoffice/schedules/day             sessions of one day (fragment: the list)
GET  /backoffice/schedules/<schedule_id>   the same day with one session opened (fragment: its places)
POST /backoffice/schedules/generate        make what the weekly template asks for
"""

from __future__ import annotations

import datetime as dt

from flask import Response, current_app, flash, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from backend.kernel.ids import Id
from backend.kernel.permissions import Permission, has
from backend.kernel.uow import now, today
from backend.kernel.web import (
    current_actor,
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.scheduling import queries, rules, service
from backend.scheduling.backoffice import common
from backend.scheduling.backoffice.common import WEEKDAYS, Filter, blueprint
from backend.scheduling.errors import PeriodInvalid

WEEK = dt.timedelta(days=7)


@blueprint.get("")
@requires(Permission.SCHEDULING_SCHEDULE_READ)
def week() -> Response:
    """The week of one department: who sits when and where, and how many places are free."""
    wanted = common.read_filter(request.args)
    hospital_id = own_hospital_id()
    with read_uow() as session:
        this_day = today(session)
        day = wanted.day or this_day
        departments = common.clinical_departments(session)
        known = {department.id for department in departments}
        department_id = wanted.department_id if wanted.department_id in known else None
        if department_id is None and departments:
            department_id = departments[0].id
        grid = (
            queries.week_grid(
                session,
                hospital_id=hospital_id,
                department_id=department_id,
                day=day,
                visit_type=wanted.visit_type,
            )
            if department_id
            else None
        )
        return render(
            "scheduling/week.html",
            fragment="scheduling/_week.html",
            grid=grid,
            department_id=department_id,
            departments=common.department_options(departments),
            visit_type=wanted.visit_type,
            visit_types=common.visit_type_options(),
            weekdays=WEEKDAYS,
            today=this_day,
            previous=day - WEEK,
            following=day + WEEK,
            last_bookable=rules.last_bookable_day(now(session), queries.policies(session).furthest),
            can_add=department_id is not None
            and has(
                current_actor(),
                Permission.SCHEDULING_SCHEDULE_MANAGE,
                hospital_id=hospital_id,
                department_id=department_id,
            ),
            can_generate=has(
                current_actor(),
                Permission.SCHEDULING_SCHEDULE_GENERATE,
                hospital_id=hospital_id,
                department_id=department_id,
            ),
        )


@blueprint.get("/day")
@requires(Permission.SCHEDULING_SCHEDULE_READ)
def day_list() -> Response:
    """Every session of one day, of one department or all."""
    return _day_page(common.read_filter(request.args), None)


@blueprint.get("/<uuid:schedule_id>")
@requires(Permission.SCHEDULING_SCHEDULE_READ)
def session_detail(schedule_id: Id) -> Response:
    """One session with its places, beside the list of its day."""
    return _day_page(Filter(None, None, None), schedule_id)


def _day_page(wanted: Filter, schedule_id: Id | None) -> Response:
    hospital_id = own_hospital_id()
    with read_uow() as session:
        chosen = queries.get_schedule(session, schedule_id) if schedule_id else None
        slots = queries.list_slots(session, schedule_id) if schedule_id else []
        if chosen is not None:
            wanted = Filter(chosen.business_date, chosen.department_id, None)
        day = wanted.day or today(session)
        departments = common.clinical_departments(session)
        sessions = queries.list_schedules(
            session,
            hospital_id=hospital_id,
            first=day,
            last=day,
            department_id=wanted.department_id,
            visit_type=wanted.visit_type,
        )
        return render(
            "scheduling/day.html",
            fragment="scheduling/_day.html",
            day=day,
            today=today(session),
            weekdays=WEEKDAYS,
            previous=day - dt.timedelta(days=1),
            following=day + dt.timedelta(days=1),
            sessions=sessions,
            acts=_acts(),
            chosen=chosen,
            slots=slots,
            department_id=wanted.department_id,
            departments=common.department_options(departments),
            visit_type=wanted.visit_type,
            visit_types=common.visit_type_options(),
        )


@blueprint.post("/generate")
@requires(Permission.SCHEDULING_SCHEDULE_GENERATE)
def generate() -> BaseResponse:
    """Generate the shown week, or everything up to the last bookable day; nothing is made twice."""
    wanted = common.read_filter(request.form)
    with write_uow() as session:
        first, last = _period(wanted.day, today(session))
        if request.form.get("span") == "window":
            first, last = (
                today(session),
                rules.last_bookable_day(now(session), queries.policies(session).furthest),
            )
        made = service.generate_schedules(
            session,
            hospital_id=own_hospital_id(),
            first=first,
            last=last,
            department_id=wanted.department_id if _is_bound_to_departments() else None,
        )
    if made:
        flash(ngettext("已生成 %(num)d 个班次", "已生成 %(num)d 个班次", made), "ok")
    else:
        flash(_("没有需要新增的班次：这些天的排班都已生成"), "info")
    return redirect_to(
        "schedules.week",
        department=wanted.department_id,
        day=wanted.day,
        visit_type=wanted.visit_type.value if wanted.visit_type else None,
    )


def _is_bound_to_departments() -> bool:
    """True when the actor may generate for some departments only."""
    return current_actor().grants.get(Permission.SCHEDULING_SCHEDULE_GENERATE) is not None


def _period(shown: dt.date | None, this_day: dt.date) -> tuple[dt.date, dt.date]:
    """The shown week from today on; PeriodInvalid when all of it is past."""
    day = shown or this_day
    monday = day - dt.timedelta(days=day.weekday())
    sunday = monday + dt.timedelta(days=6)
    if sunday < this_day:
        raise PeriodInvalid(_("过去的日期不能再生成排班"))
    return max(this_day, monday), sunday


def _acts() -> dict[str, bool]:
    """What this person may do with a session; the pages for it are the journeys', absent in a program without them."""
    if "sessions.add_form" not in current_app.view_functions:
        return {}
    who = current_actor()
    return {
        "add": has(who, Permission.SCHEDULING_SLOT_ADD),
        "manage": has(who, Permission.SCHEDULING_SCHEDULE_MANAGE),
    }
