"""One session that the weekly template does not know (加开): who sits once more, when, where, for which fee.

GET  /backoffice/schedules/special   the form, for a department and day of the week grid
POST /backoffice/schedules/special   open the session; 422 with the form and each fault beside its field
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, flash, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from backend.kernel.errors import NotFound
from backend.kernel.ids import parse_id
from backend.kernel.permissions import Permission
from backend.kernel.uow import today
from backend.kernel.web import (
    own_hospital_id,
    read_uow,
    redirect_to,
    render,
    requires,
    write_uow,
)
from backend.organization import queries as organization
from backend.scheduling import service
from backend.scheduling.backoffice import common
from backend.scheduling.backoffice.common import blueprint
from backend.scheduling.backoffice.entry_form import choices, read_facts
from backend.scheduling.errors import ScheduleOver, SessionExists, TemplateInvalid
from backend.scheduling.rules import HALF_DAY_WORDS, VisitType

#: What a special session usually is.
USUAL = {"visit_type": VisitType.GENERAL.value, "capacity": "10", "slot_minutes": "10"}


@blueprint.get("/special")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def special_form() -> Response:
    """The empty form, with the practitioners of the department; of the first one when none is named."""
    with read_uow() as session:
        return _form(session, request.args)


@blueprint.post("/special")
@requires(Permission.SCHEDULING_SCHEDULE_MANAGE)
def special() -> BaseResponse:
    """Open the session; what cannot be is said beside its field."""
    try:
        with write_uow() as session:
            day = common.read_day(request.form.get("day", ""))
            if day is None:
                raise TemplateInvalid(fields={"day": _("请选择日期")})
            facts = read_facts(session, dict(request.form) | {"weekday": str(day.isoweekday())})
            opened = service.add_special_session(
                session,
                hospital_id=own_hospital_id(),
                practitioner_id=facts.practitioner_id,
                department_id=facts.department_id,
                location_id=facts.location_id,
                day=day,
                half_day=facts.half_day,
                visit_type=facts.visit_type,
                price_item_code=facts.price_item_code,
                fee_fen=facts.fee_fen,
                capacity=facts.capacity,
                slot_minutes=facts.slot_minutes,
                starts_minute=facts.starts_minute,
                reason=request.form.get("reason", ""),
            )
    except TemplateInvalid as error:
        return _form_again(error.fields or {"capacity": error.message})
    except (ScheduleOver, SessionExists) as error:
        return _form_again({"day": error.message})
    flash(_("已加开，号已放出"), "ok")
    return redirect_to("schedules.session_detail", schedule_id=opened)


def _form_again(errors: Mapping[str, object]) -> Response:
    with read_uow() as session:
        return _form(session, request.form, errors)


def _form(
    session: Session, values: Mapping[str, str], errors: Mapping[str, object] | None = None
) -> Response:
    hospital_id = own_hospital_id()
    wanted = values.get("department_id", "") or values.get("department", "")
    departments = common.clinical_departments(session)
    if wanted:
        departments = [one for one in departments if one.id == parse_id(wanted)]
    department = next(iter(departments), None)
    if department is None:
        raise NotFound
    people = organization.list_practitioners(
        session, hospital_id=hospital_id, department_id=department.id
    )
    return render(
        "scheduling/special.html",
        fragment=None,
        status=422 if errors else 200,
        form={"day": today(session).isoformat()} | USUAL | dict(values),
        errors=errors or {},
        department=department,
        people=[(str(one.id), f"{one.name} {one.title}") for one in people],
        halves=[(half.value, words) for half, words in HALF_DAY_WORDS.items()],
        **choices(session, hospital_id, None),
    )
